"""``acdc`` and ``acdc_pp``: phases on exact steps, limits, resets, published masks."""

import json
from itertools import pairwise

import numpy as np
import pytest

from spiral import engines, experiment
from spiral.engines import sparse
from spiral.experiment import prepare, training
from spiral.methods.parts import n_of_m
from spiral.methods.registry import METHODS
from spiral.model import masks
from spiral.protocol.job import TrainState
from tests import GOLDEN_FILES, oracles
from tests.methods import Drift, Passing, decide, first_view, table, view_of
from tests.tolerances import tolerance

GOLDEN = json.loads((GOLDEN_FILES / "acdc_bimp.json").read_text())
STEP = 1 / 49
"""One step in epochs, at batches of 1,000."""
SHORT = {"batch": 1000, "schedule": "constant", "epochs": 2}
PLAIN = {**SHORT, "smoothing": 0.0, "rates": "schedule"}
"""What makes ``acdc_pp`` train like ``acdc``, 98 steps."""
USUAL = {"first_dense": 2.5, "phase": 5.0, "last_dense": 5.0, "last_sparse": 7.5}


def steps(**phases):
    """Return lengths of phases that are given in steps."""
    return {name: count * STEP for name, count in phases.items()}


TURNS = steps(first_dense=10, phase=12, last_dense=20, last_sparse=32)
"""98 steps: 10 dense, 12 sparse, 12 dense, 12 sparse, 20 dense, 32 sparse."""


def plan_of(method, **values):
    shared = table(method, 1, **values).iloc[0]
    return prepare.plan_of(prepare.build_method(shared), shared)


def trained(method, n=3, **values):
    return decide(table(method, n, **values), sparse.SparseEngine())


PUBLISHED = {
    "cifar": (200, [10, 50, 90, 130, 170], [30, 70, 110, 150]),
    "imagenet": (100, [10, 20, 30, 40, 50, 60, 70, 85], [15, 25, 35, 45, 55, 65, 75]),
}
"""Epochs at which the authors' configs prune and restore, and of the training."""


@pytest.mark.parametrize("recipe", PUBLISHED)
def test_phases_are_the_authors_scaled_to_50_epochs(recipe):
    epochs, prunings, restorings = PUBLISHED[recipe]
    found = plan_of("acdc", epochs=50, recipe=recipe).events
    assert [e * epochs / 19_500 for e in found[::2]] == prunings
    assert [e * epochs / 19_500 for e in found[1::2]] == restorings
    assert found[-2:] == (14_625, 16_575)


@pytest.mark.parametrize(
    ("epochs", "phases"), [(50, 7), (100, 17), (200, 37), (500, 97)]
)
def test_longer_acdc_pp_has_more_phases_of_5_epochs(epochs, phases):
    plan = plan_of("acdc_pp", epochs=epochs, **USUAL)
    assert len(plan.events) == phases + 2
    assert set(np.diff(plan.events)) == {1950}
    assert plan.events[0] == 975
    assert plan.steps - plan.events[-1] == 2925


def test_longer_acdc_stretches():
    short, long = (plan_of("acdc", epochs=epochs).events for epochs in (50, 100))
    assert long == tuple(2 * event for event in short)


@pytest.mark.parametrize(("epochs", "peak"), [(50, 1), (100, 2), (200, 5), (500, 11)])
def test_the_rate_of_acdc_pp_rises_and_falls_linearly(epochs, peak):
    curves = plan_of("acdc_pp", epochs=epochs, **USUAL).curves
    for curve in curves.values():
        assert curve[0] == 1e-4
        assert curve[390 * peak] == 1 == curve.max()
        assert np.allclose(np.diff(curve[: 390 * peak]), (1 - 1e-4) / 390 / peak)
        assert np.allclose(np.diff(curve[390 * peak :]), -1 / 390 / (epochs - peak))
        assert curve[-1] == pytest.approx(1 / 390 / (epochs - peak))


def test_options_of_acdc_pp_may_turn_smoothing_and_ramp_off():
    smooth, plain = plan_of("acdc_pp", epochs=2), plan_of("acdc_pp", **PLAIN, **TURNS)
    assert (smooth.label_smoothing, plain.label_smoothing) == (0.1, 0)
    assert (plain.curves["constant"] == 1).all()


