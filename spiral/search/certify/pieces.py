"""Count the lines that a mask's decision boundary can consist of, by direction."""

from collections.abc import Iterator
from functools import cache
from itertools import chain, combinations, permutations, product
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool

from spiral.search.shape import Shape, matrices

Family = tuple[int, int]
"""Direction (ANY, or the coordinate that is constant on its lines), and lines."""

Profile = tuple[Family, ...]
"""Families of parallel lines that together hold a decision boundary, sorted."""

ANY = -1
Units = frozenset[int]

Direction = tuple[Any, ...]
"""Names the direction of some lines; lines of the same name are parallel."""


class Wiring(NamedTuple):
    """A mask as sets: the inputs of each unit of layers 1, 2 and 3."""

    first: list[Units]
    second: list[Units]
    third: list[Units]


def wiring(mask: Bool[np.ndarray, " W"], shape: Shape) -> Wiring:
    """Return the inputs of each unit."""
    first, second, third, _ = matrices(mask, shape)
    return Wiring(
        *(
            [frozenset(np.flatnonzero(r).tolist()) for r in m]
            for m in (first, second, third)
        )
    )


class Partition(NamedTuple):
    """Families in the parts that kinks of units with a single input make of the plane.

    ``parts`` has a profile for each set of these units that is on: first all off, then
    the last one on, and so forth, as ``itertools.product`` counts.
    """

    axes: tuple[int, ...]
    """The input of each unit."""
    parts: tuple[Profile, ...]


class Structure(NamedTuple):
    """Families that hold a decision boundary, as a whole and by parts of the plane."""

    whole: Profile
    partitions: tuple[Partition, ...]


KINKS = 2
"""Most kinks of a partition; a third rules no more masks of 10 weights out."""


def structures(wires: Wiring) -> set[Structure]:
    """Return structures; every network with a mask has the boundary of one of them."""
    return {
        Structure(
            _profile(wires, constant, cells),
            tuple(sorted(_partitions(wires, constant, cells), key=_size)),
        )
        for constant in product((False, True), repeat=len(wires.second))
        for cells in _arrangements(wires.first)
    }


def _size(partition: Partition) -> tuple[int, Partition]:
    """Sort partitions by the number of kinks."""
    return len(partition.axes), partition


def _partitions(
    wires: Wiring, constant: tuple[bool, ...], cells: list[Units]
) -> set[Partition]:
    """Return the partitions by up to ``KINKS`` units that read a single input."""
    single = [unit for unit, inputs in enumerate(wires.first) if len(inputs) == 1]
    found = set()
    for size in range(1, KINKS + 1):
        for units in combinations(single, size):
            parts = [
                _profile(wires, constant, _where(cells, units, on))
                for on in product((False, True), repeat=size)
            ]
            axes = tuple(min(wires.first[unit]) for unit in units)
            found.add(Partition(axes, tuple(parts)))
    return found


def _where(
    cells: list[Units], units: tuple[int, ...], on: tuple[bool, ...]
) -> list[Units]:
    """Return the cells where some units are on or off, as asked."""
    wanted = [*zip(units, on, strict=True)]
    return [cell for cell in cells if all((u in cell) == o for u, o in wanted)]


def thresholds(units: int) -> int:
    """Return how many zeros a scalar function with some hinges has on its pieces."""
    return units if units < 3 else units + 1


def _arrangements(first: list[Units]) -> Iterator[list[Units]]:
    """Yield possible sets of activation patterns of layer 1.

    Units that read the same single input have parallel kinks: along that input they
    switch one after the other.
    """
    axes = [[u for u, inputs in enumerate(first) if inputs == {a}] for a in (0, 1)]
    tilted = [u for u, inputs in enumerate(first) if len(inputs) > 1]
    free = [
        frozenset(c) for n in range(len(tilted) + 1) for c in combinations(tilted, n)
    ]
    for one, other in product(*(_chains(tuple(axis)) for axis in axes)):
        yield [a | b | c for a, b, c in product(one, other, free) if a | b | c]


@cache
def _chains(units: tuple[int, ...]) -> list[list[Units]]:
    """Return the sets of patterns that units with parallel kinks can have."""
    found = set()
    for order in permutations(units):
        for on in product((False, True), repeat=len(units)):
            pattern = frozenset(u for u, o in zip(units, on, strict=True) if o)
            seen = [pattern]
            for unit in order:
                pattern = pattern ^ {unit}
                seen.append(pattern)
            found.add(frozenset(seen))
    return [sorted(patterns, key=sorted) for patterns in found]


