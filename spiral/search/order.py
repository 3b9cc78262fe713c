"""The canonical order of layer 2: a search tree over orders, pruned by symmetries.

Unlike ``enumerate``, which tries all d2! orders of small layers, this works for layers
of any size: a branch is cut when its prefix is larger than the best known, or when a
symmetry maps it to a branch that was searched.

Source: B. D. McKay, Congressus Numerantium 30, 1981, for pruning by symmetries; here
branches are compared by prefixes of the result instead of refined partitions.
"""

from dataclasses import dataclass, field

import numpy as np

Bits = int
"""A set of units of layers 1 and 3, one bit each, layer 3 in the lowest bits.

Python integers: any width, and ``bit_count`` is one instruction per word."""


def smallest(links: list[Bits], outgoing: Bits, groups: list[Bits]) -> tuple[int, ...]:
    """Return the order of layer 2 that gives the smallest mask (see ``canonical``).

    Args:
        links: The units of layers 1 and 3 connected to each unit of layer 2.
        outgoing: All units of layer 3.
        groups: Sets of units of layers 1 and 3 that only their links to layer 2
            distinguish, in order.
    """
    search = Search(links, outgoing)
    search.visit((), groups)
    return search.order


@dataclass
class Search:
    """Depth-first search over the orders of layer 2 that may be smallest."""

    links: list[Bits]
    outgoing: Bits
    keys: list[tuple[int, ...]] = field(default_factory=list)
    """The smallest key known for each place, given the places before."""
    order: tuple[int, ...] = ()
    """An order with these keys."""
    symmetries: list[dict[int, int]] = field(default_factory=list)
    """Automorphisms found: permutations of layer 2 that leave all keys unchanged."""

    def visit(self, placed: tuple[int, ...], groups: list[Bits]) -> int:
        """Search all orders with this prefix; return the place at which to continue.

        Args:
            placed: The first units of the order.
            groups: Units of layers 1 and 3, as far as the prefix distinguishes them.
        """
        place = len(placed)
        if place == len(self.links):
            return self._arrive(placed)
        left = [unit for unit in range(len(self.links)) if unit not in placed]
        keys = {unit: self._key(unit, groups) for unit in left}
        smallest = min(keys.values())
        if self.keys[place:] and self.keys[place] < smallest:
            return place  # larger than the best order known: cut the branch
        if not self.keys[place:] or smallest < self.keys[place]:
            # Smaller than the best order known: forget what followed it
            self.keys[place:], self.order = [smallest], ()
        tried: set[int] = set()
        for unit in left:
            if keys[unit] > smallest or unit in self._alike(tried, placed):
                continue
            back = self.visit((*placed, unit), split(groups, self.links[unit]))
            if back < place:
                return back
            tried.add(unit)
        return place

    def _key(self, unit: int, groups: list[Bits]) -> tuple[int, ...]:
        """Return the key of this unit at the next place: its part of the mask.

        Within a group units are sorted by this link, so the number of links to each
        group determines the entries.
        """
        link = self.links[unit]
        return (
            (link & self.outgoing).bit_count(),
            *((link & group).bit_count() for group in groups),
        )

    def _arrive(self, order: tuple[int, ...]) -> int:
        """Store the first order with the smallest keys; derive a symmetry from others.

        Two orders with equal keys differ by an automorphism. It maps the branch in
        which they diverge to one already searched, so the search continues at the place
        where they diverge.
        """
        if not self.order:
            self.order = order
            return len(order)
        self.symmetries.append(dict(zip(self.order, order, strict=True)))
        return next(i for i, unit in enumerate(order) if unit != self.order[i])

    def _alike(self, tried: set[int], placed: tuple[int, ...]) -> set[int]:
        """Return the images of the tried units under symmetries that fix the prefix."""
        usable = [s for s in self.symmetries if all(s[unit] == unit for unit in placed)]
        found, new = set(tried), list(tried)
        while new:
            unit = new.pop()
            for image in {s[unit] for s in usable} - found:
                found.add(image)
                new.append(image)
        return found


def bits(chosen: np.ndarray) -> Bits:
    """Return the set of the chosen units."""
    return sum(1 << int(unit) for unit in np.flatnonzero(chosen))


def members(units: Bits) -> list[int]:
    """Return the units of a set."""
    return [unit for unit in range(units.bit_length()) if units >> unit & 1]


def split(groups: list[Bits], link: Bits) -> list[Bits]:
    """Split each group into its units without and with a link, in that order."""
    parts = [part for group in groups for part in (group & ~link, group & link)]
    return [part for part in parts if part]
