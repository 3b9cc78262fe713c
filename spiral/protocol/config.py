"""A config, which determines one row: its fields and their types.

A table of configs is a pandas DataFrame with one nullable column per field: the fields
of :class:`Config` first, then all method options. So half a million configs are
columns, not objects.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from spiral.protocol.config_field import DTYPES, ConfigField, changed, column, fields
from spiral.protocol.options import (
    PER_NETWORK,
    Options,
    first_default,
    origin,
    preset,
    presets,
    unit,
)
from spiral.tasks import catalogue

__all__ = [
    "DTYPES",
    "FRESH",
    "MAX_SEED",
    "PER_NETWORK",
    "Config",
    "ConfigField",
    "OptionClasses",
    "Options",
    "changed",
    "column",
    "every_field",
    "fields",
    "fields_of",
    "first_default",
    "option_fields",
    "origin",
    "preset",
    "presets",
    "unit",
]

MAX_SEED = 2**53

FRESH = "fresh"
"""In a grid, the seed that is derived from the rest of the config (``fresh_seeds``)."""


class Config(Options):
    """The fields that every config has, whatever its method."""

    method: str = Field(description="pruning method (`spiral-sweep methods`)")
    task: str = Field(
        catalogue.DEFAULT,
        description="data set: the name of a task, with its parameters in brackets, or "
        "a file of points (`spiral-sweep tasks`)",
    )
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
        description="seed of the method; default of init_seed and order_seed; in a "
        "grid also fresh: derived from the rest of the config",
        json_schema_extra=PER_NETWORK | unit("-"),
    )
    replicate: int | None = Field(
        None,
        ge=0,
        le=MAX_SEED,
        description="number of the repetition where seed was fresh; otherwise empty",
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
        description="seed of the batch order; where seed was fresh, one of 256",
        json_schema_extra=PER_NETWORK | unit("-"),
    )
    init: str = Field(
        "default",
        description="initial weights: default (drawn from init_seed), width-W (as "
        "drawn for width W, such as width-16), or a file: .npz, .safetensors or a "
        "PyTorch state dict; narrower networks use the leading block of either",
        json_schema_extra=PER_NETWORK,
    )
    engine: str = Field(
        "auto", description="auto or the name of an engine, with :cuda for a GPU"
    )


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
