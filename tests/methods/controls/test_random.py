"""``random`` and ``static`` draw from the config's own stream."""

import numpy as np
import pytest

from spiral.model import seeds
from tests import oracles
from tests.methods import decide, kept_weights, plan_at, table

SIZES = [6, 9, 9, 3]
LAYERS = [slice(0, 32), slice(32, 288), slice(288, 544), slice(544, 560)]
"""Weights of the layers of width 16."""


def test_mask_is_the_top_of_the_streams_numbers():
    state = decide(table("random", 1, seed=[5], keep=4))
    numbers = seeds.stream("method/random", 5, 3).random(27)
    expected = oracles.keep_top(numbers.tolist(), 4)
    assert kept_weights(state)[0].tolist() == expected


def test_mask_depends_on_seed_but_not_on_training():
    one = table("random", 2, seed=[7, 7], lr=[0.1, 0.2], order_seed=[7, 1])
    same, other = kept_weights(decide(one)), kept_weights(decide(table("random")))
    assert np.array_equal(same[0], same[1])
    assert len(np.unique(other, axis=0)) == 3


def test_masks_of_one_seed_are_nested():
    found = kept_weights(decide(table("random", 3, seed=[1] * 3, keep=[4, 9, 20])))
    assert not (found[0] & ~found[1]).any()
    assert not (found[1] & ~found[2]).any()


@pytest.mark.parametrize("keep", [3, 20])
def test_every_weight_is_kept_equally_often(keep):
    state = decide(table("random", 2000, keep=keep))
    share, expected = kept_weights(state).mean(axis=0), keep / 27
    deviation = np.sqrt(expected * (1 - expected) / 2000)
    assert np.abs(share - expected).max() < 4 * deviation


def test_static_keeps_the_random_numbers_of_each_layers_quota():
    state = decide(table("static", 1, width=16, seed=[5], keep=26))
    numbers = seeds.stream("method/random", 5, 16).random(560)
    expected = []
    for share, columns in zip((5, 8, 8, 5), LAYERS, strict=True):
        expected += oracles.keep_top(numbers[columns].tolist(), share)
    assert kept_weights(state, 16)[0].tolist() == expected


def test_static_over_all_layers_is_random():
    values = {"width": 16, "keep": [4, 26, 300]}
    static = decide(table("static", 3, **values, allocation="global"))
    random = decide(table("random", 3, **values))
    assert np.array_equal(static.masks, random.masks)


@pytest.mark.parametrize("name", ["random", "static"])
def test_a_mask_never_changes(name):
    assert plan_at(50, name).events == (0,)


def test_within_a_layer_static_keeps_every_weight_equally_often():
    state = decide(table("static", 2000, keep=11))
    share, quota = kept_weights(state).mean(axis=0), np.repeat([3, 3, 3, 2], SIZES)
    expected = quota / np.repeat(SIZES, SIZES)
    deviation = np.sqrt(expected * (1 - expected) / 2000)
    assert (np.abs(share - expected) < 4 * deviation).all()
