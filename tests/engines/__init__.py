"""Hand-sized packs that every engine must be able to train."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spiral import engines
from spiral.model import masks, mlp
from spiral.protocol.job import Budget, Engine, Plan, TrainJob, TrainState
from tests import oracles

POINTS = 49_982
CPU = [name for name, entry in engines.ENGINES.items() if "cpu" in entry.devices]


def on_devices(*names: str, option: Any = None) -> list[Any]:
    """Return engines on every device they know; those on a GPU have a marker.

    Args:
        names: Engines.
        option: Value of a second parameter, which has a name; None if there is none.
    """
    found = []
    for name in names:
        for device in engines.ENGINES[name].devices:
            full = name if device == "cpu" else f"{name}:{device}"
            marks = [] if device == "cpu" else [pytest.mark.gpu]
            both = (full,) if option is None else (full, option)
            label = full if option is None else f"{full}-{option.name}"
            found.append(pytest.param(*both, id=label, marks=marks))
    return found


EVERYWHERE = on_devices(*CPU)


def build(name: str) -> Engine:
    return engines.build(name)


def make_job(
    ids: Sequence[int] = (1, 2, 3),
    width: int = 3,
    epochs: int = 2,
    smoothing: float = 0.0,
    **fields: Any,
) -> TrainJob:
    """Return a job whose network n has seed ids[n] for everything."""
    n, batch = len(ids), fields.get("batch", 128)
    usual = {
        "lr": np.full(n, 0.1),
        "schedule": ("constant",) * n,
        "momentum": np.full(n, 0.9),
        "weight_decay": np.full(n, 5e-4),
        "order_seeds": np.array(ids),
        "initial": np.stack([mlp.initial_params(i, width) for i in ids]),
    }
    plan = Plan.simple(Budget(epochs, POINTS // batch), label_smoothing=smoothing)
    return TrainJob(width=width, plan=plan, **{**usual, **fields})


def some_masks(ids: Sequence[int], width: int = 3) -> np.ndarray:
    """Return masks [N, P] of two thirds of the weights, drawn per id."""
    size = mlp.weight_count(width)
    drawn = [np.random.default_rng([i, width]).random(size) < 2 / 3 for i in ids]
    return masks.with_biases(np.stack(drawn), width)


def begin(job: TrainJob, kept: np.ndarray | None = None) -> TrainState:
    """Return the state before training, pruned to the masks if there are any."""
    state = TrainState.fresh(job)
    return state if kept is None else prune(state, kept)


def prune(state: TrainState, kept: np.ndarray) -> TrainState:
    zero = np.float32(0)
    params = np.where(kept, state.params, zero)
    momentum = np.where(kept, state.momentum, zero)
    return replace(state, masks=kept, params=params, momentum=momentum)


def advance(
    name: str, job: TrainJob, stop: int, kept: np.ndarray | None = None
) -> TrainState:
    """Train a pack from its start."""
    with np.errstate(all="ignore"):
        return build(name).advance(job, begin(job, kept), stop)


def twin(
    job: TrainJob, n: int, stop: int, kept: np.ndarray | None = None, **options: Any
) -> np.ndarray:
    """Return what the oracle makes of network n; the job only supplies batches."""
    trains = np.ones(job.initial.shape[1], bool) if kept is None else kept[n]
    batches = [job.batch_at(step) for step in range(stop)]
    factors = job.plan.curves[job.schedule[n]][:stop]
    return oracles.train(
        np.where(trains, job.initial[n], 0),
        trains,
        [(x[n], y[n]) for x, y in batches],
        job.lr[n] * factors,
        momentum=job.momentum[n],
        decay=job.weight_decay[n],
        **options,
    )


def furthest(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(np.asarray(a, np.float64) - b).max())
