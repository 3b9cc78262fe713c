"""The common fields of configs, and the options of all methods."""

import pytest
from pydantic import ValidationError

from spiral.methods.registry import METHODS
from spiral.protocol.config import Config, fields


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


def test_only_what_a_pack_must_share_is_not_per_network():
    shared = {f.name for f in fields(Config).values() if not f.per_network}
    assert shared == {
        *("method", "task", "width", "epochs", "stop_epoch", "batch", "engine"),
        *("optimiser", "nesterov", "label_smoothing"),
    }


@pytest.mark.parametrize("model", [Config, *OPTIONS])
def test_every_field_says_what_it_is(model):
    assert all(f.description for f in fields(model).values())
