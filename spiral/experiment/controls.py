"""A config's controls of training, equal for all methods, and when they cannot be set.

They are laid over the plan of a method (``Plan.under``). A method that sets one of them
itself is not overruled: the config is refused.
"""

from itertools import chain

import pandas as pd

from spiral.methods.entry import Mistake
from spiral.methods.registry import METHODS
from spiral.protocol import config
from spiral.protocol.config import Config
from spiral.protocol.job import Adam, AdamW, Controls, Plan, Sgd

NAMES = ("optimiser", "nesterov", "label_smoothing")
"""Fields of a config that are controls of its method's plan."""


def of(shared: pd.Series) -> Controls:
    """Return the controls that a config sets.

    An option of the method that is called like a control is not one: ``optimiser`` of
    ``perp`` is that of its retraining.
    """
    sgd = Sgd(bool(shared["nesterov"]))
    kinds: dict[str, Sgd | Adam | AdamW] = {
        "sgd": sgd,
        "adam": Adam(),
        "adamw": AdamW(),
    }
    own = config.fields(METHODS[shared["method"]].options)
    optimiser = sgd if "optimiser" in own else kinds[shared["optimiser"]]
    return Controls(optimiser, float(shared["label_smoothing"]))


def taken(plan: Plan, shared: pd.Series) -> list[Mistake]:
    """Return the controls that a config sets although its method's plan does."""
    asked, found = of(shared), []
    if asked.label_smoothing and plan.label_smoothing:
        text = f"{shared['method']} has its own, {plan.label_smoothing:g}; leave it out"
        found.append(Mistake("label_smoothing", text, asked.label_smoothing))
    # One that starts late leaves the steps before to the config
    always = plan.optimiser != Sgd() and not getattr(plan.optimiser, "since", 0)
    if always and asked.optimiser != Sgd():
        field = "nesterov" if isinstance(asked.optimiser, Sgd) else "optimiser"
        name = plan.optimiser.name
        text = f"{shared['method']} trains by its own optimiser, {name}; leave it out"
        found.append(Mistake(field, text, shared[field]))
    return found


def touched(table: pd.DataFrame) -> pd.DataFrame:
    """Return one config for each plan among those of one method that set controls."""
    fields = config.fields(Config)
    own = config.fields(METHODS[table["method"].iloc[0]].options)
    names = [name for name in NAMES if name not in own]
    usual = {name: fields[name].default for name in names}
    unusual = (table[names] != pd.Series(usual)).any(axis=1)
    if not unusual.any():  # selecting no rows would still copy every column
        return table.iloc[:0]
    some = table[unusual]
    every = chain(fields.values(), own.values())
    shared = {field.name for field in every if not field.per_network}
    return some.drop_duplicates([*shared])


def contradictions(table: pd.DataFrame) -> list[Mistake]:
    """Return the controls of one method's configs that contradict other fields."""
    found = []
    own = config.fields(METHODS[table["method"].iloc[0]].options)
    adam = table["optimiser"].ne("sgd") & ("optimiser" not in own)
    if (table["nesterov"] & adam).any():
        text = "adam and adamw have no such momentum; leave it out"
        found.append(Mistake("nesterov", text, True))
    if (table["nesterov"] & table["momentum"].eq(0)).any():
        text = "expected a momentum above 0, got 0; leave one of them out"
        found.append(Mistake("nesterov", text, True))
    other = table["momentum"].ne(config.fields(Config)["momentum"].default)
    if (adam & other).any():
        text = "adam and adamw have β instead, 0.9 and 0.999; leave it out"
        found.append(Mistake("momentum", text, table["momentum"][adam & other].iloc[0]))
    return found
