"""A config, which determines one row: its fields and their types.

A table of configs is a pandas DataFrame with one nullable column per field: the fields
of :class:`Config` first, then all method options. So half a million configs are
columns, not objects.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from spiral.errors import ConfigError

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

DTYPES: dict[type, str] = {
    int: "Int64",
    float: "Float64",
    str: "string",
    bool: "boolean",
}
MAX_SEED = 2**53


class Options(BaseModel):
    """Base of every method's options: immutable, strict, no unknown names.

    Subclasses declare int, float, str, bool or Literal fields with defaults; ``None``
    marks an option without a value for a config.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False
    )


class Config(Options):
    """The fields that every config has, whatever its method."""

    method: str = Field(description="pruning method (`spiral-sweep methods`)")
    width: int = Field(
        16,
        ge=1,
        le=256,
        description="hidden units of each layer",
        json_schema_extra=unit("units"),
    )
    keep: int | None = Field(
        None,
        ge=1,
        description="weights to keep",
        json_schema_extra=PER_NETWORK | unit("weights"),
    )
    lr: float = Field(
        0.1,
        gt=0,
        le=1e9,
        description="base learning rate",
        json_schema_extra=PER_NETWORK | unit("-"),
    )
    schedule: Literal["constant", "cosine", "step"] = Field(
        "cosine", description="learning-rate schedule", json_schema_extra=PER_NETWORK
    )
    epochs: int = Field(
        50,
        ge=1,
        le=10_000,
        description="epochs of one training",
        json_schema_extra=unit("epochs"),
    )
    stop_epoch: int | None = Field(
        None,
        ge=1,
        description="stop after this many epochs (of several trainings, the first)",
        json_schema_extra=unit("epochs"),
    )
    batch: int = Field(
        128,
        ge=1,
        le=24_991,
        description="points per batch",
        json_schema_extra=unit("points"),
    )
    momentum: float = Field(
        0.9,
        ge=0,
        lt=1,
        description="SGD momentum",
        json_schema_extra=PER_NETWORK | unit("-"),
    )
    weight_decay: float = Field(
        5e-4,
        ge=0,
        description="L2 penalty",
        json_schema_extra=PER_NETWORK | unit("-"),
    )
    optimiser: Literal["sgd", "adam", "adamw"] = Field(
        "sgd",
        description="sgd with momentum; adam with the L2 penalty in the gradient, or "
        "adamw with decoupled weight decay, both with PyTorch's β (0.9, 0.999) and "
        "ε (1e-8), for an lr of about 0.001",
    )
    nesterov: bool = Field(
        False, description="whether the momentum of sgd is Nesterov's, as in PyTorch"
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="ε of the targets y(1 - ε) + ε/2 in training",
        json_schema_extra=unit("-"),
    )
    seed: int = Field(
        0,
        ge=0,
        le=MAX_SEED,
        description="seed of the method; default of init_seed and order_seed",
        json_schema_extra=PER_NETWORK | unit("-"),
    )
    init_seed: int | None = Field(
        None,
        ge=0,
        le=MAX_SEED,
        description="seed of the initial weights",
        json_schema_extra=PER_NETWORK | unit("-"),
    )
    order_seed: int | None = Field(
        None,
        ge=0,
        le=MAX_SEED,
        description="seed of the batch order",
        json_schema_extra=PER_NETWORK | unit("-"),
    )
    init: str = Field(
        "default",
        description="initial weights: default (drawn from init_seed), or a file: "
        ".npz or PyTorch state dict; narrower networks use its leading block",
        json_schema_extra=PER_NETWORK,
    )
    engine: str = Field(
        "auto", description="auto or the name of an engine, with :cuda for a GPU"
    )


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
    adapter: TypeAdapter[Any]
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
        parsed = self.adapter.validate_python(value)
        if parsed is None:
            return None
        if self.kind is int and abs(parsed) >= 2**63:
            raise ConfigError(
                f"{self.name}: expected a 64-bit integer, got {str(parsed)[:80]}"
            )
        return parsed + 0.0 if self.kind is float else self.kind(parsed)  # -0.0 is 0.0

    def legal(self) -> dict[str, Any]:
        """Return the JSON Schema of its values alone."""
        schema = self.adapter.json_schema()
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
            adapter=TypeAdapter(
                Annotated[info.annotation, info],  # type: ignore[arg-type]
                config=ConfigDict(strict=True, allow_inf_nan=False),
            ),
            said_by=extra.get("said_by", {}),
        )
    return found


def changed(model: type[Options]) -> list[ConfigField]:
    """Return the fields whose default has changed since the first one."""
    return [f for f in fields(model).values() if f.default != f.first_default]


OptionClasses = Mapping[str, type[Options]]
"""Method → its options class; a method that this process does not know has none."""


def fields_of(method: str, options: OptionClasses) -> dict[str, ConfigField]:
    """Return the fields of a method's configs: the common ones, then its options.

    An option may have the name of a common field, which the method then lacks.
    """
    return fields(Config) | fields(options.get(method, Options))


def every_field(options: OptionClasses) -> dict[str, ConfigField]:
    """Return the fields of all configs: the common ones, then the options of methods.

    A name that both have stands for the common field.
    """
    common = fields(Config)
    found = option_fields(options)
    assert all(common[n].kind is found[n].kind for n in common.keys() & found.keys())
    return common | {n: field for n, field in found.items() if n not in common}


def option_fields(options: OptionClasses) -> dict[str, ConfigField]:
    """Return the options of all methods; an option has one type wherever it occurs."""
    found: dict[str, ConfigField] = {}
    for model in options.values():
        for name, field in fields(model).items():
            known = found.setdefault(name, field)
            assert known.kind is field.kind, f"option {name} has two types"
    return found


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


def column(
    field: ConfigField, values: Sequence[Any]
) -> pd.api.extensions.ExtensionArray:
    """Return values of one field as a nullable pandas array."""
    return pd.array(values, dtype=field.dtype)
