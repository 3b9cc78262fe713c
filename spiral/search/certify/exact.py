"""Exact certificates: integer weights, and how much of them lines cross at most."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from spiral.search.certify import kernel
from spiral.search.certify.lines import Problem
from spiral.search.certify.pieces import ANY, Profile
from spiral.search.certify.runs import BITS, Coupling, Group, couple

UNIT = 1 << 28
"""The integer that stands for weight 1 of the linear program."""

LINES, AXIS_LINES = 12, 40
"""Most parallel lines in any direction, and in the direction of an axis."""


class Grid(NamedTuple):
    """How finely directions and positions are cut, as powers of two.

    ``steps`` means directions (2^steps, i), so 4 · 2^steps of them in a half turn;
    ``cells`` means cells of width 2^-cells, where the longer coordinate of a direction
    is 1.
    """

    steps: int = 12
    cells: int = 13
    family_steps: int = 5
    family_cells: int = 6
    """For families of two lines and more."""
    axis_cells: int = 9
    """For families that are parallel to an axis."""
    half_steps: int = 7
    half_cells: int = 7
    """For lines on one side of a dividing line."""
    positions: int = 3
    """Positions of dividing lines are 2^-positions apart."""


class Certificate(NamedTuple):
    """Weights of pairs, and how much of them parallel lines cross at most."""

    groups: list[Group]
    weights: list[int]
    run: int
    grid: Grid
    capacity: list[int]
    """Of 1, 2, … parallel lines in any direction."""
    axis_capacity: tuple[list[int], list[int]]
    """Of 1, 2, … lines of constant first coordinate; of constant second."""
    total: int
    """The sum of the weights of all pairs."""
    load: tuple[int, int]
    """The largest load of a point, as numerator and denominator."""

    def needed(self, errors: int) -> int:
        """Return the weight that lines must cross, with some points wrong."""
        numerator, denominator = self.load
        return self.total - -(-errors * numerator // denominator)

    def crossed(self, profile: Profile) -> int:
        """Return how much weight families of parallel lines cross at most."""
        return sum(self._crossed(*family) for family in profile)

    def _crossed(self, direction: int, lines: int) -> int:
        known = self.capacity if direction == ANY else self.axis_capacity[direction]
        whole, rest = divmod(lines, len(known))
        return whole * known[-1] + (known[rest - 1] if rest else 0)

    def lines(self, errors: int) -> int:
        """Return how many lines are needed at least."""
        return -(-self.needed(errors) // self.capacity[0])


def neighbours(steps: int) -> Iterator[Int[np.ndarray, "2 2"]]:
    """Yield pairs of integer directions; between the two of a pair lies every line's.

    They go around half a square, from (n, 0) to (-n, 0), and need no sine.
    """
    n = 1 << steps
    up = [(n, i) for i in range(n)]
    across = [(i, n) for i in range(n, -n, -1)]
    down = [(-n, i) for i in range(n, -1, -1)]
    ways = np.array(up + across + down, np.int64)
    yield from np.stack([ways[:-1], ways[1:]], axis=1)


def certificate(
    of: Problem, weights: Float[np.ndarray, " G"], grid: Grid
) -> Certificate:
    """Round weights down and find what lines cross, in exact arithmetic.

    Args:
        of: The problem that was solved.
        weights: Of its groups.
        grid: How finely to look; finer is slower and proves more.
    """
    floor = np.floor(weights * UNIT).astype(np.int64)
    kept = [(g, int(w)) for g, w in zip(of.groups, floor, strict=True) if w > 0]
    groups, integers = [g for g, _ in kept], [w for _, w in kept]
    coupling = couple(groups, of.run)
    each = coupling.weights(np.array(integers, np.int64))
    return Certificate(
        groups,
        integers,
        of.run,
        grid,
        _capacity(of.x, coupling, each, grid),
        _axis_capacity(of.x, coupling, each, grid),
        int(each.sum()),
        _load(groups, integers),
    )


def _capacity(
    x: Int[np.ndarray, "D 2"], coupling: Coupling, each: np.ndarray, grid: Grid
) -> list[int]:
    """Return what 1, 2, … parallel lines cross at most, in any direction."""
    single = 0
    for ends in neighbours(grid.steps):
        cells = between(x, coupling, ends, BITS + grid.steps - grid.cells)
        single = max(single, int(kernel.stack(*cells, coupling.pairs, each)[0]))
    best = np.zeros(LINES, np.int64)
    for ends in neighbours(grid.family_steps):
        shift = BITS + grid.family_steps - grid.family_cells
        cells = between(x, coupling, ends, shift)
        found = kernel.family(*cells, coupling.pairs, each, LINES)
        best = np.maximum(best, found)
    return _least(single, best)


def _axis_capacity(
    x: Int[np.ndarray, "D 2"], coupling: Coupling, each: np.ndarray, grid: Grid
) -> tuple[list[int], list[int]]:
    """Return the same for lines parallel to an axis."""
    found = []
    for way in ((1, 0), (0, 1)):
        ends = np.array([way, way], np.int64)
        low, high = between(x, coupling, ends, BITS - grid.axis_cells)
        best = kernel.family(low, high, coupling.pairs, each, AXIS_LINES)
        found.append(_least(int(best[0]), best))
    return found[0], found[1]


def _least(single: int, best: np.ndarray) -> list[int]:
    """Return capacities, none above the sum of those of smaller families."""
    found = [single]
    for count in range(2, len(best) + 1):
        parts = [found[i] + found[count - 2 - i] for i in range(count - 1)]
        found.append(min(int(best[count - 1]), *parts))
    return found


def between(
    x: Int[np.ndarray, "D 2"], coupling: Coupling, ends: np.ndarray, shift: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and last cell of each run between two directions.

    A cell is 2^shift wide.
    """
    low, high = np.empty((2, len(coupling.runs)), np.int64)
    kernel.spans(x, coupling.runs, ends, low, high)
    low, high = low >> shift, high >> shift
    return low - low.min(), high - low.min()


def _load(groups: list[Group], weights: list[int]) -> tuple[int, int]:
    """Return the largest load of a point, as a fraction.

    Groups share a range of points wholly or not at all.
    """
    loads: dict[tuple[int, int], int] = {}
    for (a0, a1, b0, b1), weight in zip(groups, weights, strict=True):
        for ends in ((a0, a1), (b0, b1)):
            loads[ends] = loads.get(ends, 0) + weight
    largest = max(loads, key=lambda ends: Fraction(loads[ends], ends[1] - ends[0]))
    return loads[largest], largest[1] - largest[0]
