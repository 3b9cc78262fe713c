"""Small trainings: the simulator takes a tenth of a second for a step of one network.

It replaces ``numba.cuda`` for a whole process, so ``simulated`` runs them in another
one than the tests, which compare with what engine ``sparse`` makes of the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spiral.model import masks, mlp
from spiral.protocol.job import (
    Budget,
    Controls,
    Engine,
    Plan,
    Sgd,
    TrainJob,
    TrainState,
)
from spiral.tasks.task import Raw, Task, of
from tests.engines import begin, make_job, some_masks

Arrays = dict[str, np.ndarray]

WIDTHS = {3: (4, 20, 128), 4: (4, 5, 37), 6: (4, 4, 200), 8: (3, 3, 1), 11: (3, 3, 131)}
WIDTHS |= {16: (2, 2, 128)}
"""Width → networks, steps and batch; twenty masks."""


def drawn(points: int = 301) -> Task:
    """Return few points, so that epochs end soon and evaluation is quick."""
    random = np.random.default_rng(0)
    x = random.normal(size=(points, 2))
    return of("drawn", Raw(x, (x @ (1, 2) > 1).astype(np.uint8)))


def small_job(
    ids: Sequence[int] = (1, 2, 3), epochs: int = 2, batch: int = 100, **fields: Any
) -> TrainJob:
    """Return a job of three steps an epoch."""
    job = make_job(ids, batch=batch, epochs=epochs, **fields)
    task = drawn()
    smoothing = job.plan.label_smoothing
    budget = Budget(epochs, task.points // batch)
    return replace(job, task=task, plan=Plan.simple(budget, label_smoothing=smoothing))


def of_state(state: TrainState) -> Arrays:
    """Return what training changed."""
    losses = state.losses_so_far()
    return {"params": state.params, "momentum": state.momentum, "losses": losses}


def train(engine: Engine, job: TrainJob, kept: np.ndarray, steps: int) -> Arrays:
    with np.errstate(all="ignore"):
        return of_state(engine.advance(job, begin(job, kept), steps))


def random_masks(width: int) -> Callable[[Engine], Arrays]:
    networks, steps, batch = WIDTHS[width]
    ids = tuple(range(100 * width, 100 * width + networks))

    def run(engine: Engine) -> Arrays:
        lr = np.full(networks, 0.01 if batch == 1 else 0.1)
        seeds = np.array(ids) // 2  # some networks share their batches
        job = make_job(ids, width=width, batch=batch, lr=lr, order_seeds=seeds)
        return train(engine, job, some_masks(ids, width), steps)

    return run


def step_by_step(engine: Engine) -> Arrays:
    """Return the parameters after each of five steps of dense networks."""
    job = make_job((1, 2))
    state, found = begin(job), []
    for step in range(5):
        state = engine.advance(job, state, step + 1)
        found.append(state.params)
    return {"params": np.stack(found)}


def cut(engine: Engine) -> Arrays:
    """Return the end of a training over three epochs with stops on the way."""
    job = small_job(epochs=3, schedule=("cosine", "step", "constant"))
    state = begin(job, some_masks((1, 2, 3)))
    for stop in (2, 4, 8, 9):
        state = engine.advance(job, state, stop)
    return of_state(state)


def whole(engine: Engine) -> Arrays:
    """Return the end of the same training without stops."""
    job = small_job(epochs=3, schedule=("cosine", "step", "constant"))
    return train(engine, job, some_masks((1, 2, 3)), 9)


def neighbours(engine: Engine, wild: float = 0.1) -> Arrays:
    job = make_job((1, 2, 3), lr=np.array([0.1, wild, 0.1]))
    return train(engine, job, some_masks((1, 2, 3)), 5)


def settings(engine: Engine) -> Arrays:
    """Train with everything that may differ between networks and jobs."""
    usual = {
        "lr": np.array([0.05, 0.1, 0.2]),
        "momentum": np.array([0.0, 0.5, 0.9]),
        "weight_decay": np.array([0.0, 0.1, 5e-4]),
    }
    job = small_job(smoothing=0.1, **usual)
    plan = job.plan.under(Controls(Sgd(nesterov=True), label_smoothing=0.1))
    scale = np.array([1.0, 0.5, 1.0])
    state = replace(begin(job, some_masks((1, 2, 3))), lr_scale=scale)
    state = replace(state, trainable=state.masks & ~some_masks((7, 8, 9)))
    return of_state(engine.advance(replace(job, plan=plan), state, 6))


def odd_masks(engine: Engine) -> Arrays:
    """Train an empty network, one without a bias, and weights that go nowhere."""
    job = make_job((1, 2, 3))
    kept = np.ones(job.initial.shape, bool)
    kept[0, :-1] = False
    kept[1, 6] = False  # the bias of a unit with outgoing weights
    kept[2, 21] = kept[2, 24] = kept[2, 27] = False  # a unit of layer 2 without outputs
    return train(engine, job, kept, 4)


def evaluation(engine: Engine) -> Arrays:
    job = small_job(smoothing=0.1)
    params = job.initial.copy()
    params[1] = np.nan
    params[2, -1] = 200.0
    state = replace(begin(job, some_masks((1, 2, 3))), params=params)
    with np.errstate(all="ignore"):
        found = engine.evaluate(job, state)
    return vars(found)


def wide(engine: Engine) -> Arrays:
    """Train few weights of a width that does not fit with all of them."""
    job = make_job((1,), width=64)
    weights = np.random.default_rng(0).random((1, mlp.weight_count(64))) < 0.01
    weights[0, -64:] = np.arange(64) < 20
    return train(engine, job, masks.with_biases(weights, 64), 1)


CASES: dict[str, Callable[[Engine], Arrays]] = {
    **{f"width {width}": random_masks(width) for width in WIDTHS},
    "step by step": step_by_step,
    "cut": cut,
    "whole": whole,
    "calm": neighbours,
    "wild": lambda engine: neighbours(engine, 1e30),
    "settings": settings,
    "odd masks": odd_masks,
    "evaluation": evaluation,
    "wide": wide,
}
