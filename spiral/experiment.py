"""Train one pack: configs in, rows out. Engines and methods meet only here."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from spiral import contract, engines
from spiral.engines.paced import OnProgress, Paced
from spiral.errors import MethodError, UnsupportedJob
from spiral.methods import registry
from spiral.methods.registry import METHODS
from spiral.model import initial, masks, seeds
from spiral.protocol import config, shared_prefix
from spiral.protocol.job import (
    Budget,
    Change,
    Evaluation,
    Method,
    Plan,
    Trainer,
    TrainJob,
    TrainState,
    View,
)
from spiral.results import columns
from spiral.tasks import cubist


def run(configs: pd.DataFrame, on_progress: OnProgress | None = None) -> pa.Table:
    """Train one pack.

    Args:
        configs: Resolved configs that share method, width and plan (``sweep.packs``
            makes such packs), with their ``config_id``.
        on_progress: Called about once a second with the share of training done.

    Returns:
        One row per config, in the same order, with the columns of ``columns.schema()``.

    Raises:
        UnsupportedJob: No engine supports the plan.
        MethodError: The method breached its contract.
    """
    began = time.perf_counter()
    shared = configs.iloc[0]
    method = build_method(shared)
    plan = plan_of(method, shared)
    name = engine_of(shared, plan)
    engine = engines.build(name)
    job = make_job(configs, plan)
    paced = engine if on_progress is None else Paced(engine, job.networks, on_progress)
    try:
        state = train(paced, method, job, configs)
    except MethodError as error:
        raise narrowed(error, configs, lambda part: engine) from error
    own = slice(None, None, plan.siblings)  # the first sibling carries the result
    results = _results(job, state, engine.evaluate(job, state), configs, own)
    seconds = (time.perf_counter() - began) / len(configs)
    constants = {"engine_used": engine.name, "steps": plan.steps, "seconds": seconds}
    results |= {key: [value] * len(configs) for key, value in constants.items()}
    return columns.assemble(configs, results, registry.options())


def build_method(shared: pd.Series) -> Method:
    """Build the method of a pack from the options that the pack shares."""
    entry = METHODS[shared["method"]]
    fields = config.fields(entry.options).values()
    values = {f.name: (f.kind, shared[f.name]) for f in fields if not f.per_network}
    options = {n: None if pd.isna(v) else kind(v) for n, (kind, v) in values.items()}
    with contract.blamed(entry.build, "building", shared.to_frame().T):
        return entry.build(**options)


def plan_of(method: Method, shared: pd.Series) -> Plan:
    """Return a method's plan, validated and cut at ``stop_epoch``.

    Raises:
        MethodError: The value is not a plan, its events do not increase within
            0 … steps, or a curve has the wrong length.
    """
    per_epoch = cubist.POINTS // int(shared["batch"])
    with contract.blamed(method, "plan", shared.to_frame().T):
        budget = Budget(int(shared["epochs"]), per_epoch)
        plan = contract.plan(method.plan(budget), shared["method"])
    events = list(plan.events)
    if events != sorted(set(events)) or not all(0 <= e <= plan.steps for e in events):
        raise MethodError(
            f"{shared['method']}: expected increasing events within 0 … {plan.steps}, "
            f"got {events}"
        )
    for name, curve in plan.curves.items():
        if len(curve) != plan.steps:
            raise MethodError(
                f"{shared['method']}: expected {plan.steps} factors in curve {name}, "
                f"got {len(curve)}"
            )
    stop = shared["stop_epoch"]
    return plan if pd.isna(stop) else plan.until(int(stop) * per_epoch)


def engine_of(shared: pd.Series, plan: Plan) -> str:
    """Return the name of the engine that trains a config.

    Raises:
        UnsupportedJob: No engine supports the plan; with the reasons.
    """
    name, reasons = engines.choose(shared["engine"], plan)
    if name is None:
        why = "; ".join(f"{engine}: {reason}" for engine, reason in reasons.items())
        raise UnsupportedJob(f"no engine supports method {shared['method']!r}: {why}")
    return name


def make_job(configs: pd.DataFrame, plan: Plan) -> TrainJob:
    """Draw initial weights and build the job, with siblings next to each other."""
    width = int(configs["width"].iloc[0])
    table = configs.loc[configs.index.repeat(plan.siblings)]
    drawn = zip(table["init"], table["init_seed"], strict=True)
    init = [initial.params(source, int(seed), width) for source, seed in drawn]
    return TrainJob(
        width=width,
        plan=plan,
        initial=np.stack(init),
        lr=table["lr"].to_numpy(np.float64),
        schedule=tuple(table["schedule"]),
        momentum=table["momentum"].to_numpy(np.float64),
        weight_decay=table["weight_decay"].to_numpy(np.float64),
        order_seeds=table["order_seed"].to_numpy(np.int64),
        batch=int(configs["batch"].iloc[0]),
    )


def train(
    engine: Trainer, method: Method, job: TrainJob, configs: pd.DataFrame
) -> TrainState:
    """Let the engine train from event to event and the method act at each."""
    see = _viewer(job, configs)
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
            if event in job.plan.replaced and event < job.plan.steps:
                state = replace(state, step=event + 1)
        return advance_once(engine, job, state, job.plan.steps, groups)


def narrowed(
    error: MethodError,
    configs: pd.DataFrame,
    engine_for: Callable[[pd.DataFrame], Trainer],
) -> MethodError:
    """Narrow an error down to the first row that raises it.

    A method acts on a whole pack at once, so its error does not name a row. Bisection
    trains halves of the pack again up to the failing event, which costs at most twice
    the work of the pack.

    Args:
        error: The error that the pack raised.
        configs: The pack.
        engine_for: Returns a trainer for some of its rows.
    """
    while error.step is not None and len(configs) > 1:
        half = (len(configs) + 1) // 2
        for part in (configs.iloc[:half], configs.iloc[half:]):
            some = part.reset_index(drop=True)
            again = _raised(engine_for(some), some, error.step)
            if again is not None:
                error, configs = again, some
                break
        else:
            return MethodError(
                f"{error}; neither half of these rows raises it again: the method "
                "mixes the rows of a pack, or draws random numbers outside view.stream"
            )
    return error


def _raised(engine: Trainer, configs: pd.DataFrame, step: int) -> MethodError | None:
    """Return the error a method raises on some rows at a step, if any."""
    try:
        method = build_method(configs.iloc[0])
        job = make_job(configs, plan_of(method, configs.iloc[0]))
        train(_Until(engine, step), method, job, configs)
    except MethodError as error:
        return error if error.step == step else None
    except Exception:  # report the original error, not a new one
        return None
    return None


@dataclass(frozen=True)
class _Until:
    """A trainer that stops at an event."""

    engine: Trainer
    last: int

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train, or raise StopIteration past the last event."""
        if stop > self.last:
            raise StopIteration
        return self.engine.advance(job, state, stop)


