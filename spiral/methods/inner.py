"""Methods inside methods: a recipe lets another method find a mask, as it does itself.

The inner method has its default options, but for those that follow from width and keep,
which the recipe's options hold under their own names.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from spiral import config, spelling
from spiral.config import Options
from spiral.job import Change, Method, Plan, View
from spiral.methods.entry import Entry, Mistake


class InnerOptions(Options):
    """Options of every recipe over another method's mask."""

    of: str = Field(description="method whose mask it is")
    levels: int | None = Field(None, ge=1, description="of method `of`, if it has them")
    retrain_epochs: int | None = Field(
        None, ge=1, description="of method `of`, if it has them"
    )
    frames: int | None = Field(None, ge=1, description="of method `of`, if it has them")


DERIVED = tuple(config.fields(InnerOptions).keys() - {"of"})


def known() -> dict[str, Entry]:
    """Return the methods that a recipe can use: they keep a number, and are no recipe.

    They need no option that only a grid can give.
    """
    from spiral.methods import METHODS  # it lists the recipes, too

    return {
        name: entry
        for name, entry in METHODS.items()
        if entry.needs_keep
        and not any(f.required for f in config.fields(entry.options).values())
    }


def settings(entry: Entry, given: dict[str, Any], per_network: bool) -> dict[str, Any]:
    """Return a method's options: those that were given, else its defaults."""
    fields = config.fields(entry.options).values()
    chosen = [field for field in fields if field.per_network == per_network]
    defaults = {field.name: field.default for field in chosen}
    return defaults | {n: v for n, v in given.items() if n in defaults and v}


def build(of: str, **given: Any) -> Method:
    """Build the inner method."""
    entry = known()[of]
    return entry.build(**settings(entry, given, per_network=False))


def act(of: str, method: Method, view: View, state: Any) -> tuple[Change, Any]:
    """Let the inner method act, which sees its own plan and options."""
    return method.act(seen(of, view), state)


def seen(of: str, view: View) -> View:
    """Return what the inner method sees."""
    assert view.plan.first is not None
    count = len(view.keep)
    own = settings(known()[of], {}, per_network=True)
    options = {name: np.full(count, value) for name, value in own.items()}
    return replace(view, plan=whole(view.plan.first), options=options)


def whole(plan: Plan) -> Plan:
    """Return the plan that this one is the beginning of, or itself."""
    return plan.whole or plan


def configs(table: pd.DataFrame) -> pd.DataFrame:
    """Return configs of one inner method as if they were of that method itself."""
    of = table["of"].iloc[0]
    entry = known()[of]
    columns = {}
    for name, field in config.fields(entry.options).items():
        column = pd.Series(
            config.column(field, [field.default] * len(table)), table.index
        )
        given = table.get(name) if name in config.fields(InnerOptions) else None
        columns[name] = column if given is None else given.fillna(column)
    return table.assign(method=of, **columns)


def derive(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the options of inner methods that follow from width and keep."""
    found: dict[str, list[pd.Series]] = {}
    for of, part in table.groupby("of", sort=False):
        if of in known():
            derived = known()[str(of)].derive(configs(part))
            for name, values in derived.items():
                found.setdefault(name, []).append(values)
    return {
        name: pd.concat(parts).reindex(table.index) for name, parts in found.items()
    }


def check(table: pd.DataFrame) -> list[Mistake]:
    """The inner method must exist, and find nothing wrong itself."""
    found = []
    for of, part in table.groupby("of", sort=False):
        if of not in known():
            hint = spelling.suggest(str(of), known(), spelling.METHODS)
            text = f"{of!r} is no method to take masks from; {hint}"
            found.append(Mistake("of", text, of))
            continue
        for mistake in known()[str(of)].check(configs(part)):
            text = f"{of} says of its {mistake.field}: {mistake.message}"
            found.append(Mistake("of", text, of))
    return found
