"""Options that are fractions of a training, or other shares.

Each gets its default, its description, and where the default comes from.
"""

from collections.abc import Callable
from typing import Any

import pandas as pd
from pydantic import Field

from spiral.methods.entry import Mistake
from spiral.protocol.config import origin, unit


def below_one(default: float, text: str, source: str) -> Any:
    """Return an option from 0 on, below 1."""
    return _option(default, text, source, ge=0, lt=1)


def above_zero(default: float, text: str, source: str) -> Any:
    """Return an option above 0, up to 1."""
    return _option(default, text, source, gt=0, le=1)


def share(default: float, text: str, source: str) -> Any:
    """Return an option from 0 to 1."""
    return _option(default, text, source, ge=0, le=1)


def _option(default: float, text: str, source: str, **bounds: Any) -> Any:
    declared = unit("-") | origin(source)
    return Field(default, description=text, json_schema_extra=declared, **bounds)


def ends_after(name: str) -> Callable[[pd.DataFrame], list[Mistake]]:
    """Return a check that the fraction ``end`` is greater than another one."""

    def check(table: pd.DataFrame) -> list[Mistake]:
        wrong = table[(table[name] >= table["end"]).fillna(False)]
        if wrong.empty:
            return []
        begin, end = wrong[[name, "end"]].iloc[0]
        text = f"expected an end after `{name}`, {begin:g}; got {end:g}"
        return [Mistake("end", text, end)]

    return check
