"""Engine ``sparse``: each network walks its own list of kept edges in the L1 cache.

Three tiers: this launcher; ``lists`` (masks to edge lists); and two kernels, ``kernel``
with explicit vectors (``vectors``) and ``plain``, the same algorithm in plain loops for
machines on which the vector type does not compile. The cost is proportional to the kept
weights, and each network of a pack has its own mask. A network's bits depend on its
config alone.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int

from spiral.engines import cpu
from spiral.engines.compiled import njit
from spiral.engines.sparse.lists import HALF, LANES, Lists
from spiral.engines.sparse.lists import build as build_lists
from spiral.protocol.job import Evaluation, ForwardMask, TrainJob, TrainState
from spiral.tasks import cubist

SEEDS_AT_ONCE = 8
"""Order seeds whose epochs are laid out together (0.6 MB each)."""


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
    halves: tuple[int, ...]
    """As many numbers as a vector has halves; kernels are compiled for its length."""


class Points(NamedTuple):
    """All points, padded to whole lanes; ``sign`` is ±1 by class and 0 for padding."""

    x0: Float32[np.ndarray, " points"]
    x1: Float32[np.ndarray, " points"]
    y: Float32[np.ndarray, " points"]
    sign: Float32[np.ndarray, " points"]
    halves: tuple[int, ...]


@cache
def lanes() -> int:
    """Return how many points a vector has on this CPU; bits do not depend on it.

    128 with the 32 registers of AVX-512, else 64: the 16 of AVX2 would all hold
    accumulators (``benchmarks/engines.md``).
    """
    return 128 if cpu.instructions() == "AVX-512" else 64


def halves_of(vector: int) -> tuple[int, ...]:
    """Return what kernels are compiled for, given the points of a vector."""
    return (0,) * (vector // HALF)


@cache
def best_kernel() -> ModuleType:
    """Return the vector kernel, or the plain one if vectors do not compile here."""
    try:
        from spiral.engines.sparse import kernel

        kernel.probe(halves_of(lanes()))
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
    vector: int | None = None
    """Points of a vector, 64 or 128; by default what suits the CPU."""

    @property
    def name(self) -> str:
        """How rows record this engine."""
        return "sparse" if self._loops.VECTORS else "sparse-plain"

    @property
    def _halves(self) -> tuple[int, ...]:
        return halves_of(self.vector or lanes())

    @property
    def _loops(self) -> ModuleType:
        return self.loops or best_kernel()

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train from ``state.step`` to ``stop``."""
        if stop <= state.step:
            return state
        if not isinstance(job.plan.weight_map, ForwardMask):
            return self._advance(job, state, stop)
        from spiral.engines.sparse import forward  # which imports this module

        run = partial(self._run, forward.kernel(self._loops.VECTORS).train_pack)
        ways = forward.Ways(self._advance, run, self._halves)
        return forward.advance(job, state, stop, ways)

    def _advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train without a weight map."""
        lists = build_lists(state.masks, job.width)
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
        work = (
            found,
            lists,
            params,
            lay_out_points(self._halves),
            _scratch_size(lists),
        )
        self._run(self._loops.evaluate_pack, *work)
        correct, *sums = found.T
        return Evaluation(correct.astype(np.int64), *(s / cubist.POINTS for s in sums))

    def _train(
        self, job: TrainJob, state: TrainState, lists: Lists, pack: Pack, stop: int
    ) -> None:
        """Run the kernel, epoch by epoch and some order seeds at a time."""
        # Largest networks first, so that no thread starts one when others are done
        by_cost = np.argsort(-np.diff(lists.slot_at), kind="stable")
        for start, end in pieces(job, state.step, stop):
            now = pack._replace(rates=job.rates(state, start, end))
            for data, members in batches(job, start, end, self._halves):
                order = by_cost[members[by_cost]]
                work = (order, lists, now, data, _scratch_size(lists))
                self._run(self._loops.train_pack, *work)

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


def pieces(job: TrainJob, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cut steps at the ends of epochs, and before the last epoch."""
    while start < stop:
        end = min(stop, (start // job.steps_per_epoch + 1) * job.steps_per_epoch)
        if start < job.last_epoch:
            end = min(end, job.last_epoch)
        yield start, end
        start = end


def batches(
    job: TrainJob, start: int, stop: int, halves: tuple[int, ...]
) -> Iterator[tuple[Data, np.ndarray]]:
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
        size = stop - start, chunks, halves
        data = Data(x0, x1, labels, right, watched, weight, which - seed, *size)
        yield data, members


def _pad(values: np.ndarray, size: int) -> Float32[np.ndarray, " points"]:
    """Pad the last axis with zeros and flatten."""
    missing = size - values.shape[-1]
    if missing:
        values = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
    return np.ascontiguousarray(values, np.float32).ravel()


@cache
def lay_out_points(halves: tuple[int, ...]) -> Points:
    """Return all points in the kernels' layout."""
    data = cubist.load()
    size = -(-cubist.POINTS // LANES) * LANES
    y = data.y.astype(np.float32)
    x0, x1, labels, sign = (_pad(v, size) for v in (*data.x.T, y, 2 * y - 1))
    return Points(x0, x1, labels, sign, halves)


def _scratch_size(lists: Lists) -> int:
    """Return the floats of scratch that the largest network of a pack needs.

    A row of activations per node, 16 partial sums per slot, and room to align them and
    to add up losses.
    """
    rows = lists.nodes * LANES
    return int((rows + np.diff(lists.slot_at) * 16).max()) + 2 * LANES


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


def build(device: str) -> SparseEngine:
    """Return the engine; it has no device but the CPU."""
    return SparseEngine()
