"""Tables of configs, and engines that move weights cheaply and row by row."""

import functools
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from spiral.engines import sparse
from spiral.experiment import prepare, training
from spiral.methods import registry
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from spiral.protocol import config, identity
from spiral.protocol.job import (
    Budget,
    Change,
    Method,
    Plan,
    TrainJob,
    TrainState,
    View,
)

DENSE_3 = "11,11,11/111,111,111/111,111,111/111"
EXAMPLES: dict[str, dict[str, Any]] = {
    "block": {"d1": 2, "d2": 3, "d3": 1},
    "mask": {"matrices": "11,10/11,01/10,11/11"},
    "magnitude": {"at_epoch": 1},
    "taylor_unit": {"rounds": 3, "batches": 2},
    "acdc_pp": {
        "first_dense": 0.2,
        "phase": 0.1,
        "last_dense": 0.2,
        "last_sparse": 0.3,
    },
    "ntk_sap": {"rounds": 4},
    "sms": {"cycles": 1},
    "bimp": {"recipe": "once"},
    "scratch": {"of": "snip"},
    "shuffled": {"of": "snip"},
}
"""Values of options that have no default, or none that is quick in two short epochs."""

WIDTHS = (3, 4, 5, 6, 7, 8, 16, 32, 64, 128, 256)
KEEPS = (*range(15, 27), 30, 33, 37, 40, 44, 50, 53, 55, 57, 60, 65)
CELLS = [(w, k) for w in WIDTHS for k in KEEPS if k < 2 * w * w + 3 * w]
"""Widths and keeps of the published comparison: 234."""


@functools.cache
def defaults(method: str, n: int) -> pd.DataFrame:
    """Return n configs of a method's defaults; tables begin with a copy."""
    own = config.fields(config.Config) | config.fields(METHODS[method].options)
    columns = {}
    for name, known in registry.config_fields().items():
        value = own[name].default if name in own else None
        columns[name] = config.column(known, [value] * n)
    return pd.DataFrame(columns)


def table(method: str, n: int = 3, **values: Any) -> pd.DataFrame:
    """Return n resolved configs of width 3; a list gives one value per config."""
    entry = METHODS[method]
    keep = {"keep": 11} if entry.needs_keep else {}
    usual = {"method": method, "width": 3, "epochs": 2, "seed": list(range(n)), **keep}
    given = {**usual, **EXAMPLES.get(method, {}), **values}
    given.setdefault("init_seed", given["seed"])
    given.setdefault("order_seed", given["seed"])
    for name in config.fields(entry.options):
        for selector, case, value in config.presets(entry.options, name):
            if given.get(selector) == case:
                given.setdefault(name, value)
    found, known = defaults(method, n).copy(), registry.config_fields()
    for name, value in given.items():
        column = value if isinstance(value, list) else [value] * n
        found[name] = config.column(known[name], column)
    for name, values_of_all in entry.resolved(found).items():
        found[name] = values_of_all
    found.insert(0, "config_id", identity.identify(found, registry.options()))
    return found


WIDTHS_AND_KEEPS = [(3, 15), (3, 24), (5, 40), (16, 15), (16, 65), (256, 16)]


@dataclass
class Still:
    """An engine under which nothing moves; it notes the masks it is given."""

    seen: list[np.ndarray] = field(default_factory=list)
    steps: list[tuple[int, int]] = field(default_factory=list)

    def advance(self, job: Any, state: TrainState, stop: int) -> TrainState:
        self.seen.append(masks.of_weights(state.masks, job.width))
        self.steps.append((state.step, stop))
        return replace(state, step=stop)


class Drift(Still):
    """Moves every kept weight by a wave of its own value and the step."""

    def advance(self, job: Any, state: TrainState, stop: int) -> TrainState:
        if stop == state.step:
            return super().advance(job, state, stop)
        state = super().advance(job, state, stop)
        wave = np.sin(97 * state.params + np.float32(stop))
        moved = np.where(state.masks, 0.9 * state.params + 0.1 * wave, 0)
        return replace(state, params=moved.astype(np.float32))