def advance_once(
    engine: Trainer, job: TrainJob, state: TrainState, stop: int, groups: np.ndarray
) -> TrainState:
    """Train one network of each group and copy its result to the others."""
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
    kept = _or(
        change.masks, state.masks
    ).copy()  # a copy: the method may go on changing its array
    after = replace(
        state,
        masks=kept,
        params=np.where(kept, _or(change.params, state.params), np.float32(0)),
        trainable=_or(change.trainable, state.trainable),
        lr_scale=_or(change.lr_scale, state.lr_scale),
        active_counts=_or(change.active_counts, state.active_counts),
        adapters=None if change.plain else _or(change.adapters, state.adapters),
        moments=state.moments if change.adapters is None else None,
        trained=_or(change.trained, state.trained),
        status=_latest(change.status, state.status),
    )
    moving = after.moving
    remembered = (
        moving if change.reset_momentum is None else moving & ~change.reset_momentum
    )
    return replace(after, momentum=np.where(remembered, state.momentum, np.float32(0)))


def _or(new: Any, old: Any) -> Any:
    """Return the new value, or the old one if there is none."""
    return old if new is None else new


def _latest(new: np.ndarray | None, old: np.ndarray | None) -> np.ndarray | None:
    """Return the latest status of each network; an empty one changes nothing."""
    return _or(new, old) if new is None or old is None else np.where(new, new, old)


def _viewer(job: TrainJob, configs: pd.DataFrame) -> Any:
    """Return a function from a job and a state to the method's view of them."""
    table = configs.loc[configs.index.repeat(job.plan.siblings)]
    fields = config.fields(METHODS[table["method"].iloc[0]].options).values()
    options = {f.name: table[f.name].to_numpy() for f in fields if f.per_network}
    keep = table["keep"].fillna(0).to_numpy(np.int64)
    seed = table["seed"].to_numpy(np.int64)

    def see(job: TrainJob, state: TrainState) -> View:
        return View(
            width=job.width,
            plan=job.plan.whole or job.plan,
            step=state.step,
            params=_read_only(state.params),
            masks=_read_only(state.masks),
            initial=_read_only(job.initial),
            adapters=None if state.adapters is None else _read_only(state.adapters),
            keep=_read_only(keep),
            lr=_read_only(job.lr),
            options={name: _read_only(column) for name, column in options.items()},
            batch=job.batch_at,
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
    wrong = (configs["keep"] != nnz).fillna(False).to_numpy(bool) & job.plan.exact
    status = np.full(len(configs), "") if state.status is None else state.status[own]
    return {
        "status": np.select(
            [
                ~finite,
                status == "aborted",
                effective == 0,
                status == "degenerate",
                wrong,
            ],
            ["diverged", "aborted", "collapsed", "degenerate", "infeasible"],
            "ok",
        ),
        "accuracy": evaluation.correct[own] / cubist.POINTS,
        "loss": loss,
        "entropy": evaluation.entropy[own],
        "running_loss": _running_loss(job, state)[own],
        "nnz": nnz,
        "nnz_params": kept.sum(axis=1),
        "trained_params": kept.sum(axis=1)
        if state.trained is None
        else state.trained[own],
        "effective_nnz": effective,
        "connected": effective > 0,
        **{f"nnz_{i + 1}": layers[:, i] for i in range(layers.shape[1])},
        "mask": [masks.to_bits(mask) for mask in kept],
        "weights": [p[m] for p, m in zip(params, kept, strict=True)],
    }


def _running_loss(job: TrainJob, state: TrainState) -> np.ndarray:
    """Return the mean batch loss of the last epoch; NaN if it has no training step."""
    window = range(job.last_epoch, job.plan.steps)
    trained = len(window) - sum(event in window for event in job.plan.replaced)
    return state.losses_so_far() / trained if trained else np.full(job.networks, np.nan)
