"""Batch orders: in which order the points of an epoch are trained on."""

from collections.abc import Callable
from functools import cache, lru_cache

import numpy as np
from jaxtyping import Int

from spiral.model import seeds

AHEAD = 10_000_000
"""Entries of epoch orders cached for the next batches (40 MB)."""

KEPT = 25_000_000
"""Entries of epoch orders that are kept (100 MB): of ``cubist`` 500 epochs, those of
ten seeds."""


def epoch_order(seed: int, epoch: int, points: int) -> Int[np.ndarray, " D"]:
    """Return the order of the points in one epoch of one seed (int32).

    It follows from the number of points, whatever the task: a file with the points of
    another task trains on the same batches.
    """
    return _of_task(points)(seed, epoch)


@cache
def _of_task(points: int) -> Callable[[int, int], Int[np.ndarray, " D"]]:
    """Return a function from seed and epoch to an order of so many points.

    The more points, the fewer orders it keeps.
    """

    @lru_cache(maxsize=max(1, KEPT // points))
    def order(seed: int, epoch: int) -> Int[np.ndarray, " D"]:
        # NumPy shuffles 8-byte integers a quarter faster than 4-byte ones
        drawn = seeds.stream("order", seed, epoch).permutation(points)
        found = drawn.astype(np.int32)
        found.flags.writeable = False
        return found

    return order


@lru_cache(maxsize=1)
def ahead(
    some: tuple[int, ...], epoch: int, points: int, span: tuple[int, int]
) -> Int[np.ndarray, "K S"]:
    """Return part of an epoch for many seeds, more than ``epoch_order`` keeps."""
    return np.stack([epoch_order(seed, epoch, points)[slice(*span)] for seed in some])


def forget() -> None:
    """Drop the orders that are kept."""
    _of_task.cache_clear()
    ahead.cache_clear()
