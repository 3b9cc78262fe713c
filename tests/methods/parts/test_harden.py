"""The end of a learned mask: its count, its weights, its training."""

import numpy as np
import pytest

from spiral.methods.parts import harden
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from spiral.protocol.job import Budget, Reparam
from tests import oracles
from tests.methods import first_view, table

BUDGET = Budget(2, 390)


def view(**values):
    return first_view(table("gmp", 3, **values))


def test_the_best_keep_weights_stay_with_their_values():
    before = view(keep=[1, 11, 26])
    change = harden.harden(before, before.params)
    for n, keep in enumerate((1, 11, 26)):
        sizes = np.abs(before.params[n][mlp.is_weight(3)])
        expected = oracles.keep_top(list(sizes), keep)
        assert masks.of_weights(change.masks, 3)[n].tolist() == expected
    assert np.array_equal(change.params, before.params)
    assert change.reset_momentum.all()
    assert change.plain
    assert change.decay_scale.tolist() == [1, 1, 1]


def test_other_scores_and_shares_of_layers():
    before = view(keep=[4, 8, 12])
    ranks = np.random.default_rng(0).normal(size=(3, 27))
    kept = masks.of_weights(
        harden.harden(before, before.params, "global", ranks).masks, 3
    )
    assert (
        np.where(kept, ranks, 9).min(axis=1) > np.where(kept, -9, ranks).max(axis=1)
    ).all()
    change = harden.harden(before, before.params, "uniform", ranks)
    shares = masks.layer_counts(change.masks, 3)
    assert np.array_equal(shares, masks.allocate(before.keep, [6, 9, 9, 3]))


def test_nan_scores_still_leave_an_exact_count():
    before = view(keep=[1, 11, 26])
    change = harden.harden(before, before.params, "global", np.full((3, 27), np.nan))
    assert masks.of_weights(change.masks, 3).sum(axis=1).tolist() == [1, 11, 26]


@pytest.mark.parametrize(("end", "last"), [(0.75, 585), (1.0, 780), (0.0001, 1)])
def test_a_plan_starts_at_0_and_ends_at_its_fraction(end, last):
    here = Reparam("power", harden.level(BUDGET, 2.0))
    plan = harden.plan(BUDGET, end, here)
    assert plan.events == (0, last)
    assert plan.weight_map is here
    assert here.curve.tolist() == [2.0] * 780


LEARNED = ["str", "powerprop", "movement", "cs", "spartan", "l0"]


@pytest.mark.parametrize("name", LEARNED)
def test_what_learned_masks_cost(name):
    entry = METHODS[name]
    one = entry.cost_profile(table(name), 27, np.ones(3))
    assert one.share.sum(axis=0) == pytest.approx(1)
    end = 0.8 if name == "spartan" else 0.75
    assert one.share[:, 0].tolist() == pytest.approx([end, 1 - end])
    shared = {"movement": 0.1, "spartan": 0.0}.get(name, end)
    four = entry.cost_profile(table(name), 27, np.full(3, 4.0))
    assert four.share[0, 0] == pytest.approx(end - 0.75 * shared)
