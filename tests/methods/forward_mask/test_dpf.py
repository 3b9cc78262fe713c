"""Masks that are renewed at intervals: counts, limits, the end."""

import numpy as np
import pytest

from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from spiral.protocol.job import Budget
from tests import oracles
from tests.methods import decide, table
from tests.methods.forward_mask.straight_through import (
    Noting,
    Showing,
    options,
    same,
    trained,
)


@pytest.mark.parametrize("allocation", ["global", "uniform_alive", "erk"])
def test_a_mask_of_every_step_and_counts_at_once_are_ste(allocation):
    got = trained("dpf", interval=1, counts="once", allocation=allocation)
    assert same(got, trained("ste", allocation=allocation))
    for other in ({"interval": 16}, {"counts": "cubic"}):
        values = {"interval": 1, "counts": "once", **other}
        assert not same(got, trained("dpf", allocation=allocation, **values))


def test_keeping_all_is_dense_training_bit_for_bit():
    got = trained("dpf", keep=27, interval=3)
    assert np.array_equal(got.params, trained("dense").params)


def test_counts_follow_the_cubic_at_the_ends_of_epochs():
    """W = 560, keep 60: 60 + 500·(1 - i/37)³ after epoch i, and 60 from 37 on."""
    engine = Showing()
    decide(table("dpf", 1, width=16, keep=60, epochs=50), engine)
    found = [int(counts[0]) for counts in engine.said]
    assert found[:3] == [521, 483, 448]
    assert found[18] == 118
    assert found[36:] == [60]
    starts = [start for start, stop in engine.steps[1:] if stop > start]
    assert starts == [390 * i for i in range(1, 38)]


def test_the_plan_is_dense_in_the_first_epoch_and_masked_to_the_end():
    plan = options("dpf").plan(Budget(50, 390))
    assert plan.events == (*range(390, 14_431, 390), 19_500)
    assert plan.weight_map.interval == 16
    assert not plan.weight_map.stored
    assert plan.weight_map.rest[:390].tolist() == [1.0] * 390
    assert not plan.weight_map.rest[390:].any()


def test_a_training_of_less_than_an_epoch_hides_from_the_start():
    plan = options("dpf", epochs=1).plan(Budget(1, 390))
    assert plan.events == (0, 390)


def test_the_end_keeps_the_largest_weights_as_they_are():
    engine = Noting()
    got = trained("dpf", 3, engine, keep=[3, 11, 20])
    last = engine.states[-1].params
    for n, keep in enumerate([3, 11, 20]):
        size = np.abs(last[n, mlp.is_weight(3)])
        kept = masks.of_weights(got.masks, 3)[n]
        assert kept.tolist() == oracles.keep_top(list(size), keep)
    assert np.array_equal(got.params, np.where(got.masks, last, 0))


def test_the_first_epoch_is_trained_once_for_all_keeps():
    class Counting(Noting):
        def advance(self, job, state, stop):
            sizes.append(job.networks)
            return super().advance(job, state, stop)

    sizes = []
    trained("dpf", 2, Counting(), seed=1, keep=[5, 9])
    assert sizes[0] == 1
    assert set(sizes[1:]) == {2}


def test_an_end_before_the_beginning_is_a_mistake():
    (found,) = METHODS["iht"].check(table("iht", 2, begin=0.8))
    assert found.field == "end"
    assert "expected an end after `begin`, 0.8; got 0.75" in found.message
