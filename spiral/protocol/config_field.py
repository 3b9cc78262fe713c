"""A field of a config or an options class as a column of a config table."""

from collections.abc import Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import pandas as pd
from pydantic import ConfigDict, TypeAdapter

from spiral.errors import ConfigError
from spiral.protocol.options import DECLARED, PER_NETWORK, Options

DTYPES: dict[type, str] = {
    int: "Int64",
    float: "Float64",
    str: "string",
    bool: "boolean",
}


class ConfigField(NamedTuple):
    """One column of a config table."""

    name: str
    kind: type  # int, float, str or bool
    default: Any
    """What a config gets that leaves the field out."""
    first_default: Any
    """What ids leave out, and what rows have that lack the column."""
    required: bool
    per_network: bool
    description: str
    unit: str | None
    """Of a number: ``-`` if it has none, None if none is declared."""
    origin: str | None
    """Where the default comes from, None if that is not declared."""
    model: type[Options]
    """The class that declares it."""
    said_by: Mapping[str, Mapping[str, Any]] = {}
    """Other field → its value → the value of this one that it is another name for."""

    @property
    def dtype(self) -> str:
        """The pandas dtype of its column."""
        return DTYPES[self.kind]

    def parse(self, value: Any) -> Any:
        """Return ``value``, validated and converted.

        Raises:
            pydantic.ValidationError: It is not a legal value of this field.
            ConfigError: It is an integer outside the range of a column.
        """
        parsed = _adapter(self.model, self.name).validate_python(value)
        if parsed is None:
            return None
        if self.kind is int and abs(parsed) >= 2**63:
            raise ConfigError(
                f"{self.name}: expected a 64-bit integer, got {str(parsed)[:80]}"
            )
        return parsed + 0.0 if self.kind is float else self.kind(parsed)  # -0.0 is 0.0

    def legal(self) -> dict[str, Any]:
        """Return the JSON Schema of its values alone."""
        schema = _adapter(self.model, self.name).json_schema()
        drop = ("description", "default", *PER_NETWORK, *DECLARED)
        return {key: value for key, value in schema.items() if key not in drop}


def _kind(annotation: Any) -> type:
    """Return int, float, str or bool for a field's annotation."""
    if get_origin(annotation) is Literal:
        return type(get_args(annotation)[0])
    if get_origin(annotation) in (UnionType, Union):  # int | None, a Literal | None
        return _kind(next(a for a in get_args(annotation) if a is not type(None)))
    assert annotation in DTYPES, f"config fields cannot have the type {annotation}"
    return annotation


def _text(declared: Any) -> str | None:
    """Return what a field declares as text."""
    return None if declared is None else str(declared)


@cache  # built when a value is parsed: most commands parse few fields, if any
def _adapter(model: type[Options], name: str) -> TypeAdapter[Any]:
    """Return what validates values of a field."""
    info = model.model_fields[name]
    return TypeAdapter(
        Annotated[info.annotation, info],  # type: ignore[arg-type]
        config=ConfigDict(strict=True, allow_inf_nan=False),
    )


@cache
def fields(model: type[Options]) -> dict[str, ConfigField]:
    """Return the fields of a config or options class, in order of declaration."""
    found = {}
    for name, info in model.model_fields.items():
        extra: dict[str, Any] = (
            info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        )
        default = None if info.is_required() else info.default
        found[name] = ConfigField(
            name=name,
            kind=_kind(info.annotation),
            default=default,
            first_default=extra.get("first_default", default),
            required=info.is_required(),
            per_network=bool(extra.get("per_network")),
            description=info.description or "",
            unit=_text(extra.get("unit")),
            origin=_text(extra.get("origin")),
            model=model,
            said_by=extra.get("said_by", {}),
        )
    return found


def changed(model: type[Options]) -> list[ConfigField]:
    """Return the fields whose default has changed since the first one."""
    return [f for f in fields(model).values() if f.default != f.first_default]


def column(
    field: ConfigField, values: Sequence[Any]
) -> pd.api.extensions.ExtensionArray:
    """Return values of one field as a nullable pandas array."""
    return pd.array(values, dtype=field.dtype)
