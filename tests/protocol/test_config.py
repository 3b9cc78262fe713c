"""Fields of configs and their values."""

from typing import Literal

import pytest
from pydantic import Field, ValidationError

from spiral.errors import ConfigError
from spiral.methods.registry import METHODS
from spiral.protocol.config import (
    Config,
    Options,
    changed,
    fields,
    first_default,
    origin,
    preset,
    presets,
    unit,
)
from spiral.sweep.grid import grid


class Plain(Options):
    alpha: float = Field(0.5, gt=0)
    tag: Literal["a", "b"] = "a"
    note: str | None = None


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("width", 3, 3),
        ("lr", 1, 1.0),
        ("lr", 5e-4, 0.0005),
        ("keep", None, None),
        ("schedule", "step", "step"),
        ("seed", 2**53, 2**53),
        ("nesterov", True, True),
        ("optimiser", "adamw", "adamw"),
    ],
)
def test_a_legal_value_is_parsed_to_the_fields_type(name, value, expected):
    field = fields(Config)[name]
    parsed = field.parse(value)
    assert parsed == expected
    assert parsed is None or type(parsed) is field.kind


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 0),
        ("width", 257),
        ("width", 3.0),
        ("width", "3"),
        ("width", True),
        ("width", None),
        ("keep", 0),
        ("lr", 0),
        ("lr", -0.1),
        ("lr", float("nan")),
        ("lr", float("inf")),
        ("lr", "0.1"),
        ("lr", True),
        ("momentum", 1),
        ("weight_decay", -1e-9),
        ("schedule", "cosin"),
        ("seed", -1),
        ("seed", 2**53 + 1),
        ("epochs", 0),
        ("batch", 24_992),
        ("method", 3),
        ("nesterov", 1),
        ("nesterov", "true"),
        ("optimiser", "lion"),
        ("label_smoothing", 1),
    ],
)
def test_an_illegal_value_is_refused(name, value):
    with pytest.raises(ValidationError):
        fields(Config)[name].parse(value)


class Chosen(Options):
    """Options with a preset."""

    law: Literal["plain", "loud"] = preset(
        "plain", "how", {"loud": {"alpha": 2.0, "tag": "b"}}
    )
    alpha: float = 0.5
    tag: Literal["a", "b"] = "a"


class Sourced(Plain):
    alpha: float = Field(
        0.75, gt=0, json_schema_extra=unit("-") | first_default(0.5) | origin("ours")
    )


def test_a_field_declares_its_first_default_and_its_origin_beside_legal_values():
    alpha = fields(Sourced)["alpha"]
    assert (alpha.default, alpha.first_default, alpha.origin) == (0.75, 0.5, "ours")
    assert alpha.legal() == {"type": "number", "exclusiveMinimum": 0}
    assert [field.name for field in changed(Sourced)] == ["alpha"]
    plain = fields(Plain)["alpha"]
    assert (plain.first_default, plain.origin) == (plain.default, None)
    assert changed(Plain) == []


def test_a_preset_says_what_it_sets():
    assert list(presets(Chosen, "alpha")) == [("law", "loud", 2.0)]
    assert list(presets(Chosen, "tag")) == [("law", "loud", "b")]
    assert list(presets(Chosen, "law")) == []
    assert list(presets(Plain, "alpha")) == []
    assert Chosen(law="loud").alpha == 0.5  # a grid fills in, not the class


def test_a_preset_may_differ_within_a_pack():
    assert fields(Chosen)["law"].per_network
    assert not fields(Chosen)["alpha"].per_network


OPTIONS = dict.fromkeys(entry.options for entry in METHODS.values())


@pytest.mark.parametrize("model", OPTIONS)
def test_presets_set_options_there_are_to_values_they_may_have(model):
    known = fields(model)
    for info in model.model_fields.values():
        extra = info.json_schema_extra
        cases = extra.get("presets", {}) if isinstance(extra, dict) else {}
        for values in cases.values():
            for name, value in values.items():
                assert known[name].parse(value) == value != known[name].default


def test_fields_follow_the_order_of_declaration_and_know_their_kind():
    found = fields(Plain)
    assert list(found) == ["alpha", "tag", "note"]
    assert [f.kind for f in found.values()] == [float, str, str]
    assert [f.default for f in found.values()] == [0.5, "a", None]


def test_only_what_a_pack_must_share_is_not_per_network():
    shared = {f.name for f in fields(Config).values() if not f.per_network}
    assert shared == {
        *("method", "width", "epochs", "stop_epoch", "batch", "engine"),
        *("optimiser", "nesterov", "label_smoothing"),
    }


def test_a_field_of_an_unknown_type_is_a_programming_error():
    class Odd(Options):
        sizes: list[int] = Field(default_factory=list)

    with pytest.raises(AssertionError, match="list"):
        fields(Odd)


def test_options_are_immutable_and_know_no_other_names():
    with pytest.raises(ValidationError, match="frozen"):
        Plain().alpha = 1.0
    with pytest.raises(ValidationError, match="extra"):
        Plain(gamma=1)


@pytest.mark.parametrize("model", [Config, *OPTIONS])
def test_every_field_says_what_it_is(model):
    assert all(f.description for f in fields(model).values())


def test_a_number_that_no_column_can_hold_is_refused():
    with pytest.raises(
        ConfigError, match=r"keep: expected a 64-bit integer, got 1000000"
    ):
        grid.loads(f"{{method: gmp, width: 3, keep: {10**30}}}")
