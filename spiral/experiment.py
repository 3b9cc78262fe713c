"""One pack: configs in, rows out. The only place where engines and methods meet."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from spiral import config, cubist, engines, masks, mlp, rows, seeds
from spiral.errors import MethodError, UnsupportedJob
from spiral.job import (
    Budget,
    Change,
    Engine,
    Evaluation,
    Method,
    Plan,
    TrainJob,
    TrainState,
    View,
)
from spiral.methods import METHODS


def run(configs: pd.DataFrame) -> pa.Table:
    """Train one pack.

    Args:
        configs: Resolved configs that share method, width and plan (``sweep.plan``
            makes such packs), with their ``config_id``.

    Returns:
        One row per config, in the same order, with the columns of ``rows.schema()``.

    Raises:
        UnsupportedJob: No engine can train the plan.
        MethodError: The method broke its contract.
    """
    began = time.perf_counter()
    shared = configs.iloc[0]
    method = build_method(shared)
    plan = plan_of(method, shared)
    name = engine_of(shared, plan)
    engine = engines.build(name)
    job = make_job(configs, plan)
    state = train(engine, method, job, configs)
    own = slice(None, None, plan.siblings)  # the first sibling carries the result
    results = _results(job, state, engine.evaluate(job, state), configs, own)
    seconds = (time.perf_counter() - began) / len(configs)
    constants = {"engine_used": name, "steps": plan.steps, "seconds": seconds}
    results |= {key: [value] * len(configs) for key, value in constants.items()}
    return rows.assemble(configs, results)


def build_method(shared: pd.Series) -> Method:
    """Build the method of a pack from the options that the pack shares."""
    entry = METHODS[shared["method"]]
    fields = config.fields(entry.options).values()
    options = {f.name: f.kind(shared[f.name]) for f in fields if not f.per_network}
    return entry.build(**options)


def plan_of(method: Method, shared: pd.Series) -> Plan:
    """Ask a method for its plan and check that it makes sense.

    Raises:
        MethodError: Events do not rise within 0 … steps, or curves have a wrong length.
    """
    plan = method.plan(Budget(int(shared["epochs"]), cubist.POINTS // shared["batch"]))
    events = list(plan.events)
    if events != sorted(set(events)) or not all(0 <= e <= plan.steps for e in events):
        raise MethodError(
            f"{shared['method']}: events must rise within 0 … {plan.steps}, "
            f"got {events}"
        )
    for name, curve in plan.curves.items():
        if len(curve) != plan.steps:
            raise MethodError(
                f"{shared['method']}: curve {name} needs {plan.steps} factors, "
                f"got {len(curve)}"
            )
    return plan


def engine_of(shared: pd.Series, plan: Plan) -> str:
    """Return the name of the engine that a config trains on.

    Raises:
        UnsupportedJob: None can, with the reason of each.
    """
    name, reasons = engines.choose(shared["engine"], plan)
    if name is None:
        why = "; ".join(f"{engine}: {reason}" for engine, reason in reasons.items())
        raise UnsupportedJob(f"no engine can train method {shared['method']!r}: {why}")
    return name


def make_job(configs: pd.DataFrame, plan: Plan) -> TrainJob:
    """Draw everything random and lay out the networks, siblings side by side."""
    width = int(configs["width"].iloc[0])
    table = configs.loc[configs.index.repeat(plan.siblings)]
    init = [mlp.initial_params(int(s), width) for s in table["init_seed"]]
    orders = [
        seeds.child(int(seed), n % plan.siblings)
        for n, seed in enumerate(table["order_seed"])
    ]
    return TrainJob(
        width=width,
        plan=plan,
        initial=np.stack(init),
        lr=table["lr"].to_numpy(np.float64),
        schedule=tuple(table["schedule"]),
        momentum=table["momentum"].to_numpy(np.float64),
        weight_decay=table["weight_decay"].to_numpy(np.float64),
        order_seeds=np.array(orders),
        batch=int(configs["batch"].iloc[0]),
    )


def train(
    engine: Engine, method: Method, job: TrainJob, configs: pd.DataFrame
) -> TrainState:
    """Let the engine train from event to event and the method act at each."""
    see = _viewer(job, configs)
    state = TrainState.fresh(job)
    name = configs["method"].iloc[0]
    with _floating_point_silence():
        memory = method.start(see(state))
        for event in job.plan.events:
            state = engine.advance(job, state, event)
            change, memory = method.act(see(state), memory)
            state = apply(change, state, name)
            if job.plan.replaces_step and event < job.plan.steps:
                state = replace(state, step=event + 1)
        return engine.advance(job, state, job.plan.steps)


def apply(change: Change, state: TrainState, method: str) -> TrainState:
    """Return the state after a method's change.

    Raises:
        MethodError: An array has the wrong shape or type.
    """
    for field in ("masks", "params", "forget", "trainable"):
        _check_array(method, field, getattr(change, field), state.params)
    kept = state.masks if change.masks is None else change.masks
    params = state.params if change.params is None else change.params
    trainable = state.trainable if change.trainable is None else change.trainable
    moving = kept if trainable is None else kept & trainable
    remembered = moving if change.forget is None else moving & ~change.forget
    return replace(
        state,
        masks=kept,
        params=np.where(kept, params, np.float32(0)),
        momentum=np.where(remembered, state.momentum, np.float32(0)),
        trainable=None if trainable is None else moving,
        lr_scale=state.lr_scale if change.lr_scale is None else change.lr_scale,
    )


def _check_array(
    method: str, field: str, array: np.ndarray | None, params: np.ndarray
) -> None:
    """Raise MethodError unless an array of a change is absent or as promised."""
    dtype = params.dtype if field == "params" else np.dtype(bool)
    if array is None or (array.shape == params.shape and array.dtype == dtype):
        return
    raise MethodError(
        f"{method}: Change.{field} must be {dtype} {list(params.shape)}, "
        f"got {array.dtype} {list(array.shape)}"
    )


def _viewer(job: TrainJob, configs: pd.DataFrame) -> Any:
    """Return a function from a state to what the method may see of it."""
    table = configs.loc[configs.index.repeat(job.plan.siblings)]
    fields = config.fields(METHODS[table["method"].iloc[0]].options).values()
    options = {f.name: table[f.name].to_numpy() for f in fields if f.per_network}
    keep = table["keep"].fillna(0).to_numpy(np.int64)
    seed = table["seed"].to_numpy(np.int64)

    def see(state: TrainState) -> View:
        return View(
            width=job.width,
            plan=job.plan,
            step=state.step,
            params=_read_only(state.params),
            masks=_read_only(state.masks),
            initial=_read_only(job.initial),
            keep=keep,
            options=options,
            batch=job.batch_at,
            stream=lambda n, purpose: seeds.stream(purpose, int(seed[n]), job.width),
        )

    return see


def _read_only(array: np.ndarray) -> np.ndarray:
    """Return a view of an array that cannot be written through."""
    view = array.view()
    view.flags.writeable = False
    return view


@contextmanager
def _floating_point_silence() -> Iterator[None]:
    """Let diverging networks be NaN without warnings; their rows say so."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        yield


