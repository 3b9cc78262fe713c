"""Batches of a pack, laid out on a device piece by piece."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from spiral.engines.devices import upload
from spiral.protocol.job import TrainJob

GATHER = {"cpu": 2**20, "cuda": 2**24}
"""Most points of a piece, or numbers beside them, as learning rates (12 and 200 MB of
batches). On a GPU that is a whole segment of most packs, whose steps then never wait
for the host."""


class Piece(NamedTuple):
    """The batches of some steps; networks of one order seed share theirs."""

    first: int
    last: int
    x: Tensor  # [S, K, 2, B]
    y: Tensor  # [S, K, B]


def pieces(
    job: TrainJob, start: int, stop: int, device: str, beside: int, block: int = 1
) -> Iterator[Piece]:
    """Yield the batches of the steps from ``start`` to ``stop``.

    Args:
        job: The pack.
        start: The first step.
        stop: The step after the last.
        device: Where to lay them out.
        beside: How many numbers a step reads beside its batch.
        block: Pieces end at multiples of it, and hold so many steps at least.
    """
    axes = [upload(axis, device) for axis in job.x.T.copy()]
    labels = upload(job.y.astype(np.float32), device)
    seeds, _ = job.followers()
    size = GATHER[device] // max(len(seeds) * job.batch, beside)
    size, first = max(block, size - size % block), start
    while first < stop:
        last = min(first - first % block + size, stop)
        points = upload(indices(job, seeds, first, last), device).long()
        x = torch.stack([axis.take(points) for axis in axes], 2)
        yield Piece(first, last, x, labels.take(points))
        first = last


def indices(
    job: TrainJob, seeds: list[int], first: int, last: int
) -> Int[np.ndarray, "S K B"]:
    """Return the points of the batches of some steps, for each order seed."""
    parts = []
    while first < last:
        epoch, begin = divmod(first, job.steps_per_epoch)
        end = min(begin + last - first, job.steps_per_epoch)
        parts.append(job.orders(seeds, epoch, begin, end))
        first += end - begin
    return np.concatenate(parts, axis=1).transpose(1, 0, 2).copy()
