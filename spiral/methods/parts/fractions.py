"""Options that are fractions of a training, or other shares.

Each gets its default, its description, and where the default comes from.
"""

from typing import Any

from pydantic import Field

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
