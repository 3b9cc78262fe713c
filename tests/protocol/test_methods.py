"""Which methods are of a kind."""

import pytest

from spiral.errors import ConfigError
from spiral.protocol.methods import Methods

KNOWN = Methods(
    {},
    {
        "early": {"when": "before", "unit": "weight"},
        "late": {"when": "after", "unit": "weight"},
        "wide": {"when": "after", "unit": "neuron"},
    },
)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({}, ["early", "late", "wide"]),
        ({"when": ["after"]}, ["late", "wide"]),
        ({"when": ["after", "before"], "unit": ["weight"]}, ["early", "late"]),
        ({"when": ["before"], "unit": ["neuron"]}, []),
    ],
)
def test_methods_of_a_kind_have_one_of_the_values_on_every_axis(where, names):
    assert KNOWN.of_kind(where) == names


def test_the_axes_are_those_of_the_methods():
    assert KNOWN.axes() == {"when": {"before", "after"}, "unit": {"weight", "neuron"}}


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"units": ["neuron"]}, "no axis 'units'; did you mean 'unit'"),
        ({"unit": ["neurons"]}, "no method has unit='neurons'; did you mean 'neuron'"),
    ],
)
def test_an_unknown_axis_or_value_is_refused_with_the_nearest(where, message):
    with pytest.raises(ConfigError, match=message):
        KNOWN.of_kind(where)
