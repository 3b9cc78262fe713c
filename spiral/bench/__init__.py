"""Measure every engine on this machine, in networks per second, within one run.

A network is 50 epochs (19,500 steps) of batch 128. Engines and baselines are measured
in turn, several times, and medians are reported, because shared machines change speed.
"""

import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from typing import Any

import torch

from spiral.bench import gpu, timing
from spiral.bench.baselines import BATCH, finish
from spiral.bench.cases import CASES, Case, Contender, contenders
from spiral.bench.timing import Pace
from spiral.engines import cpu
from spiral.engines.devices import exact
from spiral.engines.prices import STEPS
from spiral.sweep import launch

VERSIONS = {name: version(name) for name in ("torch", "numpy", "numba", "llvmlite")}


def sgemm_gflops(threads: int, device: str = "cpu") -> float:
    """Return the rate of torch's float32 matrix product (1024 × 1024; a card 4096)."""
    before, size = torch.get_num_threads(), 1024 if device == "cpu" else 4096
    torch.set_num_threads(threads)
    with exact():
        a = torch.rand(size, size, device=device)
        a @ a
        finish(device)
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < 0.3:
            a @ a
            finish(device)
            count += 1
        rate = 2 * size**3 * count / (time.perf_counter() - began) / 1e9
    torch.set_num_threads(before)
    return rate


Show = Callable[[str], None]


def _nothing(_: str) -> None:
    """Show nothing."""


def measure(  # noqa: PLR0913 - the device is given by name only
    cases: tuple[Case, ...] = CASES,
    repeats: int = 5,
    peers: Sequence[str] = (),
    on_start: Show = _nothing,
    on_line: Show = _nothing,
    seconds: float = math.inf,
    *,
    device: str = "cpu",
) -> dict[str, Any]:
    """Measure every contender on every case.

    Args:
        cases: What to train.
        repeats: Measurements of each contender at most, taken in turn.
        peers: Baselines besides the loop: ``compile`` (torch.compile), ``jax``.
        on_start: Called with the name of each measurement when it starts.
        on_line: Called with each line of the table when it is ready.
        seconds: Approximate time limit, shared evenly among the cases; it shortens
            trainings and restricts pack sizes (see :func:`contenders`).
        device: ``cuda`` measures what a card does (``bench.gpu``) instead.

    Returns:
        ``machine``, ``versions``, ``sgemm_gflops`` and ``results``: per case and engine
        the median networks/s at its best pack size, the lowest and highest of the
        repeats, GFLOP/s and the share of sgemm on as many threads.
    """
    began, cores = time.perf_counter(), launch.cores()
    on_start("matrix product of torch")
    sgemm = {("cpu", count): sgemm_gflops(count) for count in sorted({1, cores})}
    if device != "cpu":
        sgemm[device, 1] = sgemm_gflops(1, device)
    own = sgemm[device, cores if device == "cpu" else 1]
    found = {
        "machine": machine(cores) | (gpu.facts() if device != "cpu" else {}),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": {"python": platform.python_version(), **VERSIONS},
        "sgemm_gflops": round(own, 1),
    }
    on_line(_heading(found))
    results: list[dict[str, Any]] = []
    for number, case in enumerate(cases):
        left = seconds - (time.perf_counter() - began)
        pace = Pace(repeats, max(0.0, left) / (len(cases) - number))
        brief = math.isfinite(seconds)
        if device == "cpu":
            field = list(contenders(case, cores, peers, brief))
        else:
            field = list(gpu.contenders(case, cores, brief, device))
        times = timing.times(case, field, pace, on_start)
        best = _best(
            _result(case, one, taken, sgemm[one.device, one.threads])
            for one, taken in zip(field, times, strict=True)
        )
        for row in best:
            on_line(_line(row, best[0]))
        results += best
    return {**found, "results": results}


def _best(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the row of the best pack size of each engine, the plain loop's first."""
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
    # by convention: one multiply-add per weight forward, two backward
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
    """Return the facts about this machine on which speed depends."""
    return {"cpu": cpu.name(), "instructions": cpu.instructions(), "cores": cores}


def _heading(measured: dict[str, Any]) -> str:
    """Return the heading of the table: the machine and the column names."""
    return (
        f"{measured['machine']}, sgemm {measured['sgemm_gflops']} GFLOP/s\n"
        f"{'case':<20}{'engine':<14}{'threads':>8}{'networks/s':>12}{'x loop':>9}"
        f"{'GFLOP/s':>9}{'of sgemm':>10}"
    )


def _line(row: dict[str, Any], loop: dict[str, Any]) -> str:
    """Return one line of the table, given the row of the plain loop."""
    return (
        f"{row['case']:<20}{row['engine']:<14}{row['threads']:>8}"
        f"{row['networks_per_s']:>12.4g}"
        f"{row['networks_per_s'] / loop['networks_per_s']:>9.0f}"
        f"{row['gflops']:>9.3g}{row['share_of_sgemm']:>10.0%}"
    )
