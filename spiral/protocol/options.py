"""Options of methods: their base class, and what a field of them declares."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

PER_NETWORK: dict[str, Any] = {"per_network": True}
"""Marks a field that may differ between networks of one pack."""


def unit(name: str) -> dict[str, Any]:
    """Declare the unit of a numeric field; ``-`` if it has none."""
    return {"unit": name}


def origin(source: str) -> dict[str, Any]:
    """Declare where the default of a field comes from, in a few words.

    A paper and its section, a script of the authors with its data set, or ``ours``.
    """
    return {"origin": source}


def first_default(value: Any) -> dict[str, Any]:
    """Declare what rows had before the default of a field became what it is now.

    That is the first default the field ever had, or, for a field that was added with a
    default that changes results, what all configs did before. Ids leave this value out
    for ever, so those of earlier rows stay valid, while a config with the new default
    has an id that contains it. Never edit it: change the default.
    """
    return {"first_default": value}


DECLARED = ("unit", "origin", "first_default", "presets", "said_by")
"""What fields declare beside their legal values."""


class Options(BaseModel):
    """Base of every method's options: immutable, strict, no unknown names.

    Subclasses declare int, float, str, bool or Literal fields with defaults; ``None``
    marks an option without a value for a config.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        defer_build=True,  # validators of 73 methods, of which a command needs few
    )


def preset(
    default: str, description: str, cases: Mapping[str, Any], **declared: Any
) -> Any:
    """Return an option whose value sets other options that a config leaves out.

    Args:
        default: The value that sets nothing.
        description: The meaning of the option.
        cases: Value → option → the value that option gets.
        declared: What else to declare, as ``first_default``.
    """
    # Per network: it acts only through the options it sets
    extra = PER_NETWORK | {"presets": cases} | declared
    return Field(default, description=description, json_schema_extra=extra)


def presets(model: type[Options], name: str) -> Iterator[tuple[str, str, Any]]:
    """Yield (preset, its value, the value it gives to an option)."""
    for selector, info in model.model_fields.items():
        extra = info.json_schema_extra
        cases: Any = extra.get("presets", {}) if isinstance(extra, dict) else {}
        for case, values in cases.items():
            if name in values:
                yield selector, case, values[name]
