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
AXIS_CELLS = 9
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


def wrong(certificate: dict[str, Any], x: np.ndarray, y: np.ndarray) -> list[str]:
    """Return what is wrong with a certificate."""
    groups = certificate["groups"]
    for a0, a1, b0, b1, weight in groups:
        if not (0 <= a0 < a1 <= len(y) and 0 <= b0 < b1 <= len(y) and weight >= 0):
            return [f"expected ranges of points and a weight, got {a0, a1, b0, b1}"]
        if y[a0:a1].any() or not y[b0:b1].all():
            return [f"expected points of class 0 and 1, got {a0, a1, b0, b1}"]
    points, runs, found = integers(x), _runs(groups, certificate["run"]), []
    if runs.weight.sum() >= 2**53:
        return ["expected weights that float64 adds exactly"]
    if int(runs.weight.sum()) < certificate["total"]:
        found.append(f"expected total ≤ {runs.weight.sum()}")
    if _load(groups) > Fraction(*certificate["load"]):
        found.append(f"expected load ≥ {_load(groups)}")
    grid, capacity = certificate["grid"], certificate["capacity"]
    single = _single(points, runs, grid["steps"], grid["cells"])
    if single > capacity[0]:
        found.append(f"a line crosses {single}, more than {capacity[0]}")
    most = _families(points, runs, grid, len(capacity))
    found += _above("lines", most, capacity)
    for axis, known in enumerate(certificate["axis_capacity"]):
        way = np.eye(2, dtype=np.int64)[[axis, axis]]
        low, high = _cells(points, runs, way, BITS - AXIS_CELLS)
        found += _above(
            f"lines of axis {axis}", _most(low, high, runs, len(known)), known
        )
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


def _above(name: str, most: np.ndarray, known: list[int]) -> list[str]:
    """Return which families cross more than the record says.

    A family may also be bounded as two smaller ones.
    """
    bound: list[int] = []
    for count, value in enumerate(most.tolist(), 1):
        if count == 1:
            bound.append(min(value, known[0]) if name == "lines" else value)
        else:
            split = min(bound[i] + bound[count - 2 - i] for i in range(count - 1))
            bound.append(min(value, split))
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
    table = np.array(rows, np.int64).T
    bounds = np.array(list(index), np.int64).T
    return Runs(*bounds, *table)


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


def _cells(
    points: np.ndarray, runs: Runs, ways: np.ndarray, shift: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and last cell of runs, in all directions between two."""
    places = points @ ways.T
    low = runs.reduced(np.minimum, places.min(axis=1)) >> shift
    high = runs.reduced(np.maximum, places.max(axis=1)) >> shift
    return low - low.min(), high - low.min()


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


def _single(points: np.ndarray, runs: Runs, steps: int, cells: int) -> int:
    """Return the most weight that a line crosses."""
    every = np.zeros(len(runs.weight), np.int64)
    return max(
        int(
            _depths(
                *_cells(points, runs, np.array(ways), BITS + steps - cells),
                runs,
                every,
                1,
            )[0]
        )
        for ways in pairwise(_ways(steps))
    )


def _families(
    points: np.ndarray, runs: Runs, grid: dict[str, int], count: int
) -> np.ndarray:
    """Return the most weight that 1, 2, … parallel lines cross."""
    steps, cells = grid["family_steps"], grid["family_cells"]
    best = np.zeros(count, np.int64)
    for ways in pairwise(_ways(steps)):
        low, high = _cells(points, runs, np.array(ways), BITS + steps - cells)
        best = np.maximum(best, _most(low, high, runs, count))
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


class Half(NamedTuple):
    """The weight of some pairs, and what a line and lines parallel to axes cross."""

    total: int
    single: int
    axis: list[list[int]]


def halves(certificate: dict[str, Any], x: np.ndarray) -> list[list[list[Half]]]:
    """Return by axis and interval of a dividing line what lines cross on each side."""
    points, grid = integers(x), certificate["grid"]
    runs = _runs(certificate["groups"], certificate["run"])
    found = []
    for axis in (0, 1):
        below, above, count = _levels(points, runs, axis, grid["positions"])
        singles = np.zeros((2, count), np.int64)
        for ways in pairwise(_ways(grid["half_steps"])):
            shift = BITS + grid["half_steps"] - grid["half_cells"]
            cells = _cells(points, runs, np.array(ways), shift)
            # Pairs above come in the opposite order
            now = [_depths(*cells, runs, b, count) for b in (below, count - 1 - above)]
            singles = np.maximum(singles, [now[0], now[1][::-1]])
        found.append(
            [
                [
                    _half(points, runs, grid, below <= k, singles[0, k]),
                    _half(points, runs, grid, above >= k, singles[1, k]),
                ]
                for k in range(count)
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


def _half(
    points: np.ndarray, runs: Runs, grid: dict[str, int], which: np.ndarray, single: int
) -> Half:
    """Return what lines cross of some pairs."""
    part = runs._replace(
        one=runs.one[which], other=runs.other[which], weight=runs.weight[which]
    )
    axis = []
    for way in np.eye(2, dtype=np.int64):
        shift = BITS - grid["half_cells"]
        low, high = _cells(points, runs, np.stack([way, way]), shift)
        axis.append(_most(low, high, part, HALF_LINES).tolist())
    return Half(int(part.weight.sum()), int(single), axis)
