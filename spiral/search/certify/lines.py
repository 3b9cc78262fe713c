"""Find weights on pairs of points by linear programming with cutting planes.

What is found here is in floating point and proves nothing; ``exact`` does.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from spiral.search.certify import kernel
from spiral.search.certify.runs import BITS, Coupling, Group, couple, integer
from spiral.tasks import cubist

LENGTH = 12
"""Directions that the cutting planes try are 2^LENGTH long."""

CELLS = 11
"""A line is searched in cells of 2^-CELLS."""

TOLERANCE = 2e-3
"""A line may cross more than its capacity by this when the search stops."""

LOOSE = 0.15
"""Cuts with more slack are dropped, or the program grows without end."""

MOST = 400
"""Most cuts to add in a round."""


class Problem(NamedTuple):
    """Points, labels aside, and the groups that may get weight."""

    x: Int[np.ndarray, "D 2"]
    groups: list[Group]
    run: int
    coupling: Coupling


def spiral_groups(
    curves: Sequence[Float[np.ndarray, "V 2"]], turn: int, points: int
) -> list[Group]:
    """Return groups between adjacent arms of a Cubist Spiral, side by side.

    Each side of a polygon faces the same side of the other class, and the side one turn
    further in.

    Args:
        curves: Corners of the polygon of each class.
        turn: Sides of a turn.
        points: Points of a group on the outer turn, about.
    """
    arms, offset = [], 0
    for corners in curves:
        arms.append(_sides(corners, offset))
        offset = arms[-1][-1][1]
    found = []
    for outer, (start, stop) in enumerate(arms[0]):
        first, last = arms[0][outer % turn :: turn][-1]
        parts = max(2, round((last - first) / points))
        for inner in (outer, outer + turn):
            if inner < len(arms[1]):
                ends = [_cut(*side, parts) for side in ((start, stop), arms[1][inner])]
                found += [(*a, *b) for a, b in zip(*ends, strict=True)]
    return found


def _sides(corners: np.ndarray, offset: int) -> list[tuple[int, int]]:
    """Return the range of points of each side of a polygon, given its first point."""
    counts = [side.points for side in cubist.segments(corners)]
    stops = np.cumsum(counts) + offset
    return [(int(s) - n, int(s)) for s, n in zip(stops, counts, strict=True)]


def _cut(start: int, stop: int, parts: int) -> list[tuple[int, int]]:
    """Cut a range into nearly equal parts."""
    ends = [start + (stop - start) * i // parts for i in range(parts + 1)]
    return [*pairwise(ends)]


def problem(x: Float[np.ndarray, "D 2"], groups: list[Group], run: int) -> Problem:
    """Return the problem of given points and groups."""
    return Problem(integer(x), groups, run, couple(groups, run))


class Program:
    """The linear program: weights of which no line crosses more than 1.

    Variables: the weight of each group, and the largest load of a point. Maximise
    Σ weights − errors · load.
    """

    def __init__(self, of: Problem, errors: int) -> None:
        self.of, self.errors = of, errors
        self.shares = of.coupling.shares()
        self.loads = self._loads()
        self.cuts: list[Float[np.ndarray, " G"]] = []

    def solve(self, rounds: int, angles: int) -> Float[np.ndarray, " G"]:
        """Return weights of groups.

        Each round adds lines that cross more than 1 in the solution of the last.

        Args:
            rounds: The search stops after so many, or earlier if it finds no such line.
            angles: Directions to try in each.
        """
        rng = np.random.default_rng(0)  # turns the directions: any angle will do
        for _ in range(rounds):
            weights, slack = self._optimum()
            found = self._violated(weights, angles, rng.random())
            if not found:
                break
            kept = [c for c, s in zip(self.cuts, slack, strict=True) if s < LOOSE]
            self.cuts = kept + found
        return weights

    def _optimum(self) -> tuple[np.ndarray, np.ndarray]:
        """Solve the program with the cuts so far; return weights, and slack of cuts."""
        from scipy import sparse
        from scipy.optimize import linprog

        size = len(self.of.groups)
        crossed = np.array(self.cuts).reshape(-1, size)
        rows = sparse.csr_matrix(
            np.vstack([np.pad(crossed, ((0, 0), (0, 1))), self.loads])
        )
        limits = np.repeat([1.0, 0.0], [len(crossed), len(self.loads)])
        # No group alone gets more than a line may cross, which bounds the first rounds
        bounds = [(0, 1)] * size + [(0, None)]
        cost = np.append(-np.ones(size), self.errors)
        found = linprog(cost, rows, limits, bounds=bounds, method="highs")
        return found.x[:size], found.slack[: len(crossed)]

    def _loads(self) -> Float[np.ndarray, "rows G+1"]:
        """Return rows that say: no point has more than the largest load.

        Groups share a range of points wholly or not at all.
        """
        ranges: dict[tuple[int, int], list[int]] = {}
        for index, (a0, a1, b0, b1) in enumerate(self.of.groups):
            ranges.setdefault((a0, a1), []).append(index)
            ranges.setdefault((b0, b1), []).append(index)
        rows = np.zeros((len(ranges), len(self.of.groups) + 1))
        for row, ((start, stop), members) in zip(rows, ranges.items(), strict=True):
            row[members] = 1 / (stop - start)
            row[-1] = -1
        return rows

    def _violated(
        self, weights: np.ndarray, angles: int, turn: float
    ) -> list[Float[np.ndarray, " G"]]:
        """Return what lines cross that cross too much: the worst of near directions."""
        each = weights[self.of.coupling.group] * self.shares
        theta = (np.arange(angles) + turn) * np.pi / angles
        ways = np.stack([np.cos(theta), np.sin(theta)], axis=1) * 2**LENGTH
        found = [self._worst(way, each) for way in ways.round().astype(np.int64)]
        excess = np.array([most for most, _, _ in found]) - 1
        peaks = (excess > TOLERANCE) & (excess >= np.roll(excess, 1))
        peaks &= excess >= np.roll(excess, -1)
        worst = sorted(np.flatnonzero(peaks), key=lambda k: -excess[k])[:MOST]
        return [self._crossed(*found[k][1:], each) for k in worst]

    def _worst(
        self, way: np.ndarray, each: np.ndarray
    ) -> tuple[float, np.ndarray, int]:
        """Return the most weight that lines of a direction cross, and where."""
        runs, pairs = self.of.coupling.runs, self.of.coupling.pairs
        cells = np.empty((2, len(runs)), np.int64)
        kernel.spans(self.of.x, runs, np.stack([way, way]), *cells)
        cells >>= BITS + LENGTH - CELLS
        cells -= cells[0].min()
        most, cell = kernel.stack(*cells, pairs, each)
        return most, cells, cell

    def _crossed(
        self, cells: np.ndarray, cell: int, each: np.ndarray
    ) -> Float[np.ndarray, " G"]:
        """Return the share of each group that a line in a cell crosses."""
        coupling, size = self.of.coupling, len(self.of.groups)
        hit = kernel.hits(*cells, coupling.pairs, each, cell)
        return np.bincount(coupling.group[hit], self.shares[hit], minlength=size)
