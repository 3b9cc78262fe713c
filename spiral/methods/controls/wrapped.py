"""Methods inside methods: a recipe lets another method find a mask.

The wrapped method has its default options. The id of a recipe's config does not contain
these, so a recipe runs their first defaults, and its own options hold, under the names
of the wrapped method, whatever differs from them: options that follow from width and
keep, and options whose default has changed. A first default that is given becomes null,
so that it has the id of launches that were planned before there was another. A recipe
is handed the methods it may wrap; it imports no registry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral import spelling
from spiral.methods.entry import Entry, Mistake, without_effect
from spiral.protocol import config
from spiral.protocol.config import Options, unit
from spiral.protocol.job import Change, Method, Plan, View


def _of(name: str, **bounds: Any) -> Any:
    """Return an option of the wrapped method, given its unit."""
    text = "of method `of`, if it has them"
    return Field(None, description=text, json_schema_extra=unit(name), **bounds)


class WrappedOptions(Options):
    """Options of every recipe over another method's mask."""

    of: str = Field(description="method that finds the mask")
    levels: int | None = _of("prunings", ge=1)
    retrain_epochs: int | None = _of("epochs", ge=1)
    frames: int | None = _of("frames", ge=1)
    ball_share: float | None = _of("-", gt=0, le=1)
    cycles: int | None = _of("prunings", ge=1)
    dense_share: float | None = _of("-", gt=0, lt=1)
    retrain_share: float | None = _of("-", gt=0)
    penalty_rate: Literal["base", "scheduled"] | None = Field(
        None, description="of method `of`, if it has them"
    )


DERIVED = tuple(config.fields(WrappedOptions).keys() - {"of"})
"""What a recipe knows of the options of the method it wraps."""

AS_GIVEN = ("levels", "retrain_epochs", "frames")
"""Those that 0.1.0 knew: it accepted them with every method, and ids contain them."""
LATER = tuple(name for name in DERIVED if name not in AS_GIVEN)


@dataclass(frozen=True)
class Wrapped:
    """A wrapped method as a recipe runs it: with its own plan and options."""

    entry: Entry
    method: Method

    def start(self, view: View) -> Any:
        """Return what the method remembers at the start."""
        return self.method.start(self._seen(view))

    def act(self, view: View, state: Any) -> tuple[Change, Any]:
        """Let the method act."""
        return self.method.act(self._seen(view), state)

    def _seen(self, view: View) -> View:
        """Return what the method sees."""
        assert view.plan.first is not None
        count = len(view.keep)
        own = settings(self.entry, {}, per_network=True)
        options = {name: np.full(count, value) for name, value in own.items()}
        return replace(view, plan=whole(view.plan.first), options=options)


@dataclass(frozen=True)
class Wrappable:
    """The methods that a recipe can wrap, among those of a registry."""

    methods: Mapping[str, Entry]
    """The registry, which may be filled later."""

    def known(self) -> dict[str, Entry]:
        """Return the methods that keep a number of weights and are no recipe.

        They need no option that only a grid can give.
        """
        return {
            name: entry
            for name, entry in self.methods.items()
            if entry.needs_keep
            and not any(f.required for f in config.fields(entry.options).values())
        }

    def build(self, of: str, **given: Any) -> Wrapped:
        """Build a method with its first default options, or those given."""
        entry = self.known()[of]
        return Wrapped(entry, entry.build(**settings(entry, given, per_network=False)))

    def configs(self, table: pd.DataFrame) -> tuple[Entry, pd.DataFrame]:
        """Return the one wrapped method of configs, and these as if they were its."""
        of = table["of"].iloc[0]
        entry = self.known()[of]
        columns = {}
        for name, field in config.fields(entry.options).items():
            column = pd.Series(
                config.column(field, [field.first_default] * len(table)), table.index
            )
            given = table.get(name) if name in DERIVED else None
            columns[name] = column if given is None else given.fillna(column)
        return entry, table.assign(method=of, **columns)

    def derive(self, table: pd.DataFrame) -> dict[str, pd.Series]:
        """Return the options of wrapped methods that differ from first defaults."""
        found: dict[str, list[pd.Series]] = {}
        for of, part in table.groupby("of", sort=False):
            if of in self.known():
                entry, configs = self.configs(part)
                for name, values in _known(entry, configs).items():
                    found.setdefault(name, []).append(values)
        return {
            name: pd.concat(parts).reindex(table.index) for name, parts in found.items()
        }

    def same_as_none(self, table: pd.DataFrame) -> dict[str, pd.Series]:
        """Return where an option is at the wrapped method's first default."""
        found = {name: pd.Series(False, table.index) for name in LATER}
        for of, part in table.groupby("of", sort=False):
            if of in self.known():
                own = config.fields(self.known()[of].options)
                for name in own.keys() & set(LATER):
                    same = part[name] == own[name].first_default
                    found[name][part.index] = same.fillna(False).astype(bool)
        return found

    def check(self, table: pd.DataFrame) -> list[Mistake]:
        """The wrapped method must exist, accept the configs and have their options."""
        found = []
        for of, part in table.groupby("of", sort=False):
            if of not in self.known():
                hint = spelling.suggest(str(of), self.known(), spelling.METHODS)
                text = f"expected a method that finds a mask, got {of!r}; {hint}"
                found.append(Mistake("of", text, of))
                continue
            entry, configs = self.configs(part)
            every = pd.Series(True, part.index)
            for name in LATER:
                if name not in config.fields(entry.options):
                    found += without_effect(part, name, None, every, f"of: {of}")
            for mistake in entry.check(configs):
                text = f"{of} does not accept its {mistake.field}: {mistake.message}"
                found.append(Mistake("of", text, of))
        return found


def _known(entry: Entry, configs: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the options of a wrapped method that its recipe's config contains."""
    found = {
        field.name: pd.Series(
            config.column(field, [field.default] * len(configs)), configs.index
        )
        for field in config.changed(entry.options)
        if field.name in DERIVED
    }
    return found | entry.derive(configs)


def settings(entry: Entry, given: dict[str, Any], per_network: bool) -> dict[str, Any]:
    """Return a method's options: those that were given, else its first defaults."""
    fields = config.fields(entry.options).values()
    chosen = [field for field in fields if field.per_network == per_network]
    first = {field.name: field.first_default for field in chosen}
    known = {n: v for n, v in given.items() if n in first and v is not None}
    return first | known


def whole(plan: Plan) -> Plan:
    """Return the plan that this one is the beginning of, or itself."""
    return plan.whole or plan
