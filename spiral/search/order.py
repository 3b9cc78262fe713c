"""The canonical order of layer 2, by a search tree that symmetries prune.

Source: B. D. McKay, Congressus Numerantium 30, 1981, for the pruning; branches are
compared by prefixes of the result instead of refined partitions.
"""

from dataclasses import dataclass, field

import numpy as np

Bits = int
"""A set of units of layers 1 and 3: one bit each, those of layer 3 first."""


def smallest(links: list[Bits], outgoing: Bits, groups: list[Bits]) -> tuple[int, ...]:
    """Return the order of layer 2 that makes a mask smallest, see ``canonical``.

    Args:
        links: The units of layers 1 and 3 that each unit of layer 2 is connected to.
        outgoing: All units of layer 3.
        groups: Units of layers 1 and 3 that only layer 2 tells apart, in order.
    """
    search = Search(links, outgoing)
    search.visit((), groups)
    return search.order


@dataclass
class Search:
    """Places layer 2 unit by unit, depth first, in every order that may be smallest."""

    links: list[Bits]
    outgoing: Bits
    keys: list[tuple[int, ...]] = field(default_factory=list)
    """The smallest key known for each place, given those before."""
    order: tuple[int, ...] = ()
    """An order with these keys."""
    symmetries: list[dict[int, int]] = field(default_factory=list)
    """Permutations of layer 2 that change no order's keys."""

    def visit(self, placed: tuple[int, ...], groups: list[Bits]) -> int:
        """Try all orders that begin like this; return how far back to go on.

        Args:
            placed: The first units of the order.
            groups: Units of layers 1 and 3, sorted as far as these units sort them.
        """
        place = len(placed)
        if place == len(self.links):
            return self._arrive(placed)
        left = [unit for unit in range(len(self.links)) if unit not in placed]
        keys = {unit: self._key(unit, groups) for unit in left}
        smallest = min(keys.values())
        if self.keys[place:] and self.keys[place] < smallest:
            return place
        if not self.keys[place:] or smallest < self.keys[place]:
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
        """Return what this unit would add to the result at the next place."""
        link = self.links[unit]
        return (
            (link & self.outgoing).bit_count(),
            *((link & group).bit_count() for group in groups),
        )

    def _arrive(self, order: tuple[int, ...]) -> int:
        """Keep the first order with the smallest keys; learn a symmetry from others.

        A symmetry maps all that lies between here and where the two orders part onto
        what has been tried, so the search goes on where they part.
        """
        if not self.order:
            self.order = order
            return len(order)
        self.symmetries.append(dict(zip(self.order, order, strict=True)))
        return next(i for i, unit in enumerate(order) if unit != self.order[i])

    def _alike(self, tried: set[int], placed: tuple[int, ...]) -> set[int]:
        """Return where symmetries that leave the placed units map those tried."""
        usable = [s for s in self.symmetries if all(s[unit] == unit for unit in placed)]
        found, new = set(tried), list(tried)
        while new:
            unit = new.pop()
            for image in {s[unit] for s in usable} - found:
                found.add(image)
                new.append(image)
        return found


def bits(chosen: np.ndarray) -> Bits:
    """Return a set of units."""
    return sum(1 << int(unit) for unit in np.flatnonzero(chosen))


def members(units: Bits) -> list[int]:
    """Return the units of a set."""
    return [unit for unit in range(units.bit_length()) if units >> unit & 1]


def split(groups: list[Bits], link: Bits) -> list[Bits]:
    """Sort each group by whether a unit is linked: not linked, then linked."""
    parts = [part for group in groups for part in (group & ~link, group & link)]
    return [part for part in parts if part]
