"""``random`` draws uniformly, from the config's own stream."""

import numpy as np
import pytest

from spiral.model import seeds
from tests import oracles
from tests.methods import decide, kept_weights, plan_at, table


def test_one_event_before_training():
    assert plan_at(50, "random").events == (0,)


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
