"""``imp`` and ``bimp``: cycles, budgets, counts, momentum."""

import numpy as np
import pytest
import torch
from torch.nn.utils import prune

from spiral.engines import sparse
from spiral.experiment import prepare
from spiral.methods.parts import retraining_rates
from spiral.methods.registry import METHODS
from spiral.model import mlp
from tests.methods import Drift, Passing, Still, decide, kept_weights, table

SHORT = {"batch": 10_000, "epochs": 5}
"""Four steps an epoch."""


def plan_of(method, **values):
    shared = table(method, 1, **values).iloc[0]
    return prepare.plan_of(prepare.build_method(shared), shared)


def counts(method, **values):
    """Return the weights kept in each part of the training."""
    engine = Drift()
    decide(table(method, 1, **values), engine)
    return [int(seen.sum()) for seen in engine.seen]


@pytest.mark.parametrize("cycles", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("keep", [1, 11, 26])
def test_cycles_keep_equal_shares_and_end_at_keep(cycles, keep):
    found = counts("imp", keep=keep, cycles=cycles)
    expected = [27 * (keep / 27) ** (c / cycles) for c in range(cycles + 1)]
    assert found == [round(count) for count in expected]
    assert found[-1] == keep


def test_retraining_comes_on_top_in_imp():
    plan = plan_of("imp", epochs=50, cycles=3, retrain_epochs=10)
    assert plan.events == (19_500, 23_400, 27_300)
    assert plan.steps == 80 * 390


@pytest.mark.parametrize(
    ("values", "epochs"),
    [
        ({}, [40]),
        ({"recipe": "four"}, [30, 35, 40, 45]),
        ({"cycles": 3}, [40, 43, 46]),
        ({"cycles": 5, "dense_share": 0.29}, [14, 21, 28, 35, 42]),
    ],
)
def test_retraining_lies_within_the_budget_in_bimp(values, epochs):
    """What does not divide goes to the last cycle."""
    plan = plan_of("bimp", epochs=50, **values)
    assert [event / 390 for event in plan.events] == epochs
    assert plan.steps == 19_500


def test_bimp_falls_to_zero_before_it_prunes_whatever_the_schedule():
    curves = plan_of("bimp", epochs=50).curves
    for curve in curves.values():
        dense, after = np.split(curve, [40 * 390])
        assert dense == pytest.approx(1 - np.arange(15_600) / 15_600)
        assert np.array_equal(after, retraining_rates.curve("allr", dense, 3900))


def test_imp_follows_the_schedule_before_it_prunes():
    curves = plan_of("imp", epochs=50, cycles=2, retraining="lrw").curves
    host = plan_of("dense", epochs=50).curves
    for name, curve in curves.items():
        dense, *after = np.split(curve, [19_500, 21_450])
        assert np.array_equal(dense, host[name])
        assert all(np.array_equal(part, dense[-1950:]) for part in after)


def test_the_dense_part_of_imp_is_the_dense_training_to_the_bit():
    dense = decide(table("dense", 2), sparse.SparseEngine())
    passing = Passing(780)
    decide(table("imp", 2, cycles=1, retrain_epochs=1), passing)
    assert np.array_equal(passing.noted.params, dense.params)
    assert np.array_equal(passing.noted.momentum, dense.momentum)


class Noting(Still):
    """Engine sparse; it notes every state that it begins from."""

    def advance(self, job, state, stop):
        self.seen.append(state)
        return sparse.SparseEngine().advance(job, state, stop)


@pytest.mark.parametrize("buffers", ["kept", "reset"])
def test_momentum_goes_on_or_not_but_weights_do(buffers):
    values = {"cycles": 2, "retrain_epochs": 1, "buffers": buffers, **SHORT}
    engine = Noting()
    decide(table("imp", 2, **values), engine)
    before, after = engine.seen[:2]
    trained = sparse.SparseEngine().advance(job_of("imp", **values), before, 20)
    kept = after.masks
    assert np.array_equal(after.params, np.where(kept, trained.params, 0))
    gone_on = np.where(kept, trained.momentum, 0)
    expected = gone_on if buffers == "kept" else np.zeros_like(gone_on)
    assert gone_on.any()
    assert np.array_equal(after.momentum, expected)


def job_of(method, **values):
    configs = table(method, 2, **values)
    shared = configs.iloc[0]
    plan = prepare.plan_of(prepare.build_method(shared), shared)
    return prepare.make_job(configs, plan)


def test_the_factor_of_allr_is_measured_at_every_pruning_and_used():
    values = {"cycles": 2, "keep": [11, 20], **SHORT, "retrain_epochs": 1}
    engine = Noting()
    decide(table("imp", 2, **values), engine)
    first, second, third = (state.lr_scale for state in engine.seen)
    assert first is None
    assert ((second >= 1 / 5) & (second <= 1)).all()
    assert (second != third).all()
    rates = job_of("imp", **values).rates(engine.seen[1], 20, 24)
    curve = retraining_rates.curve(
        "allr", plan_of("dense", **SHORT).curves["cosine"], 4
    )
    assert rates == pytest.approx(
        (0.1 * np.outer(curve, second)).astype(np.float32), rel=1e-6
    )


@pytest.mark.parametrize("kind", ["ft", "lrw", "slr", "clr", "llr"])
def test_other_schedules_have_no_factor(kind):
    engine = Noting()
    decide(table("imp", 1, cycles=1, retraining=kind, **SHORT), engine)
    assert engine.seen[-1].lr_scale is None


def test_a_retraining_as_long_as_the_dense_training_makes_allr_llr_to_the_bit():
    values = {"cycles": 1, "retrain_epochs": 5, **SHORT}
    allr, llr = (
        decide(table("imp", 2, retraining=kind, **values), sparse.SparseEngine())
        for kind in ("allr", "llr")
    )
    assert allr.lr_scale.tolist() == [1.0, 1.0]
    assert np.array_equal(allr.params, llr.params)


def test_one_cycle_selects_as_torch_prunes_globally():
    """The authors prune with torch.nn.utils.prune, over all layers."""
    for seed, keep in ((0, 15), (1, 40), (2, 200)):
        values = {"n": 1, "width": 16, "keep": keep, "seed": seed, "cycles": 1}
        kept = kept_weights(decide(table("imp", **values), Still()), 16)[0]
        layers = []
        for weights, _ in mlp.matrices(mlp.initial_params(seed, 16), 16):
            layer = torch.nn.Linear(weights.shape[1], weights.shape[0])
            layer.weight.data = torch.tensor(weights.copy())
            layers.append((layer, "weight"))
        prune.global_unstructured(
            layers, pruning_method=prune.L1Unstructured, amount=560 - keep
        )
        theirs = [layer.weight_mask.numpy().ravel() for layer, _ in layers]
        assert np.array_equal(kept, np.concatenate(theirs) > 0)


@pytest.mark.parametrize(
    ("method", "values", "field"),
    [
        ("imp", {"retraining": "lrw", "retrain_epochs": 3}, "retraining"),
        ("bimp", {"retraining": "lrw", "dense_share": 0.4, "epochs": 10}, "retraining"),
        ("bimp", {"cycles": 2}, "cycles"),
        ("bimp", {"epochs": 1}, "cycles"),
    ],
)
def test_what_cannot_work_is_said(method, values, field):
    (mistake,) = METHODS[method].check(table(method, 1, **values))
    assert mistake.field == field


def test_cost_counts_the_shared_dense_training_once():
    values = {"epochs": 50, "cycles": 2, "retrain_epochs": 25}
    one = METHODS["imp"].cost_profile(table("imp", 1, keep=3, **values), 27, np.ones(1))
    pair = table("imp", 2, keep=[3, 3], **values)
    two = METHODS["imp"].cost_profile(pair, 27, np.full(2, 2.0))
    assert one.kept[:, 0].tolist() == pytest.approx([27, 9, 3])
    assert one.share[:, 0].tolist() == pytest.approx([0.5, 0.25, 0.25])
    assert two.share[:, 0].tolist() == pytest.approx([0.25, 0.25, 0.25])
    four = table("bimp", 1, epochs=50, recipe="four")
    shares = METHODS["bimp"].cost_profile(four, 27, np.ones(1)).share[:, 0]
    assert shares.tolist() == pytest.approx([0.6, 0.1, 0.1, 0.1, 0.1])
