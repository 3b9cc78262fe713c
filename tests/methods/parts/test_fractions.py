"""Options that are fractions: their limits, and what they declare."""

import pytest
from pydantic import ValidationError

from spiral.methods.parts import fractions
from spiral.protocol.config import Options, fields


class Some(Options):
    below_one: float = fractions.below_one(0.5, "a share", "ours")
    above_zero: float = fractions.above_zero(0.5, "a share", "ours")
    share: float = fractions.share(0.5, "a share", "ours")


@pytest.mark.parametrize(
    ("name", "legal", "illegal"),
    [
        ("below_one", [0.0, 0.99], [-0.01, 1.0]),
        ("above_zero", [0.01, 1.0], [0.0, 1.01]),
        ("share", [0.0, 1.0], [-0.01, 1.01]),
    ],
)
def test_limits(name, legal, illegal):
    field = fields(Some)[name]
    assert [field.parse(value) for value in legal] == legal
    for value in illegal:
        with pytest.raises(ValidationError):
            field.parse(value)


def test_a_fraction_has_no_unit_and_a_source():
    field = fields(Some)["share"]
    assert (field.unit, field.origin, field.description) == ("-", "ours", "a share")
    assert field.default == 0.5
