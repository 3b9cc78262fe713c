"""Rows at defaults of earlier versions, so that nobody takes them for today's.

Rows name the value of every option, whatever its default was or is. What they do not
show is that a method "at its defaults" is another method now; these functions do.
"""

from typing import Any, NamedTuple

import pandas as pd

from spiral.protocol import config
from spiral.protocol.config import OptionClasses


class Old(NamedTuple):
    """An option for which rows of a method have its first default, not today's."""

    method: str
    option: str
    was: Any
    now: Any
    """None if it follows from the rest of a config."""


def of(rows: pd.DataFrame, options: OptionClasses) -> list[Old]:
    """Return the options of which rows have a default that has changed.

    Args:
        rows: Configs or rows with all options (``versions.complete``).
        options: Those of the methods that this process knows.
    """
    return [
        Old(method, field.name, field.first_default, field.default)
        for method in rows["method"].drop_duplicates()
        for field in config.changed(options.get(method, config.Options))
        if (_of(rows, method)[field.name] == field.first_default).any()
    ]


def latest(rows: pd.DataFrame, options: OptionClasses) -> pd.DataFrame:
    """Leave out rows at an old default of methods that also have rows at today's.

    A method at its defaults is then one method, the best of no two.
    """
    old = pd.Series(False, rows.index)
    for method, option, was, now in of(rows, options):
        values = rows[option].where(rows["method"] == method)
        if now is not None and (values == now).any():
            old |= (values == was).fillna(False).astype(bool)
    return rows[~old].reset_index(drop=True) if old.any() else rows


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


def _of(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return the rows of one method."""
    return rows[rows["method"] == method]
