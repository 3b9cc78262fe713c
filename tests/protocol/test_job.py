"""Budgets, plans and the batches that every engine sees."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.protocol import orders
from spiral.protocol.job import Budget, Plan, Sgd, TrainState
from spiral.protocol.orders import epoch_order
from spiral.tasks import cubist
from tests.engines import make_job


def test_budget_counts_steps_and_rounds_fractions_down():
    budget = Budget(50, 390)
    assert budget.steps == 19_500
    assert budget.at(0.75) == 14_625
    assert Budget(1, 7).at(0.5) == 3
    assert (budget.at(0), budget.at(1)) == (0, 19_500)


def test_a_simple_plan_is_one_phase_of_every_schedule():
    plan = Plan.simple(Budget(2, 3), 0, 4, label_smoothing=0.1)
    assert (plan.steps, plan.events, plan.label_smoothing) == (6, (0, 4), 0.1)
    assert set(plan.curves) == {"constant", "cosine", "step"}
    assert plan.curves["cosine"].tolist() == pytest.approx([1] * 3 + [0.5] * 3)
    assert (plan.siblings, plan.replaced, plan.optimiser) == (1, (), Sgd())


def test_a_plan_until_a_step_keeps_what_happens_before_it():
    whole = Plan.simple(Budget(3, 2), 0, 2, 4, 6, replaced=(4,))
    part = whole.until(4)
    assert (part.steps, part.events, part.replaced) == (4, (0, 2), (4,))
    assert all(len(curve) == 4 for curve in part.curves.values())
    assert part.curves["cosine"].tolist() == whole.curves["cosine"][:4].tolist()
    assert part.whole is whole
    assert whole.until(6) is whole


@pytest.mark.parametrize(("batch", "steps"), [(128, 390), (64, 780), (24_991, 2)])
def test_the_incomplete_batch_is_dropped(batch, steps):
    job = make_job(batch=batch)
    assert job.steps_per_epoch == steps
    indices = job.orders([1, 2, 3], 0, 0, steps)
    assert indices.shape == (3, steps, batch)
    assert len(np.unique(indices[0])) == steps * batch  # no point twice


def test_orders_are_kept_once_per_distinct_seed():
    job = make_job((5, 3, 5, 5))
    distinct, which = job.followers()
    assert distinct == [3, 5]
    assert which.tolist() == [1, 0, 1, 1]
    indices = job.orders(distinct, 1, 7, 9)
    assert indices.shape == (2, 2, 128)
    assert indices.dtype == np.int32
    assert np.array_equal(
        indices[1].ravel(), epoch_order(5, 1, cubist.POINTS)[7 * 128 : 9 * 128]
    )


@pytest.mark.parametrize(
    ("step", "epoch", "place"), [(0, 0, 0), (389, 0, 389), (391, 1, 1)]
)
def test_a_batch_is_the_next_piece_of_the_order(step, epoch, place):
    x, y = make_job((4, 9)).batch_at(step)
    assert (x.shape, y.shape, y.dtype) == ((2, 128, 2), (2, 128), np.float32)
    for n, seed in enumerate((4, 9)):
        rows = epoch_order(seed, epoch, cubist.POINTS)[128 * place : 128 * (place + 1)]
        assert np.array_equal(x[n], cubist.load().x[rows])
        assert np.array_equal(y[n], cubist.load().y[rows])


@pytest.mark.parametrize("ahead", [1, 2 * 128, 2 * 128 * 7, 2 * 128 * 500])
def test_how_many_batches_are_drawn_ahead_does_not_matter(ahead, monkeypatch):
    monkeypatch.setattr(orders, "AHEAD", ahead)
    job = make_job((4, 9))
    for step in (0, 1, 6, 7, 388, 389, 390, 779, 2):
        epoch, place = divmod(step, 390)
        x, _ = job.batch_at(step)
        for n, seed in enumerate((4, 9)):
            rows = epoch_order(seed, epoch, cubist.POINTS)[
                128 * place : 128 * (place + 1)
            ]
            assert np.array_equal(x[n], cubist.load().x[rows])


def test_batches_do_not_depend_on_the_pack():
    alone, together = make_job((9,)), make_job((4, 9, 2))
    assert np.array_equal(alone.batch_at(3)[0][0], together.batch_at(3)[0][1])


def test_rates_follow_each_networks_schedule():
    job = make_job(
        lr=np.array([0.1, 0.2, 0.4]),
        schedule=("constant", "cosine", "step"),
        epochs=10,
    )
    rates = job.rates(TrainState.fresh(job), 1168, 1172)
    assert rates.dtype == np.float32
    cosine = [0.1 * (1 + np.cos(np.pi * epoch / 10)) for epoch in (2, 3)]
    first, second = [0.1, cosine[0], 0.4], [0.1, cosine[1], 0.04]
    assert rates == pytest.approx(np.array([first] * 2 + [second] * 2), rel=1e-6)


def test_rates_are_scaled_per_network():
    job = make_job()
    state = replace(TrainState.fresh(job), lr_scale=np.array([1.0, 0.5, 0.0]))
    assert job.rates(state, 0, 1) == pytest.approx(np.array([[0.1, 0.05, 0]]), rel=1e-6)


def test_a_fresh_state_is_untrained_and_unmasked():
    job = make_job()
    state = TrainState.fresh(job)
    assert (state.step, state.trainable, state.lr_scale) == (0, None, None)
    assert np.array_equal(state.params, job.initial)
    assert state.masks.all()
    assert not state.momentum.any()
    assert state.momentum.shape == job.initial.shape


def test_a_plan_cut_before_an_event_promises_no_count():
    budget = Budget(4, 10)
    plan = Plan.simple(budget, 0, 25)
    assert plan.until(30).exact
    assert not plan.until(20).exact
    assert plan.until(40) is plan
