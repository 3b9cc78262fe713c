"""The pairs of points that carry weights: groups of neighbours, coupled run by run.

A *group* joins a range of points of class 0 with a range of points of class 1, both
consecutive in the data set, and has one weight. Each range is cut into *runs* of a few
points; the runs of both ranges are coupled in order, like two rulers laid side by side:
run i of the first range spans the share [start/n, stop/n] of it, and two runs are
coupled with the weight of the group times the overlap of their shares. Within two
coupled runs every point is paired with every other, equally. So each point of a range
carries the weight of the group divided by the points of the range.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

BITS = 41
"""Coordinates are multiples of 2^-41: float32 values of at least 3.9e-6, which the
spirals of 1 to 3 turns have."""

Group = tuple[int, int, int, int]
"""First point of class 0, the one after the last, and the same for class 1."""


class Coupling(NamedTuple):
    """Runs of points, and the pairs of runs that carry weight."""

    runs: Int[np.ndarray, "R 2"]
    """First point of each run, and the one after the last."""
    pairs: Int[np.ndarray, "K 2"]
    """The two runs of each pair: class 0, class 1."""
    group: Int[np.ndarray, " K"]
    overlap: Int[np.ndarray, " K"]
    """Overlap of both shares, in units of ``unit``."""
    unit: Int[np.ndarray, " K"]
    """The product of the points of both ranges of the group."""

    def weights(self, of_groups: Int[np.ndarray, " G"]) -> Int[np.ndarray, " K"]:
        """Return integer weights of pairs of runs, rounded down."""
        return of_groups[self.group] * self.overlap // self.unit

    def shares(self) -> Float[np.ndarray, " K"]:
        """Return the part of its group's weight that each pair of runs carries."""
        shares: Float[np.ndarray, " K"] = self.overlap / self.unit
        return shares


def couple(groups: list[Group], run: int) -> Coupling:
    """Cut the ranges of groups into runs and couple them.

    Args:
        groups: Ranges of points.
        run: Points of a run; the last of a range may have fewer.
    """
    number: dict[tuple[int, int], int] = {}
    found = []
    for index, (a0, a1, b0, b1) in enumerate(groups):
        for start, stop, overlap in _ruler(a1 - a0, b1 - b0, run):
            ends = (
                (a0 + start, min(a0 + start + run, a1)),
                (b0 + stop, min(b0 + stop + run, b1)),
            )
            one, other = (number.setdefault(end, len(number)) for end in ends)
            found.append((one, other, index, overlap, (a1 - a0) * (b1 - b0)))
    table = np.array(found, np.int64)
    return Coupling(
        np.array([*number], np.int64),
        table[:, :2],
        table[:, 2],
        table[:, 3],
        table[:, 4],
    )


def _ruler(n: int, m: int, run: int) -> list[tuple[int, int, int]]:
    """Return start of the run of n points, of the run of m points, and their overlap.

    Both rulers have n·m marks; a point of the first takes m of them.
    """
    marks = {min(i, n) * m for i in range(0, n + run, run)}
    marks |= {min(j, m) * n for j in range(0, m + run, run)}
    cuts = sorted(marks)
    return [
        (low // m // run * run, low // n // run * run, high - low)
        for low, high in pairwise(cuts)
    ]


def integer(x: Float[np.ndarray, "D 2"]) -> Int[np.ndarray, "D 2"]:
    """Return coordinates as exact integers, in units of 2^-BITS.

    Raises:
        ValueError: A coordinate is no multiple of the unit, or is 4 or larger.
    """
    scaled = x.astype(np.float64) * 2.0**BITS  # a power of two: exact
    if (scaled % 1 != 0).any() or (np.abs(x) >= 4).any():
        raise ValueError(f"expected multiples of 2^-{BITS} below 4; scale the points")
    return scaled.astype(np.int64)
