"""Fields as columns of a table: their kind, first defaults, values."""

import pytest
from pydantic import Field

from spiral.errors import ConfigError
from spiral.protocol.config_field import changed, fields
from spiral.protocol.options import Options, first_default, origin, unit
from spiral.sweep.grid import grid
from tests.protocol.test_options import Plain


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


def test_fields_follow_the_order_of_declaration_and_know_their_kind():
    found = fields(Plain)
    assert list(found) == ["alpha", "tag", "note"]
    assert [f.kind for f in found.values()] == [float, str, str]
    assert [f.default for f in found.values()] == [0.5, "a", None]


def test_a_field_of_an_unknown_type_is_a_programming_error():
    class Odd(Options):
        sizes: list[int] = Field(default_factory=list)

    with pytest.raises(AssertionError, match="list"):
        fields(Odd)


def test_a_number_that_no_column_can_hold_is_refused():
    with pytest.raises(
        ConfigError, match=r"keep: expected a 64-bit integer, got 1000000"
    ):
        grid.loads(f"{{method: gmp, width: 3, keep: {10**30}}}")
