"""Rows at defaults of earlier versions, so that nobody takes them for today's.

Rows name the value of every option, whatever its default was or is. What they do not
show is that a method "at its defaults" is another method now; these functions do.
"""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import pandas as pd

from spiral.protocol import config
from spiral.protocol.config import OptionClasses

WRAPPED = "of"
"""The option of recipes that names the method whose options theirs are, too."""


class Old(NamedTuple):
    """An option for which rows of a method have its first default, not today's."""

    method: str
    """Of a recipe with the method it wraps: ``scratch of sfw``."""
    option: str
    was: Any
    now: Any
    """None if it follows from the rest of a config."""


class Place(NamedTuple):
    """Rows of a method that has an option whose default has changed."""

    old: Old
    values: pd.Series
    """What the rows have."""

    def at(self, value: Any) -> pd.Series:
        """Return which of the rows have a value."""
        return (self.values == value).fillna(False).astype(bool)


def of(rows: pd.DataFrame, options: OptionClasses) -> list[Old]:
    """Return the options of which rows have a default that has changed.

    Args:
        rows: Configs or rows with all their options (``versions.complete``).
        options: Those of the methods that this process knows.
    """
    return [
        place.old for place in _places(rows, options) if place.at(place.old.was).any()
    ]


def latest(
    rows: pd.DataFrame, options: OptionClasses
) -> tuple[pd.DataFrame, list[str]]:
    """Leave out rows at an old default of methods that also have rows at today's.

    A method at its defaults is then one method, the best of no two.

    Returns:
        The rows left, and notes: what was left out, and which old defaults stay.
    """
    removed: dict[str, set[Any]] = {}
    for place in _places(rows, options):
        old = place.old
        if old.now is not None and place.at(old.now).any():
            places = place.values.index[place.at(old.was)]
            removed.setdefault(old.method, set()).update(places)
    notes = [
        f"{len(found):,} row{'s' * (len(found) > 1)} at old defaults of {method} "
        "left out"
        for method, found in removed.items()
        if found
    ]
    gone = set().union(*removed.values())
    left = rows.drop(index=list(gone)).reset_index(drop=True) if gone else rows
    return left, [*notes, *sentences(of(left, options))]


def _places(rows: pd.DataFrame, options: OptionClasses) -> Iterator[Place]:
    """Yield the rows of each method, also of a wrapped one, for each such option."""
    for method in rows["method"].drop_duplicates():
        own = options.get(method, config.Options)
        names = config.fields(own).keys()
        if not config.changed(own) and WRAPPED not in names:
            continue  # nearly all: selecting rows would take most of the time
        part = rows[[name for name in names if name in rows]][rows["method"] == method]
        yield from _among(part, method, own)
        if WRAPPED in names:
            for inner, wrapped in part.groupby(WRAPPED, sort=False):
                model = options.get(inner, config.Options)
                yield from _among(wrapped, f"{method} of {inner}", model, names)


def _among(
    part: pd.DataFrame,
    method: str,
    model: type[config.Options],
    known: Collection[str] | None = None,
) -> Iterator[Place]:
    """Yield the rows for each option of a class whose default has changed.

    Args:
        part: Rows of one method.
        method: Its name in sentences.
        model: The options, the wrapped method's for a recipe.
        known: The options of a recipe, in which null means the first default.
    """
    for field in config.changed(model):
        old = Old(method, field.name, field.first_default, field.default)
        if known is None:
            yield Place(old, part[field.name])
        elif field.name in known:
            yield Place(old, part[field.name].fillna(field.first_default))


def sentences(found: list[Old]) -> list[str]:
    """Return which methods have rows at old defaults, a sentence for each."""
    parts: dict[str, list[Old]] = {}
    for each in found:
        parts.setdefault(each.method, []).append(each)
    return [f"{name}: {_words(olds)}" for name, olds in parts.items()]


def _words(olds: list[Old]) -> str:
    """Return what rows of one method have, and what the defaults are now."""
    had = ", ".join(f"{each.option} {_value(each.was)}" for each in olds)
    now = ", ".join(_value(each.now) for each in olds)
    return f"rows with {had} are at the defaults of earlier versions (now {now})"


def _value(value: Any) -> str:
    """Return a value as text."""
    if value is None:
        return "derived"
    return f"{value:g}" if isinstance(value, float) else str(value)
