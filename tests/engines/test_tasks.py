"""Engines on other tasks than the default: fewer points, unequal classes."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.engines import evaluate
from spiral.engines.sparse import layout
from spiral.protocol.job import Budget, Plan
from spiral.tasks import catalogue, cubist
from spiral.tasks.task import Raw, of
from tests import oracles
from tests.engines import (
    EVERYWHERE,
    advance,
    begin,
    build,
    furthest,
    make_job,
    some_masks,
    twin,
)
from tests.tolerances import tolerance

IDS = (1, 2, 3)


def drawn(points=3_001):
    """Return points of which a third are right of a line, no multiple of any vector."""
    random = np.random.default_rng(0)
    x = random.normal(size=(points, 2))
    return of("drawn", Raw(x, (x @ (1, 2) > 1).astype(np.uint8)))


DRAWN = drawn()


def job_of(task, epochs=2, batch=128, **fields):
    plan = Plan.simple(Budget(epochs, task.points // batch))
    return replace(make_job(IDS, batch=batch, **fields), task=task, plan=plan)


@pytest.fixture(params=EVERYWHERE)
def name(request):
    return request.param


@pytest.mark.parametrize("batch", [128, 100])
def test_training_agrees_with_the_oracle_over_the_end_of_an_epoch(name, batch):
    job, kept = job_of(DRAWN, batch=batch), some_masks(IDS)
    steps = job.steps_per_epoch + 7
    got = advance(name, job, steps, kept)
    for n in range(3):
        limit = tolerance("steps_100", name)
        assert furthest(got.params[n], twin(job, n, steps, kept)) <= limit


def test_evaluation_is_on_the_points_of_the_task(name):
    job = job_of(DRAWN)
    found = build(name).evaluate(job, begin(job))
    for n, params in enumerate(job.initial):
        z = oracles.logits(params, DRAWN.x, 3)
        assert abs(found.correct[n] - oracles.correct(z, DRAWN.y)) <= 1
        expected = oracles.loss(params, DRAWN.x, DRAWN.y, 3)
        assert found.loss[n] == pytest.approx(expected, abs=tolerance("loss", name))


def test_the_last_epoch_of_a_task_is_summed(name):
    job = job_of(DRAWN)
    got = advance(name, job, job.plan.steps)
    middle = build(name).advance(job, begin(job), job.last_epoch)
    assert not middle.losses_so_far().any()
    assert (got.losses_so_far() > 0).all()


def test_only_the_points_count_not_the_name_of_the_task(name):
    named = catalogue.load("cubist")
    assert np.array_equal(named.x, cubist.load().x)
    copied = replace(named, name="points.npz@0123456789abcdef")
    one, other = (replace(make_job(IDS), task=task) for task in (named, copied))
    ours, theirs = (advance(name, job, 30) for job in (one, other))
    assert np.array_equal(ours.params, theirs.params)
    both = build(name).evaluate(one, ours), build(name).evaluate(other, theirs)
    for field in ("correct", "loss", "entropy"):
        assert np.array_equal(*(getattr(found, field) for found in both))


@pytest.mark.parametrize("name", ["sparse", "sparse-plain"])
def test_how_many_points_are_laid_out_at_once_changes_no_bit(name, monkeypatch):
    job, kept = job_of(DRAWN), some_masks(IDS)
    expected = advance(name, job, job.plan.steps, kept)
    monkeypatch.setattr(layout, "MOST_POINTS", 5 * 128)
    got = advance(name, job, job.plan.steps, kept)
    assert np.array_equal(got.params, expected.params)
    assert np.array_equal(got.losses, expected.losses)


@pytest.mark.parametrize("name", ["vmap", "reference"])
def test_points_are_evaluated_in_blocks(name, monkeypatch):
    job = job_of(DRAWN)
    expected = build(name).evaluate(job, begin(job))
    monkeypatch.setattr(evaluate, "MOST_BYTES", 4 * 3 * 1_000)
    got = build(name).evaluate(job, begin(job))
    assert np.array_equal(got.correct, expected.correct)
    # The order of float32 sums depends on the size of a block
    assert got.loss == pytest.approx(expected.loss, abs=tolerance("loss", name))
    assert got.entropy == pytest.approx(expected.entropy, abs=tolerance("loss", name))
