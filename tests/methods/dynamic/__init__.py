"""Methods that rewire a network while it trains: one update at a time."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from spiral.experiment import training
from spiral.methods.parts import shares
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from spiral.protocol.job import Change, TrainState, View
from tests.methods import act, chosen, first_view, table


def options(method: str, **changed: Any) -> dict[str, Any]:
    """Return a method's options, all but some at their defaults."""
    defaults = METHODS[method].options().model_dump(exclude={"fidelity"})
    return defaults | changed


def start(method: str, width: int = 16, keep: int = 60, n: int = 3) -> Any:
    """Return configs of 50 epochs, parameters [n, P] and first masks [n, W]."""
    configs = table(method, n, width=width, keep=keep, epochs=50)
    params = np.stack([mlp.initial_params(seed, width) for seed in range(n)])
    return configs, params, chosen(act(configs), width)


def erk_shares(width: int, keep: int) -> np.ndarray:
    """Return each layer's share of the weights kept."""
    return shares.quotas(np.array([keep]), width, "erk")[0]


def seen_at(
    step: int, configs: pd.DataFrame, params: np.ndarray, kept: np.ndarray
) -> View:
    """Return what a method sees at a step, of the weights kept [N, W]."""
    full = masks.with_biases(kept, int(configs["width"].iloc[0]))
    view = first_view(configs, np.where(full, params, np.float32(0)))
    return replace(view, step=step, masks=full)


def update(seen: View, method: str, **changed: Any) -> Change:
    """Return the change of one update."""
    return METHODS[method].build(**options(method, **changed)).act(seen, None)[0]


def after(seen: View, change: Change) -> TrainState:
    """Return the state after a change, where all that was kept had momentum 1."""
    momentum = seen.masks.astype(np.float32)
    state = TrainState(seen.step, seen.params, seen.masks, momentum)
    return training.apply(change, state, "a method")
