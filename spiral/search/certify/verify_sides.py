"""Re-check what lines cross on one side of a dividing line parallel to an axis.

Shares no code with the prover.
"""

from typing import Any, NamedTuple

import numpy as np

from spiral.search.certify.verify_lines import depths, most_of_families
from spiral.search.certify.verify_runs import (
    BITS,
    Runs,
    cells_of,
    integers,
    runs_of,
    spans,
    sweep,
)

HALF_LINES = 12
"""Most parallel lines on one side; more are bounded as all of its weight."""


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
    runs = runs_of(certificate["groups"], certificate["run"])
    found = []
    for axis in (0, 1):
        below, above, count = _levels(points, runs, axis, grid["positions"])
        singles = np.zeros((2, count), np.int64)
        for cells in sweep(points, runs, grid["half_steps"], grid["half_cells"]):
            # Pairs above come in the opposite order
            now = [depths(*cells, runs, b, count) for b in (below, count - 1 - above)]
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
        ends = cells_of(*spans(points, runs, way), BITS - cells)
        axis.append(
            [most_of_families(*ends, runs.only(which), HALF_LINES) for which in reach]
        )
    return Side(reach, reach @ runs.weight, single, np.array(axis))
