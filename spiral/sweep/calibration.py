"""Calibration: the speed of this machine relative to that of the cost model.

The first time estimate that involves an engine trains a few networks with it (less than
a second of processor time). The factor is cached for this user, by type of processor
and version. A launch whose estimate was wrong by more than a factor of two corrects it.
Packs and the choice of an engine never depend on it, so that rows and manifests are
the same on every machine.
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
from spiral.engines import cpu
from spiral.engines.prices import STEPS
from spiral.errors import SpiralError
from spiral.model import mlp
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Engine, Plan, TrainJob, TrainState
from spiral.results import atomic
from spiral.tasks import cubist

WIDTHS = {3: 512, 16: 128}
"""Widths of the dense networks measured, and how many at most; the factors of other
widths are similar."""

PLAN = Plan.simple(Budget(51, cubist.POINTS // 128))
"""Plan of those networks, longer than any measurement."""

MODEL_SECONDS = 0.02
"""Upper bound of one training step of a pack; slow engines get fewer networks."""

ENOUGH_SECONDS = 0.15
"""Minimum measurement per width; the last and longest stretch counts (up to 0.5 s)."""

OFF = 2.0
"""A launch corrects a factor if its time is off by more than this ratio."""

WORTH_SECONDS = 5.0
"""Processor time from which a launch is a better measurement than ``measure``."""

Clock = Callable[[], float]
Known = dict[str, dict[str, float]]


def path() -> Path:
    """Return this user's calibration file.

    Raises:
        ConfigError: No cache folder is available.
    """
    return homes.cache() / "calibration.json"


@cache
def machine() -> str:
    """Return the key of the factors: type of processor and version of this package."""
    # virtual machines may truncate the model name; family and model identify the
    # generation of the processor
    known = [cpu.facts().get(key, "") for key in ("model name", "cpu family", "model")]
    kind = "/".join(known) if any(known) else cpu.name()
    return f"{kind}, {platform.machine()}, spiral-sweep {__version__}"


@cache
def factors() -> Mapping[str, float]:
    """Return engine → measured seconds / model seconds, for the cached engines."""
    return _read().get(machine(), {})


@cache
def factor(engine: str) -> float:
    """Return measured seconds / model seconds of an engine; measure it if unknown."""
    known = factors().get(engine)
    if known is not None:
        return known
    try:
        found = measure(engine)
    except Exception:
        # A plan may be made on a machine without the engine's device or compiler;
        # a launch there raises the proper error
        return 1.0
    with suppress(SpiralError):  # without a cache it is measured again each time
        save({engine: found})
    return found


def measure(engine: str, clock: Clock = time.thread_time) -> float:
    """Train a few networks and return measured seconds / model seconds.

    The geometric mean over widths, because ratios are averaged.
    """
    trainer = engines.build(engine)
    ratios = [_ratio(trainer, engine, width, clock) for width in WIDTHS]
    return float(f"{np.exp(np.mean(np.log(ratios))):.3g}")


def _ratio(trainer: Engine, engine: str, width: int, clock: Clock) -> float:
    """Return measured seconds / model seconds for one step of dense networks."""
    profile = CostProfile.even(np.array([float(mlp.weight_count(width))]))
    price = engines.price_of(engine)
    expected = float(price.step(width, profile, PLAN)[0])
    job = dense(width, max(1, min(WIDTHS[width], int(MODEL_SECONDS / expected))))
    state = trainer.advance(job, TrainState.fresh(job), 2)  # triggers compilation
    steps, spent = 2, 0.0
    while spent < ENOUGH_SECONDS:
        steps *= 2
        began = clock()
        trainer.advance(job, state, state.step + steps)
        taken = clock() - began
        spent += taken
    # Estimates add what the loop of a pack costs, whatever its size
    return taken / (steps * (job.networks * expected + price.loop_seconds / STEPS))


def dense(width: int, networks: int) -> TrainJob:
    """Return a pack of dense networks with shared batches and a budget of 51 epochs.

    51, because ``bench`` measures 50 epochs after a warm-up of some steps.
    """
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
    """Correct the factors of engines for which a launch's estimate was far off.

    Args:
        packs: ``pack``, ``engine`` and ``seconds`` (estimated for this machine).
        work: Pack → processor seconds it took; 0 if unknown.
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
    """Save measured factors for this machine; those of other engines stay.

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
    """Drop the factors in memory, so that the file is read again."""
    factors.cache_clear()
    factor.cache_clear()


def _read() -> Known:
    """Return the saved factors of every machine; a damaged file counts as empty."""
    try:
        found = json.loads(path().read_text())
        return {
            str(name): {str(e): float(value) for e, value in known.items() if value > 0}
            for name, known in found.items()
        }
    except (OSError, ValueError, AttributeError, TypeError, SpiralError):
        return {}
