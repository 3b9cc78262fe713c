"""Re-check what lines cross of a certificate's pairs; shares no code with the prover.

Everything is counted in integers; weights are so small that ``np.bincount`` adds them
exactly.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from spiral.search.certify.verify_runs import (
    BITS,
    Runs,
    cells_of,
    directions,
    integers,
    load,
    malformed,
    runs_of,
    spans,
    sweep,
)

WIDE = 16
"""Directions of an interval to begin with."""


def wrong(certificate: dict[str, Any], x: np.ndarray, y: np.ndarray) -> list[str]:
    """Return what is wrong with a certificate."""
    found = malformed(certificate, y)
    if found:
        return found
    groups, points = certificate["groups"], integers(x)
    runs = runs_of(groups, certificate["run"])
    if runs.weight.sum() < certificate["total"]:
        found.append(f"expected total ≤ {runs.weight.sum()}")
    if load(groups) > Fraction(*certificate["load"]):
        found.append(f"expected load ≥ {load(groups)}")
    return found + _crossing_more(certificate, points, runs)


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
        ends = spans(points, runs, np.eye(2, dtype=np.int64)[axis])
        cells = cells_of(*ends, BITS - grid["axis_cells"])
        most = most_of_families(*cells, runs, len(known))
        found += _above(f"lines of axis {axis}", most.tolist(), known)
    return found


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


def _apart(
    low: np.ndarray, high: np.ndarray, runs: Runs
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield pairs that are a cell apart: which, their run on the left, on the right."""
    for left, right in ((runs.one, runs.other), (runs.other, runs.one)):
        apart = np.flatnonzero(high[left] < low[right])
        yield apart, left[apart], right[apart]


def depths(
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
    ways, most = directions(grid["steps"]), capacity
    shift = BITS + grid["steps"] - grid["cells"]
    every = np.zeros(len(runs.weight), np.int64)
    todo = [(k, min(k + WIDE, len(ways) - 1)) for k in range(0, len(ways) - 1, WIDE)]
    while todo:
        i, j = todo.pop()
        ends = [spans(points, runs, ways[k]) for k in (i, j)]
        low, high = np.minimum(*(e[0] for e in ends)), np.maximum(*(e[1] for e in ends))
        depth = int(depths(*cells_of(low, high, shift), runs, every, 1)[0])
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
    for ends in sweep(points, runs, grid["family_steps"], grid["family_cells"]):
        best = np.maximum(best, most_of_families(*ends, runs, count))
    return best


def most_of_families(
    low: np.ndarray, high: np.ndarray, runs: Runs, count: int
) -> np.ndarray:
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
