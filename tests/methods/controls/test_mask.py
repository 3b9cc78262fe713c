"""``mask`` reads a text into a mask, or says what is wrong with it."""

import numpy as np

from spiral.methods.registry import METHODS
from spiral.model import mlp
from tests.methods import DENSE_3, Still, decide, kept_weights, plan_at, table

SMALL = "11,10/11,01/10,01/11"


def test_one_event_before_training():
    assert plan_at(50, "mask").events == (0,)


def test_check_names_the_text_and_the_width():
    configs = table("mask", 2, matrices=[SMALL, "11/1/1"], width=2)
    (mistake,) = METHODS["mask"].check(configs)
    assert mistake.field == "matrices"
    assert mistake.message.startswith("'11/1/1' in width 2: expected 4 matrices")


def test_check_reports_every_wrong_text():
    configs = table("mask", 3, matrices=["11", SMALL, "11/1/1"], width=2)
    assert len(METHODS["mask"].check(configs)) == 2


def test_masks_differ_within_a_pack():
    state = decide(table("mask", 2, matrices=[DENSE_3, "11/1/1/1"]))
    assert kept_weights(state).sum(axis=1).tolist() == [27, 5]
    assert state.masks[0].all()


def test_what_is_masked_is_zero_and_the_rest_as_it_was():
    state = decide(table("mask", 1, seed=[2]), Still())
    full = mlp.initial_params(2, 3)
    assert np.array_equal(state.params[0], np.where(state.masks[0], full, 0))


def test_a_network_that_is_not_trained_has_no_steps():
    assert plan_at(50, "mask", train=False).steps == 0
    assert plan_at(50, "mask").steps > 0


def test_a_network_that_is_not_trained_comes_from_a_file_and_has_no_cycles():
    configs = table("mask", 2, matrices=[SMALL] * 2, width=2, train=False)
    (mistake,) = METHODS["mask"].check(configs)
    assert (mistake.field, "needs the file" in mistake.message) == ("train", True)
    configs = configs.assign(init="net.npz@0", schedule_cycles=2)
    (mistake,) = METHODS["mask"].check(configs)
    assert (mistake.field, "train: false" in mistake.message) == (
        "schedule_cycles",
        True,
    )
