"""How this machine compares with the one the cost model was measured on.

The first estimate that needs an engine trains a few networks with it, under a second of
processor time; what it finds is kept for this user, by kind of processor and version. A
launch that was off by more than twice corrects it. Packs and the choice of an engine
never depend on it, so that rows and manifests are the same on every machine.
"""

import json
import platform
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from spiral import __version__, engines, homes
from spiral.errors import SpiralError
from spiral.model import mlp
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Engine, Plan, TrainJob, TrainState
from spiral.results import atomic
from spiral.tasks import cubist

WIDTHS = {3: 512, 16: 128}
"""Widths of the dense networks that are trained, and how many at most; factors of other
widths lie close."""

PLAN = Plan.simple(Budget(51, cubist.POINTS // 128))
"""Of those networks: longer than any measurement."""

MODEL_SECONDS = 0.02
"""Of one step of a pack, at most: engine ``reference`` takes few networks."""

ENOUGH_SECONDS = 0.15
"""Measure each width for so long; the last, longest stretch counts (at most 0.5 s)."""

OFF = 2.0
"""A launch that took so many times its estimate, or its inverse, corrects a factor."""

WORTH_SECONDS = 5.0
"""Of processor time of a launch that say more than ``measure`` does."""

Clock = Callable[[], float]
Known = dict[str, dict[str, float]]


def path() -> Path:
    """Return this user's calibration file.

    Raises:
        ConfigError: There is no folder to cache in.
    """
    return homes.cache() / "calibration.json"


@cache
def machine() -> str:
    """Return what factors hold for: the kind of processor, and this version."""
    fields: dict[str, str] = {}
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    # virtual machines cut the name short; family and model still tell generations
    known = [fields.get(key, "") for key in ("model name", "cpu family", "model")]
    cpu = "/".join(known) if any(known) else platform.processor()
    return f"{cpu}, {platform.machine()}, spiral-sweep {__version__}"


@cache
def factors() -> Mapping[str, float]:
    """Return engine → its seconds here by those of the model, as far as it is kept."""
    return _read().get(machine(), {})


@cache
def factor(engine: str) -> float:
    """Return an engine's seconds here by those of the model; measure it if need be."""
    known = factors().get(engine)
    if known is not None:
        return known
    try:
        found = measure(engine)
    except Exception:
        # Whatever an engine lacks here (a device, a compiler), its launch says; plans
        # are made on machines that cannot train them
        return 1.0
    with suppress(SpiralError):  # without a file, measured anew each time
        save({engine: found})
    return found


def measure(engine: str, clock: Clock = time.thread_time) -> float:
    """Train a few networks, and return the seconds taken by those of the model."""
    trainer = engines.build(engine)
    kind = engine.partition(":")[0]
    ratios = [_ratio(trainer, kind, width, clock) for width in WIDTHS]
    return float(f"{np.exp(np.mean(np.log(ratios))):.3g}")


def _ratio(trainer: Engine, kind: str, width: int, clock: Clock) -> float:
    """Return the seconds of a step of dense networks by those of the model."""
    profile = CostProfile.even(np.array([float(mlp.weight_count(width))]))
    price = engines.ENGINES[kind].price
    expected = float(price.step(width, profile, PLAN)[0])
    job = dense(width, max(1, min(WIDTHS[width], int(MODEL_SECONDS / expected))))
    state = trainer.advance(job, TrainState.fresh(job), 2)  # what compiles, compiles
    steps, spent = 2, 0.0
    while spent < ENOUGH_SECONDS:
        steps *= 2
        began = clock()
        trainer.advance(job, state, state.step + steps)
        taken = clock() - began
        spent += taken
    return taken / (steps * job.networks * expected)


def dense(width: int, networks: int) -> TrainJob:
    """Return a pack of dense networks that share batches, as long as 51 epochs."""
    init = [mlp.initial_params(n, width) for n in range(networks)]
    return TrainJob(
        width=width,
        plan=PLAN,
        initial=np.stack(init),
        lr=np.full(networks, 0.05),
        schedule=("cosine",) * networks,
        momentum=np.full(networks, 0.9),
        weight_decay=np.full(networks, 5e-4),
        order_seeds=np.zeros(networks, np.int64),
    )


def learn(packs: pd.DataFrame, work: Mapping[str, float]) -> None:
    """Correct the factors of engines for which a launch was far off its estimate.

    Args:
        packs: ``pack``, ``engine`` and ``seconds``, as estimated here.
        work: Pack → processor seconds it took; 0 where that is not known.
    """
    taken = packs["pack"].map(dict(work)).fillna(0.0)
    measured = packs.assign(work=taken)[taken > 0]
    sums = measured.groupby("engine")[["seconds", "work"]].sum()
    for engine, (expected, spent) in sums.iterrows():
        ratio = spent / expected
        if spent >= WORTH_SECONDS and not 1 / OFF <= ratio <= OFF:
            with suppress(SpiralError):
                save({str(engine): float(f"{factor(str(engine)) * ratio:.3g}")})


def save(measured: Mapping[str, float]) -> Path:
    """Keep what was measured, for this user on this machine; leave other engines.

    Raises:
        StoreError: The file cannot be written.
    """
    target, known = path(), _read()
    known[machine()] = {**known.get(machine(), {}), **measured}
    text = json.dumps(known, indent=1)
    atomic.replace_atomically(target, text.encode(), target.parent)
    forget()
    return target


def forget() -> None:
    """Read the file again when next asked."""
    factors.cache_clear()
    factor.cache_clear()


def _read() -> Known:
    """Return what is kept of every machine; what is damaged counts as none."""
    try:
        found = json.loads(path().read_text())
        return {
            str(name): {str(e): float(value) for e, value in known.items() if value > 0}
            for name, known in found.items()
        }
    except (OSError, ValueError, AttributeError, TypeError, SpiralError):
        return {}