def test_phases_take_turns_and_end_sparse():
    engine = Drift()
    decide(table("acdc", 2, keep=[11, 20]), engine)
    counts = np.array([seen.sum(axis=1) for seen in engine.seen])
    assert (counts[::2] == 27).all()
    assert (counts[1::2] == [11, 20]).all()
    assert len(counts) == 10
    assert engine.steps[-1] == (663, 780)


def test_weights_come_back_as_zeros_and_all_of_them():
    configs = table("acdc", 1)
    kept = masks.with_biases(np.arange(27)[None] % 3 == 0, 3)
    view = view_of(configs, np.where(kept, np.float32(2), np.float32(0)), kept)
    method = prepare.build_method(configs.iloc[0])
    change, _ = method.act(view, 1)
    state = training.apply(change, view_state(view), "acdc")
    assert state.masks.all()
    assert not state.momentum.any()
    assert not state.params[~kept].any()
    assert (state.params[kept] == 2).all()


def view_state(view):
    ones = view.masks.astype(np.float32)
    return TrainState(5, view.params, view.masks, ones)


@pytest.mark.parametrize("buffers", ["reset", "kept"])
def test_nothing_is_reset_where_a_sparse_phase_begins(buffers):
    configs = table("acdc", 1, buffers=buffers)
    method = prepare.build_method(configs.iloc[0])
    view = first_view(configs)
    change, _ = method.act(view, 0)
    momentum = training.apply(change, view_state(view), "acdc").momentum
    assert np.array_equal(momentum == 1, change.masks)
    change, _ = method.act(view, 1)
    momentum = training.apply(change, view_state(view), "acdc").momentum
    assert (momentum == (buffers == "kept")).all()


def test_keeping_all_without_reset_is_the_dense_training_to_the_bit():
    dense = trained("dense", **SHORT)
    kept = trained("acdc", keep=27, buffers="kept", **SHORT)
    reset = trained("acdc", keep=27, buffers="reset", **SHORT)
    assert np.array_equal(kept.params, dense.params)
    assert np.array_equal(kept.momentum, dense.momentum)
    assert not np.array_equal(reset.params, dense.params)


def test_one_sparse_phase_is_one_shot_magnitude_to_the_bit():
    once = steps(first_dense=49, phase=30, last_dense=0, last_sparse=19)
    found = trained("acdc_pp", **PLAIN, **once)
    shot = trained("magnitude", at_epoch=1, **SHORT)
    assert plan_of("acdc_pp", **PLAIN, **once).events == (49,)
    assert np.array_equal(found.masks, shot.masks)
    assert np.array_equal(found.params, shot.params)
    assert np.array_equal(found.momentum, shot.momentum)


def alternate(job, n, begin, keep, momentum=0.9, decay=5e-4, **how):
    """Train network n densely and sparsely in turn, in float64, step by step."""
    reset, mask_gradients = how.get("reset", True), how.get("mask_gradients", True)
    params = job.initial[n].astype(np.float64)
    velocity, every = np.zeros(len(params)), np.ones(len(params), bool)
    kept = every
    for step in range(job.plan.steps):
        if step in begin[::2]:
            kept = top(params, keep)
            params = np.where(kept, params, 0)
        if step in begin[1::2]:
            kept = every
            velocity = 0 * velocity if reset else velocity
        x, y = (part[n] for part in job.batch_at(step))
        slope = oracles.gradient(params, x, y, 3)
        trains = kept if mask_gradients else every
        params, velocity = oracles.sgd_step(
            params, velocity, slope, trains, 0.1, momentum, decay
        )
        params = np.where(kept, params, 0)
    return params, kept


def top(params, keep):
    """Return the mask [P] of the largest weights, biases by the rule of the paper."""
    weights = np.array(oracles.keep_top(np.abs(params[oracles.is_weight(3)]), keep))
    mask = np.ones(len(params), bool)
    mask[oracles.is_weight(3)] = weights
    mask[~oracles.is_weight(3)] = oracles.kept_biases(weights, 3)
    return mask


def job_of(configs):
    shared = configs.iloc[0]
    plan = prepare.plan_of(prepare.build_method(shared), shared)
    return prepare.make_job(configs, plan)


