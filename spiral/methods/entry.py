"""What the registry knows of a method."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from spiral.protocol.config import Options, preset
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Method


class NoOptions(Options):
    """A method without options."""


Fidelity = Literal["exact", "zp24"]


def fidelity(**zp24: Any) -> Any:
    """Return the option ``fidelity``, given how ``zp24`` sets a method's options."""
    text = (
        "exact: the authors' algorithm at an exact budget; zp24: what the code of "
        "Zhang & Papyan (2024) does"
    )
    return preset("exact", text, {"zp24": zp24})


class Mistake(NamedTuple):
    """A value that a method does not accept."""

    field: str
    message: str
    value: Any


def within_training(field: str) -> Callable[[pd.DataFrame], list[Mistake]]:
    """Return a check that an option names an epoch of the training, or its end."""

    def check(table: pd.DataFrame) -> list[Mistake]:
        late = table[(table[field] > table["epochs"]).fillna(False)]
        if late.empty:
            return []
        epoch, epochs = late[[field, "epochs"]].iloc[0]
        text = f"expected an epoch of the training, 0 to {epochs}, got {epoch}"
        return [Mistake(field, text, epoch)]

    return check


def keep_or_all(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """Return the weights a config keeps: ``keep``, or all where it has none."""
    return CostProfile.even(table["keep"].fillna(weights).to_numpy(np.float64))


def no_gradients(table: pd.DataFrame) -> np.ndarray:
    """Return 0 for every config: the method uses no gradients."""
    return np.zeros(len(table))


def nothing_to_derive(_: pd.DataFrame) -> dict[str, pd.Series]:
    """Leave options that were left out as they are."""
    return {}


def nothing_to_check(_: pd.DataFrame) -> list[Mistake]:
    """Accept every config."""
    return []


@dataclass(frozen=True)
class Taxonomy:
    """How a method classifies (survey of Cheng et al., RigL's table 1).

    Of its default options.
    """

    unit: str
    """weight, n:m or neuron."""
    when: str
    """before, during or after training, or never."""
    schedule: str
    """once, gradual, iterative, alternating or none."""
    criterion: str
    """What ranks the weights."""
    grow: str = "none"
    """What brings weights back."""
    allocation: str = "global"
    """How kept weights are shared among the layers: the default of the option of this
    name, where there is one."""
    data: str = "none"
    """What a decision uses beside the weights."""
    cost: str = "sparse"
    """What trains: sparse, dense to sparse, dense or alternating."""
    second_phase: str = "none"
    """What follows the last pruning: none, train, fine-tune, rewind or re-initialise;
    none too where pruning is spread over one training."""


@dataclass(frozen=True)
class Entry:
    """One method: how to build it, and what others need to know about it."""

    build: Callable[..., Method]
    """Takes the options that a pack shares, by name."""
    summary: str
    citation: str
    taxonomy: Taxonomy
    options: type[Options] = NoOptions
    needs_keep: bool = True
    """Whether a config says how many weights to keep."""
    check: Callable[[pd.DataFrame], list[Mistake]] = nothing_to_check
    """Finds values that cannot work together, given configs of this method."""
    derive: Callable[[pd.DataFrame], dict[str, pd.Series]] = nothing_to_derive
    """Values of options that were left out and follow from the rest of a config."""
    cost_profile: Callable[[pd.DataFrame, int, np.ndarray], CostProfile] = keep_or_all
    """How many weights train when, given the weights of the configs' width and how many
    configs share the beginning of each."""
    gradients: Callable[[pd.DataFrame], np.ndarray] = no_gradients
    """About how many dense gradients of a batch the decisions for a network cost."""
    colour: str = ""
    """In figures, as ``#rrggbb``; no two methods share both colour and marker."""
    marker: str = ""
    """In figures, as matplotlib names it. Without a look of its own a method gets one
    that follows from its name."""


def method_class(entry: Entry) -> Any:
    """Return the class whose methods an entry builds, or what builds them."""
    built = inspect.unwrap(entry.build)
    if not isinstance(built, partial):
        return built
    return next((a for a in built.args if isinstance(a, type)), built.func)
