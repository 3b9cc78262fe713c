"""How fast every engine is here: networks a second, all in one run.

A network is 50 epochs (19,500 steps) of batch 128. Engines and rivals are measured in
turn, several times, and medians are reported, since shared machines change their speed.
"""

import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import torch

from spiral.bench import timing
from spiral.bench.cases import (
    BATCH,
    CASES,
    STEPS,
    Case,
    Contender,
    contenders,
)
from spiral.bench.timing import Pace
from spiral.sweep import launch

VERSIONS = {name: version(name) for name in ("torch", "numpy", "numba", "llvmlite")}


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


Say = Callable[[str], None]


def _nothing(_: str) -> None:
    """Say nothing."""


def measure(
    cases: tuple[Case, ...] = CASES,
    repeats: int = 5,
    peers: Sequence[str] = (),
    say: Say = _nothing,
    show: Say = _nothing,
    seconds: float = math.inf,
) -> dict[str, Any]:
    """Measure every contender on every case.

    Args:
        cases: What to train.
        repeats: Measurements of each contender at most, taken in turn.
        peers: Rivals besides the loop: ``compile`` (torch.compile), ``jax``.
        say: Called with what is measured now.
        show: Called with each line of the table as soon as it is known.
        seconds: About how long the measurements may take, shared evenly among the
            cases; then packs are brief (see :func:`contenders`), and so are trainings.

    Returns:
        ``machine``, ``versions``, ``sgemm_gflops`` and ``results``: per case and engine
        the median networks/s at its best pack size, the lowest and highest of the
        repeats, GFLOP/s and the share of sgemm on as many threads.
    """
    began, cores = time.perf_counter(), launch.cores()
    say("matrix product of torch")
    sgemm = {threads: sgemm_gflops(threads) for threads in sorted({1, cores})}
    found = {
        "machine": machine(cores),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": {"python": platform.python_version(), **VERSIONS},
        "sgemm_gflops": round(sgemm[cores], 1),
    }
    show(_heading(found))
    results: list[dict[str, Any]] = []
    for number, case in enumerate(cases):
        left = seconds - (time.perf_counter() - began)
        pace = Pace(repeats, max(0.0, left) / (len(cases) - number))
        field = list(contenders(case, cores, peers, math.isfinite(seconds)))
        times = timing.times(case, field, pace, say)
        rows = [
            _result(case, one, taken, sgemm[one.threads])
            for one, taken in zip(field, times, strict=True)
        ]
        best = _best(rows)
        for row in best:
            show(_line(row, rows[0]))
        results += best
    return {**found, "results": results}


def _best(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of each engine's best pack size."""
    best: dict[tuple[str, int], dict[str, Any]] = {}
    for row in rows:
        known = best.setdefault((row["engine"], row["threads"]), row)
        if row["networks_per_s"] > known["networks_per_s"]:
            best[row["engine"], row["threads"]] = row
    return list(best.values())


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
    loops = {r["case"]: r for r in measured["results"] if r["engine"] == "loop"}
    lines = [_line(row, loops[row["case"]]) for row in measured["results"]]
    return "\n".join([_heading(measured), *lines])


def _heading(measured: dict[str, Any]) -> str:
    """Return what stands over the table: the machine, and the names of columns."""
    return (
        f"{measured['machine']}, sgemm {measured['sgemm_gflops']} GFLOP/s\n"
        f"{'case':<20}{'engine':<14}{'threads':>8}{'networks/s':>12}{'x loop':>9}"
        f"{'GFLOP/s':>9}{'of sgemm':>10}"
    )


def _line(row: dict[str, Any], loop: dict[str, Any]) -> str:
    """Return one line of the table, given that of the plain loop."""
    return (
        f"{row['case']:<20}{row['engine']:<14}{row['threads']:>8}"
        f"{row['networks_per_s']:>12.4g}"
        f"{row['networks_per_s'] / loop['networks_per_s']:>9.0f}"
        f"{row['gflops']:>9.3g}{row['share_of_sgemm']:>10.0%}"
    )
