"""The cases of the benchmark: kinds of networks, and the contenders that train them."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spiral import engines
from spiral.bench import baselines
from spiral.engines import sparse
from spiral.engines.prices import STEPS
from spiral.model import masks
from spiral.protocol.job import Engine, TrainJob, TrainState
from spiral.sweep import calibration

LOOP_STEPS = 200
SIZES = (64, 128, 256, 512)
"""Pack sizes of dense engines; the fastest differs between cases."""


@dataclass(frozen=True)
class Case:
    """A kind of network: the dense block of a width, or random masks in it."""

    name: str
    width: int
    sizes: tuple[int, int, int]
    keep: int | None = None
    """Weights of a random connected mask; None keeps the block."""

    def masks(self, networks: int) -> np.ndarray:
        """Return masks [N, P], the same in every run."""
        if self.keep is None:
            block = masks.block(self.width, np.array([self.sizes] * networks))
            return masks.with_biases(block, self.width)
        random = np.random.default_rng(0)
        kept = [self._connected(random) for _ in range(networks)]
        return masks.with_biases(np.stack(kept), self.width)

    def _connected(self, random: np.random.Generator) -> np.ndarray:
        """Draw masks of the block until every kept weight lies on a path."""
        assert self.keep is not None
        small = max(self.sizes)
        block = masks.block(small, np.array([self.sizes]))
        while True:
            scores = np.where(block, random.random(block.shape), -1)
            kept = masks.keep_top(scores, np.array([self.keep]))
            full = masks.with_biases(kept, small)
            if masks.on_path(full, small).sum() == self.keep:
                return masks.embed(kept, small, self.width)[0]


CASES = (
    Case("3-3-3", 3, (3, 3, 3)),
    Case("7-3-3", 7, (7, 3, 3)),
    Case("16-16-16", 16, (16, 16, 16)),
    Case("3-3-3 keep 18", 3, (3, 3, 3), 18),
    Case("7-3-3 keep 30", 7, (7, 3, 3), 30),
    Case("16-16-16 keep 30", 16, (7, 3, 3), 30),
    Case("64-64-64 keep 30", 64, (7, 3, 3), 30),
    Case("256-256-256 keep 30", 256, (7, 3, 3), 30),
)


Pack = tuple[TrainJob, TrainState]


def job_of(case: Case, networks: int, kept: np.ndarray | None = None) -> Pack:
    """Return a pack of one case, ready to train.

    Args:
        case: What to train.
        networks: How many.
        kept: Their masks [N, P]; None draws them.
    """
    job = calibration.dense(case.width, networks)
    kept = case.masks(networks) if kept is None else kept
    state = TrainState.fresh(job)
    params = np.where(kept, state.params, np.float32(0))
    return job, replace(state, masks=kept, params=params)


def engine_seconds(engine: Engine) -> baselines.Seconds:
    """Return a function that times an engine on a pack."""

    def seconds(job: TrainJob, state: TrainState, steps: int) -> float:
        state = engine.advance(job, state, 20)
        began = time.perf_counter()
        engine.advance(job, state, 20 + steps)
        return time.perf_counter() - began

    return seconds


@dataclass(frozen=True)
class Contender:
    """Something to time on a case: a pack of ``networks`` for ``steps`` steps."""

    engine: str
    threads: int
    networks: int
    steps: int
    seconds: baselines.Seconds
    device: str = "cpu"

    @property
    def name(self) -> str:
        """Name for progress messages."""
        return f"{self.engine}, networks {self.networks}, threads {self.threads}"


def packs(case: Case, field: Sequence[Contender]) -> dict[int, Pack]:
    """Return the packs of a case by size; small packs are prefixes of large ones.

    Masks are drawn once, because connected random masks take long to find.
    """
    sizes = {one.networks for one in field}
    kept = case.masks(max(sizes))
    return {size: job_of(case, size, kept[:size]) for size in sizes}


def contenders(
    case: Case, cores: int, peers: Sequence[str], brief: bool = False
) -> Iterator[Contender]:
    """Yield the contenders of a case, the loop first.

    Args:
        case: What to train.
        cores: Threads of contenders that can use several.
        peers: Baselines besides the loop.
        brief: Restrict dense engines to one pack size, and wide cases to small packs.
    """
    yield Contender("loop", 1, 1, LOOP_STEPS, baselines.loop)
    reference = engine_seconds(engines.build("reference"))
    yield Contender("reference", 1, 1, 50, reference)
    if case.width <= 16:
        vmap = engine_seconds(engines.build("vmap"))
        for networks in (256,) if brief else SIZES:
            steps = max(20, 5_000 // networks)
            yield Contender("vmap", 1, networks, steps, vmap)
            if "compile" in peers:
                yield Contender("vmap-compiled", 1, networks, steps, baselines.compiled)
            if "jax" in peers:
                yield Contender("jax", cores, networks, 10 * steps, baselines.jax)
    networks = 200 if case.keep or case.width < 16 else 20
    if case.width > 64 and brief:
        networks = 50  # copying wide networks costs as much as training them briefly
    for threads in sorted({1, cores}):
        engine = engine_seconds(sparse.SparseEngine(threads))
        yield Contender("sparse", threads, networks, STEPS, engine)
    plain = engine_seconds(sparse.SparseEngine(1, sparse.plain_kernel()))
    yield Contender("sparse-plain", 1, networks, STEPS // 10, plain)
