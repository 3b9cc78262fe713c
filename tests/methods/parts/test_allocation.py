"""Shares of layers: they add up, follow the sizes, and leave no layer empty."""

import numpy as np
import pytest

from spiral.methods.parts import allocation
from spiral.model import mlp
from tests.methods import WIDTHS


@pytest.mark.parametrize("width", WIDTHS)
def test_sizes_of_layers_add_up_to_the_weights(width):
    sizes = allocation.layer_sizes(width)
    assert sizes == [2 * width, width * width, width * width, width]
    assert sum(sizes) == mlp.weight_count(width)


@pytest.mark.parametrize("width", [3, 16])
def test_shares_are_within_a_weight_of_the_proportion_and_add_up(width):
    total = mlp.weight_count(width)
    keep = np.arange(total + 1)
    found = allocation.proportional(keep, width)
    assert np.array_equal(found.sum(axis=1), keep)
    exact = np.outer(keep, allocation.layer_sizes(width)) / total
    assert np.abs(found - exact).max() < 1


def test_every_layer_gets_a_weight_where_there_are_enough():
    found = allocation.at_least_one(np.array([1, 4, 15, 65]), 256)
    assert found.sum(axis=1).tolist() == [1, 4, 15, 65]
    assert (found[1:] >= 1).all()
    assert found.tolist()[1] == [1, 1, 1, 1]


def test_only_layers_that_would_be_empty_get_more_than_their_proportion():
    keep = np.arange(4, 65)
    plain, found = (
        share(keep, 256) for share in (allocation.proportional, allocation.at_least_one)
    )
    more = found > plain
    assert (found[more] == 1).all()
    assert (plain[more] == 0).all()