def _results(
    job: TrainJob,
    state: TrainState,
    evaluation: Evaluation,
    configs: pd.DataFrame,
    own: slice,
) -> dict[str, Any]:
    """Return the result columns that do not depend on the machine."""
    kept, params = state.masks[own], state.params[own]
    weights = masks.of_weights(kept, job.width)
    effective = masks.on_path(kept, job.width).sum(axis=1)
    layers = masks.layer_counts(kept, job.width)
    loss = evaluation.loss[own]
    finite = np.isfinite(params).all(axis=1) & np.isfinite(loss)
    nnz = weights.sum(axis=1)
    wrong = (configs["keep"] != nnz).fillna(False).to_numpy(bool)
    return {
        "status": np.select(
            [~finite, effective == 0, wrong],
            ["diverged", "collapsed", "infeasible"],
            "ok",
        ),
        "accuracy": evaluation.correct[own] / cubist.POINTS,
        "loss": loss,
        "nnz": nnz,
        "nnz_params": kept.sum(axis=1),
        "effective_nnz": effective,
        **{f"nnz_{i + 1}": layers[:, i] for i in range(layers.shape[1])},
        "mask": [masks.to_bits(mask) for mask in kept],
        "weights": [p[m] for p, m in zip(params, kept, strict=True)],
    }
