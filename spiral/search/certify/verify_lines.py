"""Re-check what lines cross of a certificate's pairs; shares no code with the prover.

Everything is counted in integers; weights are checked to be so small that
``np.bincount`` adds them exactly.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

BITS = 38
HALF_LINES = 12


class Runs(NamedTuple):
    """The runs of a certificate and their pairs."""

    starts: np.ndarray
    stops: np.ndarray
    one: np.ndarray
    other: np.ndarray
    weight: np.ndarray

    def reduced(self, by: np.ufunc, values: np.ndarray) -> np.ndarray:
        """Return the least or largest value of the points of each run."""
        ends = np.stack([self.starts, self.stops], axis=1).ravel()
        # reduceat needs a value at every end, also at that of the last point
        found: np.ndarray = by.reduceat(np.append(values, values[-1]), ends)[::2]
        return found

    def only(self, which: np.ndarray) -> "Runs":
        """Return the runs with some of their pairs."""
        return self._replace(
            one=self.one[which], other=self.other[which], weight=self.weight[which]
        )


GRID = {
    "steps",
    "cells",
    "family_steps",
    "family_cells",
    "axis_cells",
    "half_steps",
    "half_cells",
    "positions",
}
FINEST = 14
"""Projections on directions 2^14 long stay far below 2^63."""

WIDE = 16
"""Directions of an interval to begin with."""


def wrong(certificate: dict[str, Any], x: np.ndarray, y: np.ndarray) -> list[str]:
    """Return what is wrong with a certificate."""
    found = _malformed(certificate, y)
    if found:
        return found
    groups, points = certificate["groups"], integers(x)
    runs = _runs(groups, certificate["run"])
    if runs.weight.sum() < certificate["total"]:
        found.append(f"expected total ≤ {runs.weight.sum()}")
    if _load(groups) > Fraction(*certificate["load"]):
        found.append(f"expected load ≥ {_load(groups)}")
    return found + _crossing_more(certificate, points, runs)


def _malformed(certificate: dict[str, Any], y: np.ndarray) -> list[str]:
    """Return what makes a certificate unfit to be checked in integers."""
    grid = certificate["grid"]
    if grid.keys() != GRID or not all(g in range(FINEST + 1) for g in grid.values()):
        return [f"expected powers of two up to {FINEST}, got the grid {grid}"]
    for a0, a1, b0, b1, weight in certificate["groups"]:
        if not (0 <= a0 < a1 <= len(y) and 0 <= b0 < b1 <= len(y)):
            return [f"expected ranges of points, got {a0, a1, b0, b1}"]
        if y[a0:a1].any() or not y[b0:b1].all():
            return [f"expected points of class 0 and 1, got {a0, a1, b0, b1}"]
        if weight not in range(2**32):  # a million of them stay below 2^53
            return [f"expected a weight below 2^32, got {weight}"]
    return []


def _crossing_more(
    certificate: dict[str, Any], points: np.ndarray, runs: Runs
) -> list[str]:
    """Return which families cross more than their capacity."""
    grid, capacity = certificate["grid"], certificate["capacity"]
    single, found = _single(points, runs, grid, capacity[0]), []
    if single > capacity[0]:
        found.append(f"a line crosses {single}, more than {capacity[0]}")
    most = _families(points, runs, grid, len(capacity))
    most[0] = min(most[0], capacity[0])  # cells of families are coarse
    found += _above("lines", most.tolist(), capacity)
    for axis, known in enumerate(certificate["axis_capacity"]):
        spans = _spans(points, runs, np.eye(2, dtype=np.int64)[axis])
        most = _most(*_cells(*spans, BITS - grid["axis_cells"]), runs, len(known))
        found += _above(f"lines of axis {axis}", most.tolist(), known)
    return found


def integers(x: np.ndarray) -> np.ndarray:
    """Return coordinates in units of 2^-38.

    Raises:
        ValueError: A coordinate is no multiple of it.
    """
    points = np.rint(np.ldexp(x.astype(np.float64), BITS)).astype(np.int64)
    if not np.array_equal(np.ldexp(points.astype(np.float64), -BITS), x):
        raise ValueError(f"expected coordinates that are multiples of 2^-{BITS}")
    return points


def _above(name: str, most: list[int], known: list[int]) -> list[str]:
    """Return which families cross more than the record says.

    A family may also be bounded as two smaller ones.
    """
    bound: list[int] = []
    for value in most:
        parts = [a + b for a, b in zip(bound, bound[::-1], strict=True)]
        bound.append(min([value, *parts]))
    return [
        f"{count} {name} cross {value}, more than {limit}"
        for count, (value, limit) in enumerate(zip(bound, known, strict=True), 1)
        if value > limit
    ]


def _runs(groups: list[list[int]], size: int) -> Runs:
    """Return the runs of all groups, coupled in order."""
    index: dict[tuple[int, int], int] = {}
    rows = []
    for a0, a1, b0, b1, weight in groups:
        n, m = a1 - a0, b1 - b0
        i = j = done = 0
        while done < n * m:
            ends = min((i + 1) * size, n) * m, min((j + 1) * size, m) * n
            upto = min(ends)
            one = index.setdefault(_run(a0, a1, i, size), len(index))
            other = index.setdefault(_run(b0, b1, j, size), len(index))
            rows.append((one, other, weight * (upto - done) // (n * m)))
            i, j, done = i + (ends[0] == upto), j + (ends[1] == upto), upto
    one, other, each = np.array(rows, np.int64).T
    bounds = np.array(list(index), np.int64)
    order = np.lexsort(bounds.T[::-1])
    rank, (starts, stops) = order.argsort(), bounds[order].T
    return Runs(starts, stops, rank[one], rank[other], each)


def weights_of_pairs(certificate: dict[str, Any]) -> np.ndarray:
    """Return the weight of each pair of runs."""
    return _runs(certificate["groups"], certificate["run"]).weight


def _run(start: int, stop: int, number: int, size: int) -> tuple[int, int]:
    """Return a run of a range of points."""
    return start + number * size, min(start + (number + 1) * size, stop)


def _load(groups: list[list[int]]) -> Fraction:
    """Return the largest weight of a point, or more: ranges may overlap."""
    ends = sorted({e for g in groups for e in g[:4]})
    place = {end: k for k, end in enumerate(ends)}
    loads = [Fraction(0)] * len(ends)
    for a0, a1, b0, b1, weight in groups:
        for start, stop in ((a0, a1), (b0, b1)):
            for k in range(place[start], place[stop]):
                loads[k] += Fraction(weight, stop - start)
    return max(loads)


def _ways(steps: int) -> np.ndarray:
    """Return directions around half a square."""
    n = 2**steps
    side = np.arange(-n, n)
    right = np.stack([np.full(n, n), np.arange(n)], axis=1)
    top = np.stack([-side, np.full(2 * n, n)], axis=1)
    left = np.stack([np.full(n + 1, -n), np.arange(n, -1, -1)], axis=1)
    return np.concatenate([right, top, left])


def _spans(
    points: np.ndarray, runs: Runs, way: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and largest projection of each run."""
    places = points[:, 0] * way[0] + points[:, 1] * way[1]
    return runs.reduced(np.minimum, places), runs.reduced(np.maximum, places)