@pytest.mark.parametrize("mask_gradients", [True, False])
def test_it_trains_as_the_oracle_does_whatever_becomes_of_masked_gradients(
    mask_gradients,
):
    """With the reset on: what pruned weights gather is forgotten when they return."""
    configs = table("acdc_pp", 3, keep=[9, 11, 20], **PLAIN, **TURNS)
    job, found = job_of(configs), decide(configs, sparse.SparseEngine())
    assert job.plan.events == (10, 22, 34, 46, 66)
    for n, keep in enumerate([9, 11, 20]):
        expected, kept = alternate(
            job, n, job.plan.events, keep, mask_gradients=mask_gradients
        )
        assert np.array_equal(found.masks[n], kept)
        assert np.abs(found.params[n] - expected).max() <= tolerance("steps_100")


@pytest.mark.parametrize("name", ["vmap", "reference"])
def test_other_engines_take_turns_alike(name):
    configs = table(
        "acdc_pp", 3, keep=[9, 11, 20], **{**PLAIN, "smoothing": 0.1}, **TURNS
    )
    expected = decide(configs, sparse.SparseEngine())
    found = decide(configs, engines.build(name))
    assert np.array_equal(found.masks, expected.masks)
    gap = np.abs(found.params - expected.params).max()
    assert gap <= tolerance("steps_100")
    assert found.losses == pytest.approx(expected.losses, rel=1e-5)


def test_masked_gradients_matter_only_without_the_reset():
    job = job_of(table("acdc_pp", 1, **PLAIN, **TURNS))
    same, other = (
        [
            alternate(job, 0, job.plan.events, 11, reset=reset, mask_gradients=masked)[
                0
            ]
            for masked in (True, False)
        ]
        for reset in (True, False)
    )
    assert np.array_equal(*same)
    assert np.abs(other[0] - other[1]).max() > 1e-3


def test_phases_of_one_step_are_iterative_hard_thresholding():
    """w ← top(w - ηg) every second step, with one masked step in between."""
    turns = steps(first_dense=2, phase=1, last_dense=1, last_sparse=1)
    values = {**PLAIN, "epochs": 1, "momentum": 0.0, "weight_decay": 0.0}
    configs = table("acdc_pp", 1, keep=11, **values, **turns)
    job, found = job_of(configs), decide(configs, sparse.SparseEngine())
    assert job.plan.events == tuple(range(2, 49))
    params = job.initial[0].astype(np.float64)
    for step in range(49):
        kept = np.ones(37, bool)
        if step and step % 2 == 0:
            kept = top(params, 11)
            params = np.where(kept, params, 0)
        x, y = (part[0] for part in job.batch_at(step))
        slope = oracles.gradient(params, x, y, 3)
        params = params - 0.1 * np.where(kept, slope, 0)
    assert np.array_equal(found.masks[0], kept)
    assert np.abs(found.params[0] - params).max() <= tolerance("steps_100")


def test_the_last_mask_is_the_top_after_the_last_dense_phase_and_stays():
    configs, passing = table("acdc", 2, epochs=2, keep=11), Passing(663)
    assert job_of(configs).plan.events[-1] == 663
    found = decide(configs, passing)
    for n in range(2):
        assert passing.noted.masks[n].all()
        assert np.array_equal(found.masks[n], top(passing.noted.params[n], 11))


def test_a_unit_that_lost_all_its_weights_never_returns():
    """Its weights come back as zeros on both sides, which have no gradient."""
    passing = Passing(66)
    decide(table("acdc_pp", 3, keep=5, **PLAIN, **TURNS), passing)
    lost = 0
    for params in passing.noted.params:
        parts = oracles.split(params, 3)
        for (weights, biases), (following, _) in pairwise(parts):
            for unit in range(3):
                before, behind = weights[unit].any(), following[:, unit].any()
                assert before or biases[unit] or not behind
                lost += not before and not behind and not biases[unit]
    assert passing.noted.masks.all()
    assert lost > 0


