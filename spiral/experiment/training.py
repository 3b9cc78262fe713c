"""Train a pack: the engine from event to event, and the method at each."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from spiral.experiment import contract
from spiral.methods.registry import METHODS
from spiral.model import seeds
from spiral.protocol import config, shared_prefix
from spiral.protocol.job import Change, Method, Trainer, TrainJob, TrainState, View


def train(
    engine: Trainer, method: Method, job: TrainJob, configs: pd.DataFrame
) -> TrainState:
    """Let the engine train from event to event and the method act at each."""
    see = viewer(job, configs)
    begun, state = job, TrainState.fresh(job)
    name = configs["method"].iloc[0]
    groups = shared_prefix.at_start(job)
    # Diverging networks become NaN without warnings; their rows have that status
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        with contract.blamed(method, "start", configs, step=-1):
            memory = method.start(see(job, state))
        for event in job.plan.events:
            state = advance_once(engine, job, state, event, groups)
            with contract.blamed(method, f"act at step {event}", configs, step=event):
                view = see(job, state)
                change, memory = contract.answer(method.act(view, memory), name)
                state = apply(change, state, name)
                job = job.after(change, begun)
            groups = shared_prefix.after_event(groups, job, state)
            # RigL changes its mask instead of training at that step
            if event in job.plan.replaced and event < job.plan.steps:
                state = replace(state, step=event + 1)
        return advance_once(engine, job, state, job.plan.steps, groups)


def advance_once(
    engine: Trainer, job: TrainJob, state: TrainState, stop: int, groups: np.ndarray
) -> TrainState:
    """Train one network of each group and copy its result to the others."""
    if stop > state.step:
        before = False if state.explored is None else state.explored
        state = replace(state, explored=state.masks | before)
    _, first, which = np.unique(groups, return_index=True, return_inverse=True)
    if len(first) == len(groups):
        return engine.advance(job, state, stop)
    return engine.advance(job.take(first), state.take(first), stop).take(which)


def apply(change: Change, state: TrainState, method: str) -> TrainState:
    """Return the state after a method's change.

    Raises:
        MethodError: An array has the wrong shape or type.
    """
    contract.check(change, state.params.shape, method)
    kept = _or(change.masks, state.masks).copy()  # the method may reuse its array
    after = replace(
        state,
        masks=kept,
        params=np.where(kept, _or(change.params, state.params), np.float32(0)),
        trainable=_or(change.trainable, state.trainable),
        lr_scale=_or(change.lr_scale, state.lr_scale),
        active_counts=_or(change.active_counts, state.active_counts),
        # New counts are met at once, not at the next choice of a mask
        active=state.active if change.active_counts is None else None,
        adapters=None if change.plain else _or(change.adapters, state.adapters),
        trained=_or(change.trained, state.trained),
        status=_latest(change.status, state.status),
    )
    going_on = after.moving
    if change.reset_momentum is not None:
        going_on = going_on & ~change.reset_momentum
    momentum = np.where(going_on, state.momentum, np.float32(0))
    moments, born = _moments(change, state, going_on)
    return replace(after, momentum=momentum, moments=moments, born=born)


def _moments(
    change: Change, state: TrainState, going_on: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the moments of θ after a change, and since when they count.

    Those of parameters that do not go on training begin anew, and so do those of
    parameters that only now come back.
    """
    if state.moments is None or state.born is None or change.adapters is not None:
        return None, None  # they cover the adapters, too: new ones have none
    count, size = going_on.shape
    rest = 0 if change.plain else state.born.shape[1] - size
    adapters = np.ones((count, rest), bool)
    stay = np.concatenate([going_on & state.moving, adapters], axis=1)
    moments, born = state.moments[..., : size + rest], state.born[:, : size + rest]
    moments = np.where(stay[:, None], moments, np.float32(0))
    return moments, np.where(stay, born, state.step)


def _or(new: Any, old: Any) -> Any:
    """Return the new value, or the old one if there is none."""
    return old if new is None else new


def _latest(new: np.ndarray | None, old: np.ndarray | None) -> np.ndarray | None:
    """Return the latest status of each network; an empty one changes nothing."""
    return _or(new, old) if new is None or old is None else np.where(new, new, old)


def viewer(
    job: TrainJob, configs: pd.DataFrame
) -> Callable[[TrainJob, TrainState], View]:
    """Return a function from a job and a state to the method's view of them."""
    table = configs.loc[configs.index.repeat(job.plan.siblings)]
    fields = config.fields(METHODS[table["method"].iloc[0]].options).values()
    options = {f.name: table[f.name].to_numpy() for f in fields if f.per_network}
    keep = table["keep"].fillna(0).to_numpy(np.int64)
    seed = table["seed"].to_numpy(np.int64)

    def see(job: TrainJob, state: TrainState) -> View:
        return View(
            width=job.width,
            # Decisions before `stop_epoch` must be those of the whole training
            plan=job.plan.whole or job.plan,
            step=state.step,
            params=_read_only(state.params),
            masks=_read_only(state.masks),
            initial=_read_only(job.initial),
            adapters=None if state.adapters is None else _read_only(state.adapters),
            keep=_read_only(keep),
            lr=_read_only(job.lr),
            rates=lambda start, stop: job.rates(state, start, stop),
            options={name: _read_only(column) for name, column in options.items()},
            batch=job.batch_at,
            task=job.task,
            stream=lambda n, purpose: seeds.stream(
                f"method/{purpose}", int(seed[n]), job.width
            ),
        )

    return see


def _read_only(array: np.ndarray) -> np.ndarray:
    """Return a read-only view of an array."""
    view = array.view()
    view.flags.writeable = False
    return view