def _profile(wires: Wiring, constant: tuple[bool, ...], cells: list[Units]) -> Profile:
    """Return the families of networks with given patterns of layer 1.

    Args:
        wires: The mask.
        constant: Which units of layer 2 are active where all their inputs are off.
        cells: The patterns of layer 1 that occur.
    """
    scalar: dict[tuple[Units, Units, Units], tuple[Direction, int]] = {}
    pieces: set[Piece] = set()
    for cell in cells:
        still = frozenset(
            j
            for j, reads in enumerate(wires.second)
            if constant[j] and not reads & cell
        )
        groups = _groups(wires, cell)
        for name, units in groups.items():
            on = cell & frozenset(chain(*(wires.second[j] for j in units)))
            scalar[units, still, on] = name, _scalar(wires, units)
        pieces |= _pieces(wires, cell, still, set(groups.values()))
    lines: dict[Direction, int] = {}
    found = chain(scalar.values(), *(_lines(wires, *piece) for piece in pieces))
    for name, count in found:
        lines[name] = lines.get(name, 0) + count
    return _sorted(lines)


def _sorted(lines: dict[Direction, int]) -> Profile:
    """Return families from lines by the name of their direction."""
    found = []
    for name, count in lines.items():
        if count:
            axis = name[1] if name[0] == "axis" else ANY
            found.append((axis, count))
    return tuple(sorted(found))


Piece = tuple[Units, Units, Units]
"""Active units of layer 2, those that are not constant, and active units of layer 1
that reach the former."""


def _groups(wires: Wiring, cell: Units) -> dict[Direction, Units]:
    """Return the units of layer 2 that are functions of one scalar in a cell.

    They are grouped by the direction of the lines on which they are constant.
    """
    groups: dict[Direction, Units] = {}
    for unit, reads in enumerate(wires.second):
        name = _axis(wires, reads & cell)
        if name is not None:
            groups[name] = groups.get(name, frozenset()) | {unit}
    return groups


def _pieces(wires: Wiring, cell: Units, still: Units, groups: set[Units]) -> set[Piece]:
    """Return what tells the functions of the last two layers apart in a cell.

    Those that depend on one group only are left out.
    """
    reached = [j for j, reads in enumerate(wires.second) if reads & cell]
    found = set()
    for size in range(1, len(reached) + 1):
        for chosen in combinations(reached, size):
            moving = frozenset(chosen)
            active = moving | still
            seen = frozenset(chain(*(wires.second[j] for j in active)))
            if not any(moving <= group for group in groups):
                found.add((active, moving, cell & seen))
    return found


def _lines(
    wires: Wiring, active: Units, moving: Units, on: Units
) -> list[tuple[Direction, int]]:
    """Return the lines of one function of the last two layers, by direction."""
    reads = [inputs & moving for inputs in wires.third if inputs & moving]
    found: list[tuple[Direction, int]] = []
    for unit in moving:
        # Where only units of layer 3 that read it alone are not constant
        alone = reads.count(frozenset({unit}))
        found.append((_direction(wires, unit, on), thresholds(alone)))
    for size in range(1, len(reads) + 1):
        for used in combinations(range(len(reads)), size):
            if len(frozenset(chain(*(reads[k] for k in used)))) > 1:
                found.append((("line", active, on, used), 1))
    return found


def _axis(wires: Wiring, on: Units) -> Direction | None:
    """Return the direction of all lines of a cell, if they have only one."""
    inputs = {wires.first[unit] for unit in on}
    if len(inputs) == 1 and len(read := next(iter(inputs))) == 1:
        return "axis", min(read)
    return ("unit", min(on)) if len(on) == 1 else None


def _direction(wires: Wiring, unit: int, on: Units) -> Direction:
    """Return the direction of a unit of layer 2."""
    own = wires.second[unit] & on
    return _axis(wires, own) or ("sum", unit, own)


def _scalar(wires: Wiring, units: Units) -> int:
    """Return the most lines where only units that share a scalar are not constant.

    Along the scalar at most len(units) + 1 sets of them are active in turn.
    """
    readers = [reads & units for reads in wires.third if reads & units]
    if len(readers) == 1:
        return thresholds(len(units))
    each = [
        thresholds(sum(bool(reads & frozenset(active)) for reads in readers))
        for size in range(1, len(units) + 1)
        for active in combinations(sorted(units), size)
    ]
    return sum(sorted(each)[-len(units) - 1 :])
