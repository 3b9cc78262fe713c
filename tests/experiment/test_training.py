"""Events and changes: what a method sees, and what becomes of its answers."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.errors import MethodError
from spiral.experiment import prepare, training
from spiral.model import seeds
from spiral.protocol.job import Change
from tests.experiment import state_of
from tests.methods import Still, decide, plan_at, table


def bits(text):
    return np.array([[digit == "1" for digit in text]])


@pytest.mark.parametrize("name", ["masks", "params", "reset_momentum", "trainable"])
@pytest.mark.parametrize("dtype", [bool, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("shape", [(2, 4), (4,), (1, 4)])
def test_a_wrong_array_is_refused_by_method_and_field(name, dtype, shape):
    right = np.float32 if name == "params" else bool
    change = Change(**{name: np.ones(shape, dtype)})
    if (dtype, shape) == (right, (1, 4)):
        training.apply(change, state_of(), "mine")
        return
    text = rf"^mine: expected Change\.{name} to be .* \[1, 4\], got {np.dtype(dtype)}"
    with pytest.raises(MethodError, match=text):
        training.apply(change, state_of(), "mine")


@pytest.mark.parametrize("name", ["lr_scale", "decay_scale", "orders", "variants"])
@pytest.mark.parametrize("wrong", [np.ones(2), np.ones((1, 4)), np.ones(1, bool)])
def test_a_wrong_number_for_each_network_is_refused(name, wrong):
    with pytest.raises(MethodError, match=rf"mine: expected Change\.{name}"):
        training.apply(Change(**{name: wrong}), state_of(), "mine")


def test_pruned_entries_lose_value_and_momentum():
    found = training.apply(Change(masks=bits("1010")), state_of(), "mine")
    assert found.params.tolist() == found.momentum.tolist() == [[1, 0, 1, 0]]


def test_pruned_entries_stay_zero_whatever_the_method_sets():
    params = np.array([[2, np.nan, 3, np.inf]], np.float32)
    change = Change(masks=bits("1010"), params=params)
    assert training.apply(change, state_of(), "m").params.tolist() == [[2, 0, 3, 0]]


def test_revived_entries_begin_at_momentum_zero_and_the_given_value():
    state = training.apply(Change(masks=bits("1000")), state_of(), "mine")
    params = np.array([[1, 7, 0, 0]], np.float32)
    change = Change(masks=bits("1100"), params=params)
    found = training.apply(change, state, "mine")
    assert found.params.tolist() == [[1, 7, 0, 0]]
    assert found.momentum.tolist() == [[1, 0, 0, 0]]


def test_forgotten_entries_keep_their_value():
    found = training.apply(Change(reset_momentum=bits("0110")), state_of(), "mine")
    assert found.momentum.tolist() == [[1, 0, 0, 1]]
    assert found.params.tolist() == [[1, 1, 1, 1]]


def test_frozen_entries_keep_their_value_and_lose_momentum():
    change = Change(masks=bits("1110"), trainable=bits("0111"))
    found = training.apply(change, state_of(), "mine")
    assert found.params.tolist() == [[1, 1, 1, 0]]
    assert found.momentum.tolist() == [[0, 1, 1, 0]]
    assert found.moving.tolist() == [[False, True, True, False]]


def test_what_may_train_may_train_again_once_it_is_revived():
    change = Change(masks=bits("1100"), trainable=bits("1111"))
    state = training.apply(change, state_of(), "mine")
    found = training.apply(Change(masks=bits("1111")), state, "mine")
    assert (found.trainable & found.masks).tolist() == [[True] * 4]


def test_lr_scale_lasts_until_the_next():
    state = training.apply(Change(lr_scale=np.array([0.5])), state_of(), "mine")
    state = training.apply(Change(masks=bits("1100")), state, "mine")
    assert state.lr_scale.tolist() == [0.5]


def test_a_mask_in_force_ends_with_new_counts_only():
    state = replace(state_of(), active=bits("1010"))
    assert training.apply(Change(), state, "mine").active.tolist() == [[1, 0, 1, 0]]
    found = training.apply(Change(active_counts=np.array([[2]])), state, "mine")
    assert found.active is None


def test_training_goes_from_event_to_event_to_the_end(script):
    script(events=(0, 7, 100))
    engine = Still()
    decide(table("dense", epochs=1), engine)
    assert engine.steps == [(0, 0), (0, 7), (7, 100), (100, 390)]


def test_an_event_may_replace_the_step_it_precedes(script):
    script(events=(0, 7, 390), replaced=(0, 7, 390))
    engine = Still()
    state = decide(table("dense", epochs=1), engine)
    assert engine.steps == [(0, 0), (1, 7), (8, 390), (390, 390)]
    assert state.step == 390


def test_a_method_sees_the_step_and_cannot_write(script):
    method = script(events=(0, 7))
    decide(table("dense", epochs=1))
    assert [view.step for view in method.views] == [0, 7]
    for name in ("params", "masks", "initial"):
        array = getattr(method.views[0], name)
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0


def test_a_method_sees_the_batches_of_training_and_its_own_streams(script):
    method = script(events=(7,))
    configs = table("dense", 2, seed=[4, 5], order_seed=[9, 8], epochs=1)
    decide(configs)
    view = method.views[0]
    job = prepare.make_job(configs, plan_at(1, "dense"))
    assert np.array_equal(view.batch(3)[0], job.batch_at(3)[0])
    expected = seeds.stream("method/x", 5, 3).random(3)
    assert np.array_equal(view.stream(1, "x").random(3), expected)


def test_a_change_says_how_training_goes_on():
    plan = plan_at(1, "dense")
    plan = replace(plan, curves={**plan.curves, "cosine#2": plan.curves["step"]})
    begun = prepare.make_job(table("dense", 3, seed=[7, 8, 9]), plan)
    scale = np.array([0.0, 1.0, 2.0])
    first = begun.after(Change(orders=np.array([1, 0, 2])), begun)
    assert first.order_seeds.tolist() == [
        seeds.child(7, 1),
        8,
        seeds.child(9, 2),
    ]
    which = np.array([2, 0, 2])
    found = first.after(Change(decay_scale=scale, variants=which, batch=64), begun)
    assert found.weight_decay.tolist() == [0, 5e-4, 1e-3]
    assert found.schedule == ("cosine#2", "cosine", "cosine#2")
    assert (found.batch, found.steps_per_epoch) == (64, 780)
    assert found.order_seeds.tolist() == first.order_seeds.tolist()
    back = found.after(Change(orders=np.zeros(3, int)), begun)
    assert back.order_seeds.tolist() == [7, 8, 9]
    assert begun.after(Change(), begun) is begun
    with pytest.raises(MethodError, match="expected a curve for cosine#3"):
        begun.after(Change(variants=np.array([2, 3, 0])), begun)


def test_batches_follow_the_order_of_the_change(script):
    method = script(Change(orders=np.array([0, 3]), batch=64), events=(390, 391))
    configs = table("dense", 2, seed=[4, 4], epochs=2)
    decide(configs)
    job = prepare.make_job(configs, plan_at(2, "dense"))
    expected = replace(job, batch=64, order_seeds=np.array([4, seeds.child(4, 3)]))
    before, after = method.views
    assert np.array_equal(before.batch(390)[0], job.batch_at(390)[0])
    assert np.array_equal(after.batch(391)[0], expected.batch_at(391)[0])
    assert not np.array_equal(after.batch(391)[0][0], after.batch(391)[0][1])
