"""Find weights on pairs of points by linear programming with cutting planes."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from spiral.search.certify import kernel
from spiral.search.certify.runs import BITS, Coupling, Group, couple, integer
from spiral.tasks import cubist

Kind = tuple[int, int]
"""A family of parallel lines: its direction and the number of lines."""

ANY, ACROSS_X, ACROSS_Y = -1, 0, 1
"""Directions: any; lines of constant first coordinate; of constant second."""

RUN = 5
"""Points of a run: a run is shorter than 1 % of the gap between the classes."""

DRAWN = 1 << 12
"""Length of the directions that the cutting planes try."""

FINE, COARSE = 11, 6
"""Cells of 2^-FINE for single lines and 2^-COARSE for families, in the search."""

TOLERANCE = 2e-3
"""A line may exceed its capacity by this share when the search stops."""


class Problem(NamedTuple):
    """Points, labels aside, and the groups that may get weight."""

    x: Int[np.ndarray, "D 2"]
    groups: list[Group]
    run: int
    coupling: Coupling


class Solution(NamedTuple):
    """Weights of groups."""

    weights: Float[np.ndarray, " G"]
    value: float
    """Weight that survives the errors, over the weight that the profile crosses."""
    scale: float
    """The largest capacity."""


class Cut(NamedTuple):
    """What a family of lines crosses of each group."""

    kind: Kind
    crossed: Float[np.ndarray, " G"]


def spiral_groups(points: int) -> list[Group]:
    """Return groups between adjacent arms of the Cubist Spiral, side by side.

    Each side of a polygon faces the same side of the other class, and the side one turn
    further in.

    Args:
        points: Points of a group on the outer turn, about.
    """
    turn = (cubist.VERTICES - 1) // 2
    arms = [_sides(corners, label) for label, corners in enumerate(cubist.vertices())]
    found = []
    for outer, (start, stop) in enumerate(arms[0]):
        parts = max(
            2,
            round(
                (arms[0][outer % turn + turn][1] - arms[0][outer % turn + turn][0])
                / points
            ),
        )
        for inner in (outer, outer + turn):
            if inner < len(arms[1]):
                ends = [_cut(*side, parts) for side in ((start, stop), arms[1][inner])]
                found += [(*a, *b) for a, b in zip(*ends, strict=True)]
    return found


def _sides(corners: np.ndarray, label: int) -> list[tuple[int, int]]:
    """Return the range of points of each side of a polygon."""
    counts = [side.points for side in cubist.segments(corners)]
    stops = np.cumsum(counts) + label * (cubist.POINTS // 2)
    return [(int(s) - n, int(s)) for s, n in zip(stops, counts, strict=True)]


def _cut(start: int, stop: int, parts: int) -> list[tuple[int, int]]:
    """Cut a range into nearly equal parts."""
    ends = [start + (stop - start) * i // parts for i in range(parts + 1)]
    return [*pairwise(ends)]


def problem(x: Float[np.ndarray, "D 2"], groups: list[Group], run: int) -> Problem:
    """Return the problem of given points and groups."""
    return Problem(integer(x), groups, run, couple(groups, run))


class Program:
    """The linear program: maximise what survives per weight that lines cross.

    Variables: the weight of each group, the largest load of a point, and the capacity
    of each kind of family. Maximise Σ weights − errors · load, where the capacities
    that the profile asks for add up to 1.
    """

    def __init__(self, of: Problem, profile: Mapping[Kind, int], errors: int) -> None:
        self.of, self.profile, self.errors = of, dict(profile), errors
        self.kinds = sorted(self.profile)
        self.cuts: list[Cut] = []
        self.shares = of.coupling.shares()

    def solve(self, rounds: int, angles: int, seed: int = 0) -> Solution:
        """Add the lines that cross too much until few do, or rounds are over."""
        rng = np.random.default_rng(seed)
        for _ in range(rounds):
            weights, capacity, slack, value = self._optimum()
            found = self._violated(weights, capacity, angles, rng)
            worst = max((excess for excess, _ in found), default=0.0)
            if worst < TOLERANCE:
                break
            # Loose cuts go, or the program grows without end
            self.cuts = [c for c, s in zip(self.cuts, slack, strict=True) if s < 0.15]
            found.sort(key=lambda pair: -pair[0])
            self.cuts += [cut for _, cut in found[:400]]
        return Solution(weights, value / (1 + worst), max(capacity.values()))

    def _optimum(self) -> tuple[np.ndarray, dict[Kind, float], np.ndarray, float]:
        """Solve the program with the cuts so far."""
        from scipy import sparse
        from scipy.optimize import linprog

        size, kinds = len(self.of.groups), self.kinds
        crossed = np.array([c.crossed for c in self.cuts]).reshape(-1, size)
        capacity = np.zeros((len(self.cuts), 1 + len(kinds)))
        for row, cut in enumerate(self.cuts):
            capacity[row, 1 + kinds.index(cut.kind)] = -1
        loads, limits = self._loads()
        # Until lines are known, no group may have more weight than a line
        first = np.eye(size)
        least = np.zeros((size, 1 + len(kinds)))
        least[:, 1:] = -1.0 / len(kinds)
        rows = sparse.csr_matrix(
            np.block([[crossed, capacity], [loads, limits], [first * 1e-3, least]])
        )
        cost = np.concatenate([-np.ones(size), [self.errors], np.zeros(len(kinds))])
        once = np.zeros((1, len(cost)))
        once[0, size + 1 :] = [self.profile[kind] for kind in kinds]
        found = linprog(
            cost, rows, np.zeros(rows.shape[0]), once, [1.0], method="highs"
        )
        weights, values = found.x[:size], found.x[size + 1 :]
        scale = max(values.max(), 1e-12)
        slack = found.slack[: len(self.cuts)] / scale
        return weights, dict(zip(kinds, values, strict=True)), slack, -found.fun

    def _loads(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that hold the load of each range of points below the limit.

        Groups share a range of points wholly or not at all.
        """
        ranges: dict[tuple[int, int], list[int]] = {}
        for index, (a0, a1, b0, b1) in enumerate(self.of.groups):
            ranges.setdefault((a0, a1), []).append(index)
            ranges.setdefault((b0, b1), []).append(index)
        loads = np.zeros((len(ranges), len(self.of.groups)))
        limits = np.zeros((len(ranges), 1 + len(self.kinds)))
        for row, ((start, stop), members) in enumerate(ranges.items()):
            loads[row, members] = 1 / (stop - start)
            limits[row, 0] = -1
        return loads, limits

    def _violated(
        self,
        weights: np.ndarray,
        capacity: dict[Kind, float],
        angles: int,
        rng: np.random.Generator,
    ) -> list[tuple[float, Cut]]:
        """Return families that cross more than their capacity, and by what share."""
        each = weights[self.of.coupling.group] * self.shares
        live = np.flatnonzero(each > 0)
        theta = (np.arange(angles) + rng.random()) * np.pi / angles
        drawn = np.stack([np.cos(theta), np.sin(theta)], axis=1) * DRAWN
        found = []
        for direction in (ANY, ACROSS_X, ACROSS_Y):
            counts = sorted(t for d, t in self.kinds if d == direction)
            if not counts:
                continue
            ways = drawn.round().astype(np.int64)
            if direction != ANY:
                ways = np.array([[direction == 0, direction == 1]], np.int64) * DRAWN
            best = {t: self._best(ways, each, live, t) for t in counts}
            for t in counts:
                excess = best[t][0] / max(capacity[direction, t], 1e-9) - 1
                peaks = (excess > TOLERANCE / 4) & (excess >= np.roll(excess, 1))
                peaks &= excess >= np.roll(excess, -1)
                for k in np.flatnonzero(peaks):
                    crossed = self._crossed(ways[k], best[t][1][k], each, t)
                    found.append((float(excess[k]), Cut((direction, t), crossed)))
        return found

    def _best(
        self, ways: np.ndarray, each: np.ndarray, live: np.ndarray, count: int
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the most weight that families of each direction cross, and where."""
        pairs, weights = self.of.coupling.pairs[live], each[live]
        most, where = np.empty(len(ways)), []
        for k, way in enumerate(ways):
            low, high = self._cells(way, count)
            if count == 1:
                most[k], cell = kernel.stack(low, high, pairs, weights)
                where.append(np.array([cell]))
            else:
                best, rows = kernel.family(low, high, pairs, weights, count)
                most[k] = best[-1]
                where.append(rows[-1])
        return most, where

    def _cells(self, way: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the first and last cell of each run, in one direction."""
        runs = self.of.coupling.runs
        low, high = np.empty((2, len(runs)), np.int64)
        kernel.spans(self.of.x, runs, np.stack([way, way]), low, high)
        shift = BITS + 12 - (FINE if count == 1 else COARSE)
        low, high = low >> shift, high >> shift
        return low - low.min(), high - low.min()

    def _crossed(
        self, way: np.ndarray, cells: np.ndarray, each: np.ndarray, count: int
    ) -> np.ndarray:
        """Return the share of each group that lines in some cells cross."""
        coupling = self.of.coupling
        hit = kernel.hits(*self._cells(way, count), coupling.pairs, each, cells)
        size = len(self.of.groups)
        return np.bincount(coupling.group[hit], self.shares[hit], minlength=size)
