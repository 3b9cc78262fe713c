"""What every engine must obey; a new entry of ENGINES is covered by itself."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from spiral.model import mlp
from spiral.protocol.job import Controls, Sgd
from tests import oracles
from tests.engines import (
    CPU,
    EVERYWHERE,
    advance,
    begin,
    build,
    furthest,
    make_job,
    on_devices,
    prune,
    some_masks,
    twin,
)
from tests.tolerances import tolerance

IDS = (1, 2, 3)
HUGE = 1e6
OTHERS = on_devices(*(name for name in CPU if name != "reference"))


@pytest.fixture(params=EVERYWHERE)
def name(request):
    return request.param


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("steps", [20, 100])
@pytest.mark.parametrize("width", [2, 4])
def test_agrees_with_reference(name, steps, width):
    job = make_job(width=width)
    kept = some_masks(IDS, width)
    got, expected = (advance(e, job, steps, kept) for e in (name, "reference"))
    limit = tolerance(f"steps_{steps}", name)
    assert furthest(got.params, expected.params) <= limit
    assert furthest(got.momentum, expected.momentum) <= limit
    assert got.step == steps


@pytest.mark.parametrize("steps", [1, 20, 100])
def test_agrees_with_the_oracle(name, steps):
    job, kept = make_job(), some_masks(IDS)
    got = advance(name, job, steps, kept)
    limit = tolerance("step_1" if steps == 1 else f"steps_{steps}", name)
    for n in range(3):
        assert furthest(got.params[n], twin(job, n, steps, kept)) <= limit


def test_the_slope_of_relu_at_zero_is_zero(name):
    initial = make_job().initial.copy()
    initial[:, mlp.layers(3)[1].weights] = 0  # every unit of layer 2 sits at 0
    initial[:, mlp.layers(3)[1].biases] = 0
    job = make_job(initial=initial)
    got = advance(name, job, 1)
    assert furthest(got.params[0], twin(job, 0, 1)) <= tolerance("step_1", name)
    assert not got.params[:, mlp.layers(3)[1].weights].any()


@pytest.mark.parametrize("k", [0, 1, 7, 30])
def test_a_stop_on_the_way_changes_no_bit(name, k):
    job, kept = make_job(), some_masks(IDS)
    engine = build(name)
    half_way = engine.advance(job, begin(job, kept), k)
    got, expected = engine.advance(job, half_way, 30), advance(name, job, 30, kept)
    assert np.array_equal(got.params, expected.params)
    assert np.array_equal(got.momentum, expected.momentum)


def test_a_stop_between_epochs_changes_no_bit(name):
    job, engine = make_job(schedule=("cosine", "step", "constant")), build(name)
    start = replace(begin(job), step=386)
    got = engine.advance(job, engine.advance(job, start, 390), 394)
    assert np.array_equal(got.params, engine.advance(job, start, 394).params)


def test_advance_leaves_the_state_it_was_given(name):
    job = make_job()
    state = begin(job, some_masks(IDS))
    before = state.params.copy()
    build(name).advance(job, state, 3)
    assert np.array_equal(state.params, before)
    assert not state.momentum.any()


@pytest.mark.parametrize("batch", [128, 100, 37])
def test_replaced_neighbours_change_no_bit(name, batch):
    mine = advance(name, make_job((1, 2, 3), batch=batch), 40)
    other = advance(name, make_job((1, 8, 9), batch=batch), 40)
    assert np.array_equal(mine.params[0], other.params[0])
    assert not np.array_equal(mine.params[1], other.params[1])


def test_order_of_the_pack_changes_no_bit_at_the_default_batch(name):
    """Engine vmap keeps this only where the batch fills its vectors (not at 37)."""
    mine = advance(name, make_job((1, 2, 3)), 40)
    other = advance(name, make_job((3, 1, 2)), 40)
    assert np.array_equal(mine.params[[2, 0, 1]], other.params)


@pytest.mark.parametrize("batch", [128, 37])
def test_size_and_order_of_the_pack_change_rounding_at_most(name, batch):
    """Engine vmap: equal bits at batch 128, other sums of rounding at odd batches."""
    mine = advance(name, make_job((1, 2, 3), batch=batch), 20)
    for ids in ((3, 1), (1,), (4, 5, 6, 7, 8, 9, 1)):
        other = advance(name, make_job(ids, batch=batch), 20)
        gap = furthest(mine.params[0], other.params[ids.index(1)])
        assert gap <= tolerance("steps_20", name)


def test_a_diverging_network_stays_in_its_row(name):
    calm = advance(name, make_job(), 40)
    wild = advance(name, make_job(lr=np.array([0.1, HUGE, 0.1])), 40)
    assert not np.isfinite(wild.params[1]).all()
    assert np.array_equal(wild.params[[0, 2]], calm.params[[0, 2]])
    assert np.array_equal(wild.momentum[[0, 2]], calm.momentum[[0, 2]])


def test_masked_entries_are_zero_after_every_event(name):
    job, engine = make_job(), build(name)
    kept, state = np.ones(job.initial.shape, bool), begin(job)
    for event in (5, 12, 20):
        kept = kept & some_masks((event, event, event))
        state = engine.advance(job, prune(state, kept), event + 4)
        assert not state.params[~kept].any()
        assert not state.momentum[~kept].any()
        assert (state.params[kept] != 0).any()


def test_masked_entries_are_zero_beside_nan(name):
    job, kept = make_job(lr=np.full(3, HUGE)), some_masks(IDS)
    state = advance(name, job, 60, kept)
    assert np.isnan(state.params).any()
    assert np.array_equal(state.params[~kept], np.zeros((~kept).sum()))
    assert np.array_equal(state.momentum[~kept], np.zeros((~kept).sum()))


def test_one_network_is_a_pack(name):
    job, kept = make_job((5,)), some_masks((5,))
    got = advance(name, job, 20, kept).params
    assert got.shape == (1, 2 * 9 + 6 * 3 + 1)
    assert furthest(got[0], twin(job, 0, 20, kept)) <= tolerance("steps_20", name)


def test_frozen_entries_keep_their_bits(name):
    job, kept = make_job(), some_masks(IDS)
    trainable = kept & ~some_masks((7, 8, 9))
    state = replace(begin(job, kept), trainable=trainable)
    got = build(name).advance(job, state, 20)
    frozen = kept & ~trainable
    assert np.array_equal(got.params[frozen], job.initial[frozen])
    assert (got.params[trainable] != job.initial[trainable]).mean() > 0.5
    assert not got.momentum[frozen].any()


def test_thawed_entries_train_as_the_oracle_says(name):
    job = make_job()
    trainable = some_masks(IDS)
    got = build(name).advance(job, replace(begin(job), trainable=trainable), 20)
    batches = [job.batch_at(step) for step in range(20)]
    mine = [(x[0], y[0]) for x, y in batches]
    expected = oracles.train(job.initial[0], trainable[0], mine, [0.1] * 20)
    assert furthest(got.params[0], expected) <= tolerance("steps_20", name)


def test_lr_scale_multiplies_the_learning_rate(name):
    scale = np.array([1.0, 0.5, 0.0])
    job = make_job()
    got = build(name).advance(job, replace(begin(job), lr_scale=scale), 20)
    expected = advance(name, make_job(lr=0.1 * scale), 20)
    assert np.array_equal(got.params, expected.params)
    assert np.array_equal(got.params[2], job.initial[2])
    assert not np.array_equal(got.params[1], advance(name, job, 20).params[1])


def test_nesterov_momentum(name):
    plan = make_job().plan.under(Controls(Sgd(nesterov=True)))
    settings = {
        "lr": np.array([0.05, 0.1, 0.2]),
        "momentum": np.array([0.0, 0.5, 0.9]),
        "weight_decay": np.array([0.0, 0.1, 5e-4]),
    }
    job, kept = replace(make_job(**settings), plan=plan), some_masks(IDS)
    got = advance(name, job, 20, kept).params
    for n in range(3):
        expected = twin(job, n, 20, kept, nesterov=True)
        assert furthest(got[n], expected) <= tolerance("steps_20", name)
    plain = advance(name, make_job(**settings), 20, kept).params
    assert furthest(got[0], plain[0]) <= tolerance("steps_20", name)  # no momentum
    assert furthest(got[2], plain[2]) > 1000 * tolerance("steps_20", name)


def test_label_smoothing(name):
    job = make_job(smoothing=0.1)
    got = advance(name, job, 20).params[0]
    assert furthest(got, twin(job, 0, 20, smoothing=0.1)) <= tolerance("steps_20", name)


def test_optimiser_settings_are_each_networks_own(name):
    job = make_job(
        lr=np.array([0.05, 0.1, 0.2]),
        momentum=np.array([0.0, 0.5, 0.9]),
        weight_decay=np.array([0.0, 0.1, 5e-4]),
    )
    got = advance(name, job, 20).params
    for n in range(3):
        assert furthest(got[n], twin(job, n, 20)) <= tolerance("steps_20", name)


def test_schedules_are_each_networks_own_and_change_at_the_epoch(name):
    small = {"batch": 10_000, "epochs": 10}  # four steps an epoch
    job = make_job(schedule=("constant", "cosine", "step"), **small)
    got = advance(name, job, 20).params
    for n in range(3):
        assert furthest(got[n], twin(job, n, 20)) <= tolerance("steps_20", name)


@pytest.mark.parametrize("batch", [1, 37, 64, 500])
def test_other_batch_sizes(name, batch):
    job = make_job(batch=batch, lr=np.full(3, 0.01))
    got = advance(name, job, 20).params
    for n in range(3):
        assert furthest(got[n], twin(job, n, 20)) <= tolerance("steps_20", name)


def test_evaluation_agrees_with_the_oracle(name):
    job = make_job(smoothing=0.1)  # which evaluation must not see
    state = begin(job, some_masks(IDS))
    found = build(name).evaluate(job, state)
    for n, params in enumerate(state.params):
        z = oracles.logits(params, job.x, 3)
        gap = abs(found.correct[n] - oracles.correct(z, job.y))
        assert gap <= tolerance("count", name)
        expected = oracles.loss(params, job.x, job.y, 3)
        assert found.loss[n] == pytest.approx(expected, abs=tolerance("loss", name))
        expected = oracles.entropy(z)
        assert found.entropy[n] == pytest.approx(expected, abs=tolerance("loss", name))


def test_a_sure_network_has_no_entropy(name):
    """Where σ(z) is 1 to all digits of float32 nothing cancels."""
    job = make_job()
    params = job.initial.copy()
    params[:, mlp.layers(3)[3].biases] = [[60.0], [-60.0], [15.0]]
    params[:, mlp.layers(3)[3].weights] = 0
    found = build(name).evaluate(job, replace(begin(job), params=params))
    exact = oracles.entropy(np.array([15.0]))
    assert found.entropy == pytest.approx([0, 0, exact], rel=1e-6, abs=1e-20)


SHORT = {"batch": 10_000, "epochs": 3}
"""Four steps an epoch, twelve in all."""


@functools.cache
def losses_by_hand(smoothing):
    """Return the losses of each network before the four steps of the last epoch."""
    job, kept = make_job(smoothing=smoothing, **SHORT), some_masks(IDS)
    found = []
    for step in range(8, 12):
        x, y = job.batch_at(step)
        ends = [twin(job, n, step, kept, smoothing=smoothing) for n in range(3)]
        found.append([oracles.loss(ends[n], x[n], y[n], 3) for n in range(3)])
    return np.array(found)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_losses_of_the_last_epoch_are_summed_without_smoothing(name, smoothing):
    job = make_job(smoothing=smoothing, **SHORT)
    kept = some_masks(IDS)
    got = advance(name, job, 12, kept)
    expected = losses_by_hand(smoothing).sum(axis=0)
    assert got.losses == pytest.approx(expected, abs=tolerance("steps_20", name))


@pytest.mark.parametrize("k", [3, 8, 10])
def test_losses_do_not_depend_on_stops_or_neighbours(name, k):
    job, engine = make_job(**SHORT), build(name)
    whole = engine.advance(job, begin(job), 12).losses
    early = engine.advance(job, begin(job), k)
    assert (early.losses > 0).all() == (k > 8)
    assert np.array_equal(engine.advance(job, early, 12).losses, whole)
    other = advance(name, make_job((1, 8, 9), **SHORT), 12).losses
    assert other[0] == whole[0]
    assert other[1] != whole[1]


def test_a_logit_of_zero_is_wrong(name):
    job = make_job()
    silent = prune(begin(job), np.zeros(job.initial.shape, bool))
    found = build(name).evaluate(job, silent)
    assert found.correct.tolist() == [0, 0, 0]
    assert found.loss == pytest.approx([np.log(2)] * 3, abs=tolerance("loss", name))
    assert found.entropy == pytest.approx([np.log(2)] * 3, abs=tolerance("loss", name))


def test_nan_is_wrong_everywhere_and_stays_in_its_row(name):
    job = make_job()
    params = job.initial.copy()
    params[1] = np.nan
    found = build(name).evaluate(job, replace(begin(job), params=params))
    clean = build(name).evaluate(job, begin(job))
    assert found.correct[1] == 0
    assert np.isnan(found.loss[1])
    assert np.isnan(found.entropy[1])
    assert found.entropy[[0, 2]].tolist() == clean.entropy[[0, 2]].tolist()
    assert found.correct[[0, 2]].tolist() == clean.correct[[0, 2]].tolist()
    assert found.loss[[0, 2]].tolist() == clean.loss[[0, 2]].tolist()
