"""Short trainings of the straight-through family, and the states on the way."""

import json
from typing import Any

import numpy as np

from spiral import engines
from spiral.experiment import prepare
from spiral.protocol.job import TrainState
from tests import GOLDEN_FILES
from tests.methods import Still, decide, table

FAMILY = ["ste", "sr_ste", "mdgf_linear", "mdgf_exp", "sdgf_step", "sdgf_geometric"]
SHORT = {"epochs": 5, "batch": 5000, "keep": 20}
"""45 steps."""


def golden() -> dict[str, Any]:
    """Return what the authors' code gives."""
    file = GOLDEN_FILES / "flow.json"
    return json.loads(file.read_text())


class Noting:
    """Engine vmap; it notes states, every ``apart`` steps and before every event."""

    def __init__(self, apart=10**6):
        self.apart, self.states = apart, []

    def advance(self, job, state, stop):
        while state.step < stop:
            on_the_way = min(stop, state.step + self.apart)
            state = engines.build("vmap").advance(job, state, on_the_way)
            self.states.append(state)
        return state


class Showing(Still):
    """Nothing moves; it notes what is shown from each event on."""

    def __init__(self):
        super().__init__()
        self.said = []

    def advance(self, job, state, stop):
        if state.active_counts is not None and stop > state.step:
            self.said.append(state.active_counts[0])
        return super().advance(job, state, stop)


def trained(name, n=3, engine=None, **values):
    """Return the state after a short training on engine vmap."""
    return decide(table(name, n, **{**SHORT, **values}), engine or Noting())


def same(a: TrainState, b: TrainState) -> bool:
    return np.array_equal(a.params, b.params) and np.array_equal(a.masks, b.masks)


def options(name, **values):
    """Return the options of a method as a config of 50 epochs resolves them."""
    row = table(name, 1, **{"epochs": 50, **values}).iloc[0]
    return prepare.build_method(row)


def shown(name, **values):
    """Return (epoch, what groups show, who competes) of each frame."""
    values = {"epochs": 50, **values}
    configs, engine = table(name, 1, **values), Showing()
    plan = prepare.plan_of(prepare.build_method(configs.iloc[0]), configs.iloc[0])
    decide(configs, engine)
    scopes = plan.weight_map.scopes
    return [(e / 390, s, scopes[e]) for e, s in zip(scopes, engine.said, strict=True)]