def _cells(
    low: np.ndarray, high: np.ndarray, shift: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and last cell of intervals; the lowest is cell 0."""
    low, high = low >> shift, high >> shift
    return low - low.min(), high - low.min()


def _sweep(
    points: np.ndarray, runs: Runs, steps: int, cells: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the cells of runs for all directions between two, half a turn in all."""
    every = (_spans(points, runs, way) for way in _ways(steps))
    for (low, high), (low_next, high_next) in pairwise(every):
        both = np.minimum(low, low_next), np.maximum(high, high_next)
        yield _cells(*both, BITS + steps - cells)


def _apart(
    low: np.ndarray, high: np.ndarray, runs: Runs
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield pairs that are a cell apart: which, their run on the left, on the right."""
    for left, right in ((runs.one, runs.other), (runs.other, runs.one)):
        apart = np.flatnonzero(high[left] < low[right])
        yield apart, left[apart], right[apart]


def _depths(
    low: np.ndarray, high: np.ndarray, runs: Runs, level: np.ndarray, levels: int
) -> np.ndarray:
    """Return the most weight that a line crosses of the pairs up to each level."""

    def table(
        level: np.ndarray, place: np.ndarray, weight: np.ndarray, size: int
    ) -> np.ndarray:
        flat: np.ndarray = np.bincount(level * size + place, weight, levels * size)
        return flat.reshape(levels, size).cumsum(axis=0)

    size, count = int(high.max()) + 2, len(low)
    begin = np.minimum(low[runs.one], low[runs.other])
    end = np.maximum(high[runs.one], high[runs.other]) + 1
    steps = table(level, begin, runs.weight, size)
    steps -= table(level, end, runs.weight, size)
    sides = np.zeros((2, levels, count))
    for which, left, right in _apart(low, high, runs):
        weight = runs.weight[which]
        sides[0] += table(level[which], right, weight, count)
        sides[1] += table(level[which], left, weight, count)
    # A line through a run crosses only the pairs on one side of each of its points
    less = sides.min(axis=0).ravel()
    row = np.repeat(np.arange(levels), count) * size
    for sign, place in ((-1, low), (1, high + 1)):
        flat = np.bincount(row + np.tile(place, levels), less, levels * size)
        steps += sign * flat.reshape(levels, size)
    most: np.ndarray = steps.cumsum(axis=1).max(axis=1).astype(np.int64)
    return most


def _single(points: np.ndarray, runs: Runs, grid: dict[str, int], capacity: int) -> int:
    """Return the most weight that a line crosses, or the capacity if that is more.

    Starts with wide intervals of directions and halves those where lines might cross
    more than the capacity; what holds for an interval holds for all lines within it.
    """
    ways, most = _ways(grid["steps"]), capacity
    shift = BITS + grid["steps"] - grid["cells"]
    every = np.zeros(len(runs.weight), np.int64)
    todo = [(k, min(k + WIDE, len(ways) - 1)) for k in range(0, len(ways) - 1, WIDE)]
    while todo:
        i, j = todo.pop()
        ends = [_spans(points, runs, ways[k]) for k in (i, j)]
        low, high = np.minimum(*(e[0] for e in ends)), np.maximum(*(e[1] for e in ends))
        depth = int(_depths(*_cells(low, high, shift), runs, every, 1)[0])
        if depth > capacity and j - i > 1:
            todo += [(i, (i + j) // 2), ((i + j) // 2, j)]
        else:
            most = max(most, depth)
    return most


def _families(
    points: np.ndarray, runs: Runs, grid: dict[str, int], count: int
) -> np.ndarray:
    """Return the most weight that 1, 2, … parallel lines cross."""
    best = np.zeros(count, np.int64)
    for ends in _sweep(points, runs, grid["family_steps"], grid["family_cells"]):
        best = np.maximum(best, _most(*ends, runs, count))
    return best


def _most(low: np.ndarray, high: np.ndarray, runs: Runs, count: int) -> np.ndarray:
    """Return the same for given cells: dynamic programming over the last line."""
    alone, more = _steps(low, high, runs)
    value, best = alone, [alone.max()]
    for _ in range(count - 1):
        value = (value[:, None] + more).max(axis=0)
        best.append(value.max())
    return np.array(best, np.int64)


def _steps(
    low: np.ndarray, high: np.ndarray, runs: Runs
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a line in cell c adds, alone and after a line in cell b ≤ c."""
    size = int(high.max()) + 1
    less, first, last = _sides(low, high, runs)
    begin = np.minimum(low[runs.one], low[runs.other])
    end = np.maximum(high[runs.one], high[runs.other])
    both = _table(begin, end, runs.weight, size)[:size, :size].cumsum(axis=0)
    both = both[:, ::-1].cumsum(axis=1)[:, ::-1]
    minus = _table(first, low, less, size) - _table(first, high + 1, less, size)
    minus = minus.cumsum(axis=1)[::-1].cumsum(axis=0)[::-1]
    plus = _table(low, last, less, size) - _table(high + 1, last, less, size)
    plus = plus.cumsum(axis=0)[:, ::-1].cumsum(axis=1)[:, ::-1]
    meets = both.diagonal()
    more = meets - both - minus[1:, :size] + plus[:size, :size]
    order = np.arange(size)
    more[order[:, None] > order] = -(2**60)  # the line before is not to the right
    return meets - minus[0, :size], more


def _sides(
    low: np.ndarray, high: np.ndarray, runs: Runs
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each run the lesser weight of both sides, and its partners' reach."""
    sides = np.zeros((2, len(low)), np.int64)
    first, last = low.copy(), high.copy()
    for which, left, right in _apart(low, high, runs):
        np.add.at(sides[0], right, runs.weight[which])
        np.add.at(sides[1], left, runs.weight[which])
        np.minimum.at(first, right, low[left])
        np.maximum.at(last, left, high[right])
    return sides.min(axis=0), first, last


def _table(
    rows: np.ndarray, columns: np.ndarray, weight: np.ndarray, size: int
) -> np.ndarray:
    """Return the weight by row and column, one more of each than there are cells."""
    flat = np.bincount(rows * (size + 1) + columns, weight, (size + 1) ** 2)
    return flat.astype(np.int64).reshape(size + 1, size + 1)


class Side(NamedTuple):
    """The pairs on one side of a dividing line, by the interval of its position."""

    reach: np.ndarray
    """Which pairs, [intervals, pairs]."""
    total: np.ndarray
    """Their weight."""
    single: np.ndarray
    """What a line crosses of them at most."""
    axis: np.ndarray
    """What lines parallel to an axis cross, [2, intervals, lines]."""


def sides(certificate: dict[str, Any], x: np.ndarray) -> list[list[Side]]:
    """Return by axis what lines cross below and above a dividing line."""
    points, grid = integers(x), certificate["grid"]
    runs = _runs(certificate["groups"], certificate["run"])
    found = []
    for axis in (0, 1):
        below, above, count = _levels(points, runs, axis, grid["positions"])
        singles = np.zeros((2, count), np.int64)
        for cells in _sweep(points, runs, grid["half_steps"], grid["half_cells"]):
            # Pairs above come in the opposite order
            now = [_depths(*cells, runs, b, count) for b in (below, count - 1 - above)]
            singles = np.maximum(singles, [now[0], now[1][::-1]])
        k = np.arange(count)[:, None]
        found.append(
            [
                _side(points, runs, grid["half_cells"], reach, single)
                for reach, single in zip((below <= k, above >= k), singles, strict=True)
            ]
        )
    return found


def _levels(
    points: np.ndarray, runs: Runs, axis: int, positions: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return from and up to which interval of the dividing line a pair may be crossed.

    A pair may be crossed below a line in interval k if its least coordinate is at most
    the end of k, and above if its largest is at least the start.
    """
    step = BITS - positions
    low = runs.reduced(np.minimum, points[:, axis])
    high = runs.reduced(np.maximum, points[:, axis])
    least = np.minimum(low[runs.one], low[runs.other])
    most = np.maximum(high[runs.one], high[runs.other])
    origin, end = least.min() >> step, most.max() >> step
    below = np.maximum((least - 1 >> step) - origin, 0)
    return below, (most >> step) - origin, int(end - origin) + 1


def _side(
    points: np.ndarray, runs: Runs, cells: int, reach: np.ndarray, single: np.ndarray
) -> Side:
    """Return one side of a dividing line."""
    axis = []
    for way in np.eye(2, dtype=np.int64):
        ends = _cells(*_spans(points, runs, way), BITS - cells)
        axis.append([_most(*ends, runs.only(which), HALF_LINES) for which in reach])
    return Side(reach, reach @ runs.weight, single, np.array(axis))
