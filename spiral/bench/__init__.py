"""How fast every engine is here: networks a second, all in one run.

A network is 50 epochs (19,500 steps) of batch 128. Engines and rivals are measured in
turn, several times, and medians are reported, since shared machines change their speed.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from spiral import engines, masks
from spiral.bench import rivals
from spiral.engines import sparse
from spiral.job import Engine, TrainJob, TrainState
from spiral.sweep import calibration, launch

STEPS = 19_500
LOOP_STEPS = 200
VERSIONS = {name: version(name) for name in ("torch", "numpy", "numba", "llvmlite")}
BATCH = 128


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


def job_of(case: Case, networks: int) -> tuple[TrainJob, TrainState]:
    """Return a pack of one case, ready to train."""
    job, kept = calibration.dense(case.width, networks), case.masks(networks)
    state = TrainState.fresh(job)
    params = np.where(kept, state.params, np.float32(0))
    return job, replace(state, masks=kept, params=params)


def engine_seconds(engine: Engine) -> rivals.Seconds:
    """Return a function that times an engine on a pack."""

    def seconds(job: TrainJob, state: TrainState, steps: int) -> float:
        state = engine.advance(job, state, 20)
        began = time.perf_counter()
        engine.advance(job, state, 20 + steps)
        return time.perf_counter() - began

    return seconds


def sgemm_gflops(threads: int) -> float:
    """Return the rate of torch's float32 matrix product (1024 × 1024)."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    a = torch.rand(1024, 1024)
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < 0.3:
        a @ a
        count += 1
    rate = 2 * 1024**3 * count / (time.perf_counter() - began) / 1e9
    torch.set_num_threads(before)
    return rate


@dataclass(frozen=True)
class Contender:
    """Something to time on a case: a pack of ``networks`` for ``steps`` steps."""

    engine: str
    threads: int
    networks: int
    steps: int
    seconds: rivals.Seconds


def contenders(case: Case, cores: int, peers: Sequence[str]) -> Iterator[Contender]:
    """Yield what is measured on a case; packs of dense engines in several sizes."""
    yield Contender("loop", 1, 1, LOOP_STEPS, rivals.loop)
    reference = engine_seconds(engines.build("reference"))
    yield Contender("reference", 1, 1, 50, reference)
    if case.width <= 16:
        vmap = engine_seconds(engines.build("vmap"))
        for networks in (64, 128, 256, 512):
            steps = max(20, 5_000 // networks)
            yield Contender("vmap", 1, networks, steps, vmap)
            if "compile" in peers:
                yield Contender("vmap-compiled", 1, networks, steps, rivals.compiled)
            if "jax" in peers:
                yield Contender("jax", cores, networks, 10 * steps, rivals.jax)
    networks = 200 if case.keep or case.width < 16 else 20
    for threads in sorted({1, cores}):
        engine = engine_seconds(sparse.SparseEngine(threads))
        yield Contender("sparse", threads, networks, STEPS, engine)
    plain = engine_seconds(sparse.SparseEngine(1, sparse.plain_kernel()))
    yield Contender("sparse-plain", 1, networks, STEPS // 10, plain)
    if torch.cuda.is_available():
        cuda = engine_seconds(engines.build("vmap:cuda"))
        for networks in (1_024, 8_192, 65_536):
            yield Contender("vmap:cuda", 1, networks, 200, cuda)


def measure(
    cases: tuple[Case, ...] = CASES,
    repeats: int = 5,
    peers: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure every contender on every case.

    Args:
        cases: What to train.
        repeats: Measurements of each contender, taken in turn.
        peers: Rivals besides the loop: ``compile`` (torch.compile), ``jax``.
        say: Called with a line of progress now and then.

    Returns:
        ``machine``, ``versions``, ``sgemm_gflops`` and ``results``: per case and engine
        the median networks/s at its best pack size, the lowest and highest of the
        repeats, GFLOP/s and the share of sgemm on as many threads.
    """
    cores = launch.cores()
    sgemm = {threads: sgemm_gflops(threads) for threads in sorted({1, cores})}
    results: list[dict[str, Any]] = []
    for case in cases:
        say(case.name)
        best: dict[tuple[str, int], dict[str, Any]] = {}
        field = list(contenders(case, cores, peers))
        packs = {one.networks: job_of(case, one.networks) for one in field}
        for one in field:
            one.seconds(*packs[one.networks], min(20, one.steps))
        times: list[list[float]] = [[] for _ in field]
        for _ in range(repeats):
            for one, taken in zip(field, times, strict=True):
                taken.append(one.seconds(*packs[one.networks], one.steps))
        for one, taken in zip(field, times, strict=True):
            row = _result(case, one, taken, sgemm[one.threads])
            known = best.get((one.engine, one.threads))
            if known is None or row["networks_per_s"] > known["networks_per_s"]:
                best[one.engine, one.threads] = row
        results += best.values()
    return {
        "machine": machine(cores),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": {"python": platform.python_version(), **VERSIONS},
        "sgemm_gflops": round(sgemm[cores], 1),
        "results": results,
    }


def _result(
    case: Case, one: Contender, taken: list[float], sgemm: float
) -> dict[str, Any]:
    """Return one line of the table."""
    kept = case.masks(1)[0]
    rates = sorted(one.networks * one.steps / STEPS / seconds for seconds in taken)
    rate = statistics.median(rates)
    # the convention: a multiplication and an addition, forward and twice backward
    gflops = rate * STEPS * BATCH * 6 * int(kept.sum()) / 1e9
    return {
        "engine": one.engine,
        "case": case.name,
        "threads": one.threads,
        "networks": one.networks,
        "networks_per_s": float(f"{rate:.4g}"),
        "lowest": float(f"{rates[0]:.4g}"),
        "highest": float(f"{rates[-1]:.4g}"),
        "gflops": float(f"{gflops:.4g}"),
        "share_of_sgemm": float(f"{gflops / sgemm:.3g}"),
    }


def machine(cores: int) -> dict[str, Any]:
    """Return what the figures depend on."""
    names = [
        line.partition(":")[2].strip()
        for line in _lines("/proc/cpuinfo")
        if line.startswith("model name")
    ]
    found = {"cpu": names[0] if names else platform.processor(), "cores": cores}
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _lines(path: str) -> list[str]:
    """Return the lines of a file, none where it does not exist."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.readlines()
    except OSError:
        return []


def as_text(measured: dict[str, Any]) -> str:
    """Return the table for people, with ratios to the plain loop of each case."""
    lines = [
        f"{measured['machine']}, sgemm {measured['sgemm_gflops']} GFLOP/s",
        f"{'case':<20}{'engine':<14}{'threads':>8}{'networks/s':>12}{'x loop':>9}"
        f"{'GFLOP/s':>9}{'of sgemm':>10}",
    ]
    for row in measured["results"]:
        loop = next(
            r["networks_per_s"]
            for r in measured["results"]
            if r["case"] == row["case"] and r["engine"] == "loop"
        )
        lines.append(
            f"{row['case']:<20}{row['engine']:<14}{row['threads']:>8}"
            f"{row['networks_per_s']:>12.4g}{row['networks_per_s'] / loop:>9.0f}"
            f"{row['gflops']:>9.3g}{row['share_of_sgemm']:>10.0%}"
        )
    return "\n".join(lines)
