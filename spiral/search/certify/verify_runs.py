"""The pairs of a certificate and their projections; shares no code with the prover."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

BITS = 41
"""Coordinates are multiples of 2^-41."""

CERTIFICATE = {
    "groups",
    "run",
    "grid",
    "capacity",
    "axis_capacity",
    "total",
    "load",
}
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


def malformed(certificate: dict[str, Any], y: np.ndarray) -> list[str]:
    """Return what makes a certificate unfit to be checked in integers."""
    if certificate.keys() != CERTIFICATE:
        return [f"expected the keys {', '.join(sorted(CERTIFICATE))}"]
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


def integers(x: np.ndarray) -> np.ndarray:
    """Return coordinates in units of 2^-41.

    Raises:
        ValueError: A coordinate is no multiple of it.
    """
    points = np.rint(np.ldexp(x.astype(np.float64), BITS)).astype(np.int64)
    if not np.array_equal(np.ldexp(points.astype(np.float64), -BITS), x):
        raise ValueError(f"expected coordinates that are multiples of 2^-{BITS}")
    return points


def runs_of(groups: list[list[int]], size: int) -> Runs:
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


def _run(start: int, stop: int, number: int, size: int) -> tuple[int, int]:
    """Return a run of a range of points."""
    return start + number * size, min(start + (number + 1) * size, stop)


def load(groups: list[list[int]]) -> Fraction:
    """Return the largest weight of a point, or more: ranges may overlap."""
    ends = sorted({e for g in groups for e in g[:4]})
    place = {end: k for k, end in enumerate(ends)}
    loads = [Fraction(0)] * len(ends)
    for a0, a1, b0, b1, weight in groups:
        for start, stop in ((a0, a1), (b0, b1)):
            for k in range(place[start], place[stop]):
                loads[k] += Fraction(weight, stop - start)
    return max(loads)


def directions(steps: int) -> np.ndarray:
    """Return directions around half a square."""
    n = 2**steps
    side = np.arange(-n, n)
    right = np.stack([np.full(n, n), np.arange(n)], axis=1)
    top = np.stack([-side, np.full(2 * n, n)], axis=1)
    left = np.stack([np.full(n + 1, -n), np.arange(n, -1, -1)], axis=1)
    return np.concatenate([right, top, left])


def spans(
    points: np.ndarray, runs: Runs, way: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and largest projection of each run."""
    places = points[:, 0] * way[0] + points[:, 1] * way[1]
    return runs.reduced(np.minimum, places), runs.reduced(np.maximum, places)


def cells_of(
    low: np.ndarray, high: np.ndarray, shift: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and last cell of intervals; the lowest is cell 0."""
    low, high = low >> shift, high >> shift
    return low - low.min(), high - low.min()


def sweep(
    points: np.ndarray, runs: Runs, steps: int, cells: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the cells of runs for all directions between two, half a turn in all."""
    every = (spans(points, runs, way) for way in directions(steps))
    for (low, high), (low_next, high_next) in pairwise(every):
        both = np.minimum(low, low_next), np.maximum(high, high_next)
        yield cells_of(*both, BITS + steps - cells)
