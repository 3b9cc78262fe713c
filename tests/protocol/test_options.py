"""Options: what they declare, and presets."""

from typing import Literal

import pytest
from pydantic import Field, ValidationError

from spiral.protocol.config_field import fields
from spiral.protocol.options import Options, preset, presets


class Plain(Options):
    alpha: float = Field(0.5, gt=0)
    tag: Literal["a", "b"] = "a"
    note: str | None = None


class Chosen(Options):
    """Options with a preset."""

    law: Literal["plain", "loud"] = preset(
        "plain", "how", {"loud": {"alpha": 2.0, "tag": "b"}}
    )
    alpha: float = 0.5
    tag: Literal["a", "b"] = "a"


def test_a_preset_says_what_it_sets():
    assert list(presets(Chosen, "alpha")) == [("law", "loud", 2.0)]
    assert list(presets(Chosen, "tag")) == [("law", "loud", "b")]
    assert list(presets(Chosen, "law")) == []
    assert list(presets(Plain, "alpha")) == []
    assert Chosen(law="loud").alpha == 0.5  # a grid fills in, not the class


def test_a_preset_may_differ_within_a_pack():
    assert fields(Chosen)["law"].per_network
    assert not fields(Chosen)["alpha"].per_network


def test_options_are_immutable_and_know_no_other_names():
    with pytest.raises(ValidationError, match="frozen"):
        Plain().alpha = 1.0
    with pytest.raises(ValidationError, match="extra"):
        Plain(gamma=1)
