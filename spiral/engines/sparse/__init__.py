"""Engine ``sparse``: each network walks its own list of kept edges in the L1 cache.

Tiers: this launcher; ``lists`` (masks to edge lists) and ``layout`` (numbers to their
places); and two kernels, ``kernel`` with explicit vectors (``vectors``) and ``plain``,
the same algorithm in plain loops for machines on which the vector type does not
compile. The cost is proportional to the kept weights, and each network of a pack has
its own mask. A network's bits depend on its config alone.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from types import ModuleType
from typing import Any

import numpy as np

from spiral.engines.sparse import forward
from spiral.engines.sparse.layout import (
    Data,
    Pack,
    Points,
    batches,
    gather,
    lay_out,
    lay_out_points,
    pieces,
    scatter,
    scratch_size,
)
from spiral.engines.sparse.lists import WIDE, Lists, fill
from spiral.engines.sparse.lists import build as build_lists
from spiral.protocol.job import Evaluation, ForwardMask, TrainJob, TrainState

# Numba's caches that earlier versions left look for Data, Pack and Points here, even
# to find that they are out of date
__all__ = [
    "Data",
    "Pack",
    "Points",
    "SparseEngine",
    "best_kernel",
    "build",
    "plain_kernel",
]


@cache
def best_kernel() -> ModuleType:
    """Return the vector kernel, or the plain one if vectors do not compile here."""
    try:
        from spiral.engines.sparse import kernel

        kernel.probe()
    except Exception as error:  # LLVM and Numba raise many types
        warnings.warn(f"vector kernel not available: {error}", stacklevel=2)
        return plain_kernel()
    return kernel


@cache
def helpers() -> ThreadPoolExecutor:
    """Return the threads in addition to the caller's (kernels release the GIL)."""
    return ThreadPoolExecutor(os.cpu_count())


def plain_kernel() -> ModuleType:
    """Return the kernel of plain loops."""
    from spiral.engines.sparse import plain

    return plain


@dataclass(frozen=True)
class SparseEngine:
    """Trains packs on the CPU, each network on one thread.

    Threads never share a network, so neither their number nor their timing changes a
    sum: bits do not depend on them.
    """

    threads: int = 1
    loops: ModuleType | None = None
    """The kernel; by default the best one that compiles."""

    @property
    def name(self) -> str:
        """How rows record this engine."""
        return "sparse" if self._loops.VECTORS else "sparse-plain"

    @property
    def _loops(self) -> ModuleType:
        return self.loops or best_kernel()

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train from ``state.step`` to ``stop``."""
        if stop <= state.step:
            return state
        if not isinstance(job.plan.weight_map, ForwardMask):
            return self._advance(job, state, stop)
        run = partial(self._run, forward.kernel(self._loops.VECTORS).train_pack)
        ways = forward.Ways(self._advance, run)
        return forward.advance(job, state, stop, ways)

    def _advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train without a weight map."""
        masks = state.masks
        if self._loops.VECTORS:
            masks = fill(masks, job.width)  # dense layers become products
        lists = build_lists(masks, job.width)
        pack = lay_out(job, state, lists)
        self._train(job, state, lists, pack, stop)
        return replace(
            state,
            step=stop,
            params=scatter(state.params, pack.params, state.masks, lists),
            momentum=scatter(state.momentum, pack.velocity, state.masks, lists),
            losses=pack.losses,
        )

    def evaluate(self, job: TrainJob, state: TrainState) -> Evaluation:
        """Return accuracy counts, loss and entropy on all points."""
        lists = build_lists(state.masks, job.width)
        found = np.zeros((job.networks, 3))
        params = gather(state.params, lists)
        work = (found, lists, params, lay_out_points(job.task), scratch_size(lists))
        self._run(self._loops.evaluate_pack, *work)
        correct, *sums = found.T
        return Evaluation(
            correct.astype(np.int64), *(s / job.task.points for s in sums)
        )

    def _train(
        self, job: TrainJob, state: TrainState, lists: Lists, pack: Pack, stop: int
    ) -> None:
        """Run the kernel, epoch by epoch and some order seeds at a time."""
        # Largest networks first, so that no thread starts one when others are done
        by_cost = np.argsort(-np.diff(lists.slot_at), kind="stable")
        for start, end in pieces(job, state.step, stop):
            now = pack._replace(rates=job.rates(state, start, end))
            for data, members in batches(job, start, end):
                order = by_cost[members[by_cost]]
                size = scratch_size(lists, data.chunks)
                for run, some in self._kernels(lists, order, data.chunks):
                    self._run(run, some, lists, now, data, size)

    def _kernels(
        self, lists: Lists, order: np.ndarray, chunks: int
    ) -> Iterator[tuple[Callable[..., None], np.ndarray]]:
        """Yield the kernels that train some networks, and which, largest first."""
        count = 0
        if self._loops.VECTORS and chunks == 1:
            slots = np.diff(lists.slot_at)[order]
            count = int((slots >= WIDE).sum())
        if count:  # imported, and compiled, only if needed
            from spiral.engines.sparse import wide

            yield wide.train_pack, order[:count]
        if count < len(order):
            yield self._loops.train_pack, order[count:]

    def _run(self, run: Callable[..., None], *of_pack: Any) -> None:
        """Run a kernel on every thread; they take networks from an atomic counter."""
        counter = np.zeros(1, np.int64)
        work = (counter, *of_pack)
        if self.threads == 1 or not self._loops.VECTORS:
            run(*work)
            return
        others = [helpers().submit(run, *work) for _ in range(self.threads - 1)]
        run(*work)
        for other in others:
            other.result()


def build(device: str) -> SparseEngine:
    """Return the engine; it has no device but the CPU."""
    return SparseEngine()
