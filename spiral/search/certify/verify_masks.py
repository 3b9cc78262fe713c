"""Re-check which masks a record rules out; shares no code with the prover.

Sets of units are bit sets. Masks are enumerated with repetitions: layer 2 in any order.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, permutations, product
from typing import Any, NamedTuple, TypeVar

Direction = int
"""-1 for any, else the coordinate that is constant on a line."""
Families = list[tuple[Direction, int]]
Way = tuple[Any, ...]
"""Names the direction of some lines."""
Item = TypeVar("Item")


class Mask(NamedTuple):
    """The units of layer 1 (inputs, outputs) and of layer 3 (inputs), as bit sets."""

    first: tuple[tuple[int, int], ...]
    second: int
    third: tuple[int, ...]

    def inputs(self, unit: int) -> int:
        """Return the units of layer 1 that a unit of layer 2 reads."""
        return sum(1 << i for i, (_, out) in enumerate(self.first) if out >> unit & 1)

    def reads_both(self) -> bool:
        """Return whether the mask uses both inputs."""
        return _union(inputs for inputs, _ in self.first) == 3


class Case(NamedTuple):
    """Families of lines: all, and in parts of the plane.

    Parts are cut by kinks of one or two units that read a single input. They come by
    which of the units are on: for one kink off, on; for two off and off, off and on, on
    and off, on and on. The inputs of the units come first.
    """

    whole: Families
    parts: list[tuple[tuple[int, ...], list[Families]]]


def masks(weights: int) -> Iterator[Mask]:
    """Yield masks of some number of weights; every unit has inputs and outputs.

    One input may be unused.
    """
    for second in range(1, weights):
        subsets = range(1, 1 << second)
        for third in _multisets(subsets, weights, lambda s: s.bit_count() + 1):
            if _union(third) != (1 << second) - 1:
                continue
            rest = weights - sum(s.bit_count() + 1 for s in third)
            units = [*product((1, 2, 3), subsets)]
            for first in _multisets(units, rest, _weight):
                if (
                    sum(map(_weight, first)) == rest
                    and _union(out for _, out in first) == (1 << second) - 1
                ):
                    yield Mask(first, second, third)


def canonical(mask: Mask) -> Mask:
    """Return the same mask for all that differ by renumbering units."""
    found = []
    for order in permutations(range(mask.second)):

        def moved(units: int, order: tuple[int, ...] = order) -> int:
            return sum(1 << place for place, j in enumerate(order) if units >> j & 1)

        first = sorted((inputs, moved(out)) for inputs, out in mask.first)
        third = sorted(moved(units) for units in mask.third)
        found.append(Mask(tuple(first), mask.second, tuple(third)))
    return min(found)


def _weight(unit: tuple[int, int]) -> int:
    """Return the weights of a unit of layer 1."""
    return unit[0].bit_count() + unit[1].bit_count()


def _union(sets: Iterable[int]) -> int:
    """Return the union of bit sets."""
    total = 0
    for one in sets:
        total |= one
    return total


def _multisets(
    items: Sequence[Item], limit: int, weight: Callable[[Item], int]
) -> Iterator[tuple[Item, ...]]:
    """Yield non-empty multisets of at most some weight."""

    def extend(
        start: int, chosen: tuple[Item, ...], left: int
    ) -> Iterator[tuple[Item, ...]]:
        if chosen:
            yield chosen
        for k in range(start, len(items)):
            cost = weight(items[k])
            if cost <= left:
                yield from extend(k, (*chosen, items[k]), left - cost)

    return extend(0, (), limit)


def cases(mask: Mask) -> list[Case]:
    """Return the families that can hold the boundary of a network with a mask."""
    found = []
    for constant in range(1 << mask.second):
        for cells in _arrangements(mask):
            parts = [
                (
                    tuple(mask.first[u][0] - 1 for u in units),
                    _parts(mask, constant, cells, units),
                )
                for units in _kinks(mask)
            ]
            found.append(Case(_families(mask, constant, cells), parts))
    return found


def _kinks(mask: Mask) -> list[tuple[int, ...]]:
    """Return the units that read a single input, and the pairs of them."""
    single = [unit for unit, (inputs, _) in enumerate(mask.first) if inputs < 3]
    return [*combinations(single, 1), *combinations(single, 2)]


def _parts(
    mask: Mask, constant: int, cells: list[int], units: tuple[int, ...]
) -> list[Families]:
    """Return the families of the cells by which of some units are on."""
    found = []
    for on in product((False, True), repeat=len(units)):
        state = [*zip(units, on, strict=True)]
        chosen = [c for c in cells if all(c >> u & 1 == o for u, o in state)]
        found.append(_families(mask, constant, chosen))
    return found


def _arrangements(mask: Mask) -> Iterator[list[int]]:
    """Yield the sets of patterns of layer 1 that may occur."""
    parts = []
    for inputs in (1, 2):
        units = [i for i, unit in enumerate(mask.first) if unit[0] == inputs]
        parts.append(
            {
                frozenset(_walk(order, start))
                for order in permutations(units)
                for start in _subsets(sum(1 << u for u in units))
            }
        )
    tilted = sum(1 << i for i, unit in enumerate(mask.first) if unit[0] == 3)
    for one, other in product(*parts):
        yield [a | b | c for a in one for b in other for c in _subsets(tilted)]


def _walk(order: tuple[int, ...], pattern: int) -> Iterator[int]:
    """Yield patterns while the units of an order switch one after the other."""
    yield pattern
    for unit in order:
        pattern ^= 1 << unit
        yield pattern


def _subsets(units: int) -> Iterator[int]:
    """Yield all subsets, the set itself first."""
    subset = units
    while True:
        yield subset
        if not subset:
            return
        subset = subset - 1 & units


def _families(mask: Mask, constant: int, cells: list[int]) -> Families:
    """Return the families of the lines of some cells."""
    scalar: dict[Any, tuple[Way, int]] = {}
    pieces: dict[Any, dict[Way, int]] = {}
    for cell in cells:
        reads = [mask.inputs(j) & cell for j in range(mask.second)]
        moving = sum(1 << j for j, units in enumerate(reads) if units)
        still = constant & ~moving
        groups: dict[Way, int] = {}
        for j, units in enumerate(reads):
            if way := _only(mask, units):
                groups[way] = groups.get(way, 0) | 1 << j
        for way, group in groups.items():
            scalar[group, still, _read(reads, group)] = way, _zeros(mask, group)
        for chosen in _subsets(moving):
            if chosen and all(chosen & ~group for group in groups.values()):
                piece = (chosen | still, chosen, _read(reads, chosen))
                pieces[piece] = _lines(mask, *piece)
    count: dict[Way, int] = {}
    for way, n in [*scalar.values(), *(w for p in pieces.values() for w in p.items())]:
        count[way] = count.get(way, 0) + n
    return [(way[1] if way[0] == "axis" else -1, n) for way, n in count.items() if n]


def _read(reads: list[int], units: int) -> int:
    """Return what some units of layer 2 read."""
    return _union(read for j, read in enumerate(reads) if units >> j & 1)


def _lines(mask: Mask, active: int, moving: int, on: int) -> dict[Way, int]:
    """Return the lines of the last two layers with given active units, by direction.

    Args:
        mask: The mask.
        active: Active units of layer 2.
        moving: Those of them that are not constant.
        on: Active units of layer 1 that they read.
    """
    readers = [units & moving for units in mask.third if units & moving]
    found: dict[Way, int] = {}
    for unit in range(mask.second):
        if own := readers.count(1 << unit):
            way = _toward(mask, 1 << unit, on)
            found[way] = found.get(way, 0) + _turns(own)
    for used in _subsets((1 << len(readers)) - 1):
        read = _union(r for k, r in enumerate(readers) if used >> k & 1)
        if read.bit_count() > 1:
            found["line", active, on, used] = 1
    return found


def _only(mask: Mask, on: int) -> Way | None:
    """Return the direction of all lines of a cell, if there is only one."""
    if on == 0:
        return None
    read = _union(unit[0] for i, unit in enumerate(mask.first) if on >> i & 1)
    if read < 3:
        return ("axis", read - 1)
    return ("unit", on) if on.bit_count() == 1 else None


def _toward(mask: Mask, unit: int, on: int) -> Way:
    """Return the direction of the lines of one unit of layer 2, given as a set."""
    own = mask.inputs(unit.bit_length() - 1) & on
    return _only(mask, own) or ("sum", unit, own)


def _turns(hinges: int) -> int:
    """Return the most zeros of a scalar function with some hinges."""
    return hinges + 1 if hinges > 2 else hinges


def _zeros(mask: Mask, group: int) -> int:
    """Return the most zeros where only units that share a scalar are not constant."""
    readers = [units & group for units in mask.third if units & group]
    if len(readers) == 1:
        return _turns(group.bit_count())
    each = sorted(
        _turns(sum(1 for units in readers if units & active))
        for active in _subsets(group)
        if active
    )
    return sum(each[::-1][: group.bit_count() + 1])
