"""Engine ``sparse:cuda``: each network walks its own list of kept edges on a GPU.

The twin of ``sparse``, whose lists it reads: a block of threads trains one network,
which stays in shared memory for a whole epoch (``kernel``). It trains with SGD whatever
the masks, without weight maps, and refuses networks that do not fit (``layout``). The
host does nothing per step: it draws the orders of an epoch while the device trains on
those of the epoch before, and copies them; the device lays out the batches.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import cuda
from numba.cuda.core import config

from spiral.engines.sparse.layout import gather, lay_out, pieces, scatter
from spiral.engines.sparse.lists import Lists
from spiral.engines.sparse.lists import build as build_lists
from spiral.engines.sparse_cuda import kernel
from spiral.engines.sparse_cuda.layout import (
    check_fits,
    distinct_rates,
    launches,
    lists_to_device,
    points_to_device,
)
from spiral.engines.sparse_cuda.rows import THREADS
from spiral.protocol.job import Evaluation, TrainJob, TrainState

config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # a pack may be small, and need not be told

MOST_POINTS = 2**27
"""Points of all order seeds that are laid out together (2 GB)."""


@dataclass(frozen=True)
class SparseCudaEngine:
    """Trains packs on the current CUDA device, each network in a block of its own."""

    name: str = "sparse:cuda"
    """How rows record this engine."""

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train from ``state.step`` to ``stop``.

        Raises:
            UnsupportedJob: A network does not fit into shared memory.
        """
        if stop <= state.step:
            return state
        lists = build_lists(state.masks, job.width)
        check_fits(lists)
        params, velocity, losses = _Segment(job, state, lists).train(stop)
        return replace(
            state,
            step=stop,
            params=scatter(state.params, params, state.masks, lists),
            momentum=scatter(state.momentum, velocity, state.masks, lists),
            losses=losses,
        )

    def evaluate(self, job: TrainJob, state: TrainState) -> Evaluation:
        """Return accuracy counts, loss and entropy on all points.

        Raises:
            UnsupportedJob: A network does not fit into shared memory.
        """
        lists = build_lists(state.masks, job.width)
        check_fits(lists)
        copy = cuda.stream()
        found = cuda.to_device(np.zeros((job.networks, THREADS, 3)), copy)
        params = cuda.to_device(gather(state.params, lists), copy)
        args = (*lists_to_device(lists, copy), params, points_to_device(job.task, copy))
        groups = _groups(lists, copy)
        _launch(kernel.evaluate, groups, copy, (*args, found))
        _finish(groups)
        correct, *sums = found.copy_to_host().sum(axis=1).T
        return Evaluation(
            correct.astype(np.int64), *(s / job.task.points for s in sums)
        )


class _Segment:
    """A pack on the device, from one event to the next."""

    def __init__(self, job: TrainJob, state: TrainState, lists: Lists) -> None:
        """Copy the pack."""
        self.job, self.begun, self.copy = job, state, cuda.stream()
        pack = lay_out(job, state, lists)
        self.groups = _groups(lists, self.copy)
        self.lists = lists_to_device(lists, self.copy)
        self.points = points_to_device(job.task, self.copy)
        numbers = np.stack([pack.momentum, pack.decay], axis=1)
        self.numbers = self._device(numbers)
        arrays = pack.params, pack.velocity, pack.trains, pack.losses
        self.state = tuple(map(self._device, arrays))

    def train(self, stop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Train to a step and return parameters, velocity [slots] and losses [N]."""
        for start, end in self._pieces(stop):
            settings, data = self._settings(start, end), self._data(start, end)
            args = (*self.lists, self.state, settings, data, end - start)
            _launch(kernel.train, self.groups, self.copy, args)
        _finish(self.groups)
        params, velocity, _, losses = self.state
        return params.copy_to_host(), velocity.copy_to_host(), losses.copy_to_host()

    def _pieces(self, stop: int) -> Iterator[tuple[int, int]]:
        """Cut steps as engine ``sparse``, and where many orders would take memory."""
        most = MOST_POINTS // (len(self.job.followers()[0]) * self.job.batch)
        for start, end in pieces(self.job, self.begun.step, stop):
            for first in range(start, end, max(1, most)):
                yield first, min(end, first + max(1, most))

    def _settings(self, start: int, stop: int) -> tuple[Any, ...]:
        """Return what networks train with; see ``kernel.train``."""
        rates, which = distinct_rates(self.job, self.begun, start, stop)
        both = np.stack([which, self.job.followers()[1]], axis=1).astype(np.int32)
        nesterov = int(self.job.plan.nesterov)
        return self.numbers, self._device(rates), self._device(both), nesterov

    def _data(self, start: int, stop: int) -> tuple[Any, ...]:
        """Lay out the batches within an epoch, and return how they are used."""
        job = self.job
        epoch, first = divmod(start, job.steps_per_epoch)
        orders = job.orders(job.followers()[0], epoch, first, first + stop - start)
        drawn = self._device(np.ascontiguousarray(orders.ravel(), np.int32))
        batches = tuple(
            cuda.device_array(orders.size, np.float32, stream=self.copy)
            for _ in self.points
        )
        blocks = min(4096, -(-orders.size // 256))
        kernel.gather[blocks, 256, self.copy](drawn, self.points, batches)
        smoothing, ends = job.plan.label_smoothing, np.array([0, 1], np.float32)
        low, high = ends * (1 - smoothing) + smoothing / 2
        watched = int(start >= job.last_epoch)
        return batches, (job.batch, np.float32(1 / job.batch), low, high, watched)

    def _device(self, values: np.ndarray) -> Any:
        """Copy an array to the device."""
        return cuda.to_device(values, self.copy)


def _groups(lists: Lists, copy: Any) -> list[tuple[Any, int, Any, int]]:
    """Return the networks of each launch, how many, its stream and bytes of a block."""
    return [
        (cuda.to_device(members, copy), len(members), cuda.stream(), size)
        for members, size in launches(lists)
    ]


def _launch(run: Any, groups: list[Any], copy: Any, args: tuple[Any, ...]) -> None:
    """Run a kernel on all networks, once its data are there and those before ended.

    Waiting costs little, as a stream's next kernel would not begin before its last one
    has ended, and keeps the host from laying out the whole training at once.
    """
    copy.synchronize()
    for members, blocks, stream, size in groups:
        stream.synchronize()
        run[blocks, THREADS, stream, size](members, *args)


def _finish(groups: list[Any]) -> None:
    """Wait for all launches."""
    for _, _, stream, _ in groups:
        stream.synchronize()


def build(device: str) -> SparseCudaEngine:
    """Return the engine; it has no device but CUDA's."""
    return SparseCudaEngine()