@pytest.mark.parametrize("twin", ["dense", "dense_tuned"])
def test_the_dense_twin(twin):
    """Before the last sparse phase, or trained on; the sparse one does not notice."""
    values = {"keep": 11, "seed": 4, **PLAIN, **TURNS}
    found = trained("acdc_pp", 2, twin=["sparse", twin], **values)
    configs, passing = table("acdc_pp", 1, **values), Passing(66)
    alone = decide(configs, passing)
    assert np.array_equal(found.params[0], alone.params[0])
    expected = passing.noted
    if twin == "dense_tuned":
        expected = sparse.SparseEngine().advance(job_of(configs), expected, 98)
    assert np.array_equal(found.params[1], expected.params[0])
    assert found.masks[1].all()


def test_the_dense_twin_is_no_network_of_the_size_asked_for():
    values = {"keep": 24, "seed": 1, **PLAIN, **TURNS}
    configs = table("acdc_pp", 2, twin=["sparse", "dense"], **values)
    found = experiment.run(configs).to_pylist()
    assert [row["status"] for row in found] == ["ok", "infeasible"]
    assert [row["nnz"] for row in found] == [24, 27]


@pytest.mark.parametrize("row", GOLDEN["acdc_masks"]["rows"], ids=str)
def test_masks_are_the_authors(row):
    """At the number of weights that their threshold lets through."""
    seed, _, count, expected = row
    configs = table("acdc", 1, width=16, keep=count, seed=seed)
    kept = first_prune(configs)
    assert masks.to_bits(kept[0]).hex() == expected


@pytest.mark.parametrize("row", GOLDEN["nm_masks"]["rows"], ids=str)
def test_nm_masks_are_the_authors(row):
    seed, some, group, expected = row
    pattern = {"scope": "nm", "nm_keep": some, "nm_group": group}
    keep = n_of_m.count(16, some, group)
    kept = first_prune(table("acdc", 1, width=16, keep=keep, seed=seed, **pattern))
    assert masks.to_bits(kept[0]).hex() == expected
    assert kept.sum() == keep


def first_prune(configs):
    """Return the weights that the first sparse phase keeps of the initial ones."""
    method = prepare.build_method(configs.iloc[0])
    change, _ = method.act(first_view(configs), 0)
    return masks.of_weights(change.masks, int(configs["width"].iloc[0]))


def test_uniform_keeps_both_ends():
    kept = first_prune(table("acdc", 1, width=16, keep=60, scope="uniform"))
    counts = masks.layer_counts(masks.with_biases(kept, 16), 16)[0]
    assert counts.tolist() == [32, 6, 6, 16]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"phase": 4.0}, "phase"),
        ({"phase": 17.5}, "phase"),
        ({"first_dense": 40.0}, "phase"),
        ({"phase": 0.001}, "phase"),
        ({"scope": "uniform", "keep": 8}, "keep"),
        ({"scope": "nm", "nm_keep": 5}, "nm_keep"),
        ({"scope": "nm", "width": 4, "keep": 16, "nm_keep": 1}, "keep"),
    ],
)
def test_what_cannot_work_is_said(values, field):
    (mistake,) = METHODS["acdc"].check(table("acdc", 1, **values))
    assert mistake.field == field
    assert mistake.value == values.get(field, 5.0)


@pytest.mark.parametrize(
    "values",
    [
        {"scope": "uniform", "keep": 9},
        {"scope": "nm", "width": 4, "keep": 17, "nm_keep": 1},
        {"recipe": "imagenet"},
        {"phase": 35.0},
    ],
)
def test_what_works_is_no_mistake(values):
    assert METHODS["acdc"].check(table("acdc", 1, **values)) == []


def test_cost_counts_dense_phases_whole_and_the_shared_beginning_once():
    alone, pair = table("acdc", 1, epochs=50), table("acdc", 2, epochs=50, keep=[9, 11])
    one = METHODS["acdc"].cost_profile(alone, 27, np.ones(1))
    two = METHODS["acdc"].cost_profile(pair, 27, np.full(2, 2.0))
    assert one.kept[:, 0].tolist() == [27, 27, 11, 11]
    assert one.share[:, 0].tolist() == pytest.approx([0.05, 0.4, 0.4, 0.15])
    assert two.share[:, 0].tolist() == pytest.approx([0.025, 0.4, 0.4, 0.15])
    tuned = METHODS["acdc"].cost_profile(table("acdc", 1, twin="dense"), 27, np.ones(1))
    assert tuned.kept[-1].tolist() == [27]
