"""``block`` keeps the leading units of each layer."""

import numpy as np
import pytest

from spiral.methods.registry import METHODS
from spiral.model import mlp
from tests.methods import Still, decide, kept_weights, plan_at, table


def matrices(state, n=0):
    parts = mlp.matrices(state.masks[n].astype(int), 3)
    return [weights.tolist() for weights, _ in parts]


def test_one_event_before_training():
    assert plan_at(50, "block").events == (0,)


def test_leading_units_written_out():
    assert matrices(decide(table("block", 1, d1=2, d2=3, d3=1))) == [
        [[1, 1], [1, 1], [0, 0]],
        [[1, 1, 0], [1, 1, 0], [1, 1, 0]],
        [[1, 1, 1], [0, 0, 0], [0, 0, 0]],
        [[1, 0, 0]],
    ]


def test_biases_of_units_outside_are_pruned():
    state = decide(table("block", 1, d1=2, d2=3, d3=1))
    biases = [b.tolist() for _, b in mlp.matrices(state.masks[0].astype(int), 3)]
    assert biases == [[1, 1, 0], [1, 1, 1], [1, 0, 0], [1]]


def test_sizes_differ_within_a_pack():
    state = decide(table("block", 3, d1=[1, 2, 3], d2=[1, 2, 3], d3=[3, 2, 1]))
    assert kept_weights(state).sum(axis=1).tolist() == [9, 14, 19]


def test_initial_values_are_those_of_the_full_width():
    state = decide(table("block", 1, seed=[4]), Still())
    full = mlp.initial_params(4, 3)
    assert np.array_equal(state.params[0], np.where(state.masks[0], full, 0))


@pytest.mark.parametrize("name", ["d1", "d2", "d3"])
def test_a_block_wider_than_the_network_is_a_mistake(name):
    (mistake,) = METHODS["block"].check(table("block", **{name: [1, 4, 3]}))
    assert mistake == (name, "expected at most 3 units, got 4", 4)
