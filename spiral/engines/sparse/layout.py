"""Networks and points in the kernels' layout, and back.

Each parameter that runs has a slot, in the order in which kernels use them (``lists``);
points are copied into the order of batches and padded to whole lanes.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int

from spiral.engines.compiled import njit
from spiral.engines.sparse.lists import LANES, Lists
from spiral.protocol.job import TrainJob, TrainState
from spiral.tasks.task import Task

SEEDS_AT_ONCE = 8
"""Order seeds whose epochs are laid out together (0.6 MB each)."""

MOST_POINTS = 2**19
"""Points of an order seed that are laid out together (6 MB); larger tasks have more in
an epoch."""


class Pack(NamedTuple):
    """The state of a pack in the kernels' layout."""

    params: Float32[np.ndarray, " slots"]
    velocity: Float32[np.ndarray, " slots"]
    trains: Float32[np.ndarray, " slots"]
    """1 for slots that train; 0 for padding, frozen and masked slots."""
    momentum: Float32[np.ndarray, " N"]
    decay: Float32[np.ndarray, " N"]
    rates: Float32[np.ndarray, "S N"]
    losses: Float[np.ndarray, " N"]
    nesterov: int
    """1 if momentum is Nesterov's."""


class Data(NamedTuple):
    """Batches of one piece of an epoch, for some order seeds, padded to whole lanes."""

    x0: Float32[np.ndarray, " points"]
    x1: Float32[np.ndarray, " points"]
    y: Float32[np.ndarray, " points"]
    truth: Float32[np.ndarray, " points"]
    """The labels without smoothing."""
    watched: int
    """1 in the last epoch, whose losses are summed; 0 saves a softplus per point."""
    weight: Float32[np.ndarray, " lanes"]
    """1/B for each lane of a batch, 0 for padding."""
    which: Int[np.ndarray, " N"]
    """Index of each network's order seed among those laid out."""
    steps: int
    chunks: int


class Points(NamedTuple):
    """All points, padded to whole lanes; ``sign`` is ±1 by class and 0 for padding."""

    x0: Float32[np.ndarray, " points"]
    x1: Float32[np.ndarray, " points"]
    y: Float32[np.ndarray, " points"]
    sign: Float32[np.ndarray, " points"]


def pieces(job: TrainJob, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cut steps at the ends of epochs, before the last epoch, and in long epochs."""
    most = max(1, MOST_POINTS // job.batch)
    while start < stop:
        end = min(stop, (start // job.steps_per_epoch + 1) * job.steps_per_epoch)
        end = min(end, start + most)
        if start < job.last_epoch:
            end = min(end, job.last_epoch)
        yield start, end
        start = end


def batches(job: TrainJob, start: int, stop: int) -> Iterator[tuple[Data, np.ndarray]]:
    """Yield the batches within one epoch for some order seeds, and their networks."""
    epoch, first = divmod(start, job.steps_per_epoch)
    distinct, which = job.followers()
    chunks = -(-job.batch // LANES)
    weight = np.zeros(chunks * LANES, np.float32)
    weight[: job.batch] = 1 / job.batch
    smoothing = job.plan.label_smoothing
    truth = job.y.astype(np.float32)
    y = truth * (1 - smoothing) + smoothing / 2
    watched = int(start >= job.last_epoch)
    # Points are copied into batch order once per seed, shared by all its networks: the
    # kernel then reads them in sequence instead of gathering
    for seed in range(0, len(distinct), SEEDS_AT_ONCE):
        here = distinct[seed : seed + SEEDS_AT_ONCE]
        some = job.orders(here, epoch, first, first + stop - start)
        x0, x1, labels = (_pad(v[some], weight.size) for v in (*job.x.T, y))
        right = _pad(truth[some], weight.size) if watched and smoothing else labels
        members = (which >= seed) & (which < seed + SEEDS_AT_ONCE)
        size = stop - start, chunks
        data = Data(x0, x1, labels, right, watched, weight, which - seed, *size)
        yield data, members


def _pad(values: np.ndarray, size: int) -> Float32[np.ndarray, " points"]:
    """Pad the last axis with zeros and flatten."""
    missing = size - values.shape[-1]
    if missing:
        values = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
    return np.ascontiguousarray(values, np.float32).ravel()


@lru_cache(maxsize=2)
def lay_out_points(task: Task) -> Points:
    """Return all points of a task in the kernels' layout."""
    size = -(-task.points // LANES) * LANES
    y = task.y.astype(np.float32)
    x0, x1, labels, sign = (_pad(v, size) for v in (*task.x.T, y, 2 * y - 1))
    return Points(x0, x1, labels, sign)


def scratch_size(lists: Lists, chunks: int = 1) -> int:
    """Return the floats of scratch that the largest network of a pack needs.

    A row of activations per node, 16 partial sums per slot, those of a second chunk of
    the batch, and room to align them and to add up losses.
    """
    rows = lists.nodes * LANES
    sums = np.diff(lists.slot_at) * 16 * min(chunks, 2)
    return int((rows + sums).max()) + 2 * LANES


def aligned(size: int) -> Float32[np.ndarray, " size"]:
    """Return zeros aligned to a cache line, which a 16-lane vector fills exactly."""
    raw = np.zeros(size * 4 + 64, np.uint8)
    offset = -raw.ctypes.data % 64
    return raw[offset : offset + size * 4].view(np.float32)


def lay_out(job: TrainJob, state: TrainState, lists: Lists) -> Pack:
    """Return a pack's state in the kernels' layout, still without learning rates."""
    return Pack(
        params=gather(state.params, lists),
        velocity=gather(state.momentum, lists),
        trains=gather(state.moving.astype(np.float32), lists),
        momentum=job.momentum.astype(np.float32),
        decay=job.weight_decay.astype(np.float32),
        rates=np.empty((0, 0), np.float32),
        losses=state.losses_so_far(),
        nesterov=int(job.plan.nesterov),
    )


def gather(values: np.ndarray, lists: Lists) -> Float32[np.ndarray, " slots"]:
    """Return the slots of flat parameters [N, P]; padding is 0."""
    slots = aligned(len(lists.flat))
    _gather(values, lists.slot_at, lists.flat, slots)
    return slots


def scatter(
    values: np.ndarray, slots: np.ndarray, masks: np.ndarray, lists: Lists
) -> np.ndarray:
    """Return flat parameters [N, P] with the kept ones taken from their slots."""
    result = values.copy()
    _scatter(result, masks, lists.slot_at, lists.flat, slots)
    return result


@njit(cache=True)
def _gather(values, slot_at, flat, slots):
    for n in range(len(values)):
        for s in range(slot_at[n], slot_at[n + 1]):
            if flat[s] >= 0:
                slots[s] = values[n, flat[s]]


@njit(cache=True)
def _scatter(result, masks, slot_at, flat, slots):
    for n in range(len(result)):
        for s in range(slot_at[n], slot_at[n + 1]):
            if flat[s] >= 0 and masks[n, flat[s]]:
                result[n, flat[s]] = slots[s]