@dataclass
class Passing:
    """Engine sparse; it notes the state in which a training passes a step."""

    at: int
    noted: TrainState | None = None

    def advance(self, job: Any, state: TrainState, stop: int) -> TrainState:
        if self.noted is None and stop >= self.at:
            self.noted = state = sparse.SparseEngine().advance(job, state, self.at)
        return sparse.SparseEngine().advance(job, state, stop)


@dataclass
class Scripted:
    """A method that gives prepared answers."""

    changes: list[Change] = field(default_factory=list)
    events: tuple[int, ...] = (0,)
    more: dict[str, Any] = field(default_factory=dict)
    views: list[Any] = field(default_factory=list)

    def plan(self, budget):
        return Plan.simple(budget, *self.events, **self.more)

    def start(self, view):
        return iter(self.changes)

    def act(self, view, state):
        self.views.append(view)
        return next(state, Change()), state


def decide(configs: pd.DataFrame, engine: Still | None = None) -> TrainState:
    """Let a method act at all its events under a cheap engine.

    Of siblings the first is returned, which carries the row.
    """
    method, job, configs = prepared(configs)
    state = training.train(engine or Drift(), method, job, configs)
    return state.take(np.arange(0, job.networks, job.plan.siblings))


def prepared(configs: pd.DataFrame) -> tuple[Method, TrainJob, pd.DataFrame]:
    """Return the method and the job of a pack, and its configs without other options.

    With those of all methods, pandas takes longer than a short training.
    """
    own = config.fields_of(configs["method"].iloc[0], registry.options())
    few = configs[["config_id", *own]]
    method, plan = prepare.planned(few.iloc[0])
    return method, prepare.make_job(few, plan), few


def kept_weights(state: TrainState, width: int = 3) -> np.ndarray:
    return masks.of_weights(state.masks, width)


def plan_at(epochs: int, method: str, **options: Any) -> Any:
    """Return a method's plan at batches of 128."""
    return METHODS[method].build(**options).plan(Budget(epochs, 390))


def view_of(configs: pd.DataFrame, params: np.ndarray, kept: np.ndarray) -> View:
    """Return what a method sees of these parameters and masks, at step 0."""
    shared = configs.iloc[0]
    plan = prepare.plan_of(prepare.build_method(shared), shared)
    job = prepare.make_job(configs, plan)
    state = TrainState(0, params, kept, np.zeros_like(params))
    return training.viewer(job, configs)(job, state)


def first_view(configs: pd.DataFrame, params: np.ndarray | None = None) -> View:
    """Return what a method sees before training, of given parameters or its own."""
    if params is None:
        width = int(configs["width"].iloc[0])
        drawn = [mlp.initial_params(int(s), width) for s in configs["init_seed"]]
        params = np.stack(drawn)
    return view_of(configs, params, np.ones(params.shape, bool))


def act(configs: pd.DataFrame, params: np.ndarray | None = None) -> Change:
    """Return a method's answer before training."""
    method = prepare.build_method(configs.iloc[0])
    with np.errstate(invalid="ignore"):  # as in training
        return method.act(first_view(configs, params), None)[0]


def chosen(change: Change, width: int = 3) -> np.ndarray:
    """Return the weights [N, W] that an answer keeps."""
    assert change.masks is not None
    return masks.of_weights(change.masks, width)


def silent(width: int = 3) -> np.ndarray:
    """Return a network [1, P] whose first layer is dead and output a constant."""
    params = np.full((1, mlp.param_count(width)), 0.5, np.float32)
    params[:, mlp.layers(width)[0].weights] = 0
    params[:, mlp.layers(width)[0].biases] = -1
    return params


def surplus(count: Any, cells: list[tuple[int, int]] = CELLS) -> dict[int, int]:
    """Tally what a counting function keeps beyond what is asked for."""
    found: dict[int, int] = {}
    for width, keep in cells:
        total = 2 * width * width + 3 * width
        more = int(count(np.array([keep]), total)[0]) - keep
        found[more] = found.get(more, 0) + 1
    return found
