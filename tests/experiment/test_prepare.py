"""Plans that are checked, engines that are chosen, siblings that start alike."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from spiral.errors import MethodError, UnsupportedJob
from spiral.experiment import prepare
from spiral.protocol.job import Budget, Plan
from tests.experiment import run
from tests.methods import plan_at, table


@pytest.mark.parametrize("events", [(3, 1), (1, 1), (-1,), (391,)])
def test_events_must_rise_within_the_training(script, events):
    method = script(events=events)
    with pytest.raises(
        MethodError, match=r"dense: expected increasing events within 0 … 390"
    ):
        prepare.plan_of(method, table("dense", epochs=1).iloc[0])


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([195], "expected plan to return a Plan, got list"),
        (None, "expected plan to return a Plan, got NoneType"),
        (Plan(390, (195.0,), {}), r"expected integers as events, got \[195\.0\]"),
    ],
)
def test_a_plan_is_a_plan_with_whole_steps(script, found, message):
    method = script()
    method.plan = lambda budget: found
    text = rf"dense: {message}; plan of config \w+ \(width 3"
    with pytest.raises(MethodError, match=text):
        prepare.plan_of(method, table("dense", epochs=1).iloc[0])


def test_curves_must_have_a_factor_per_step(script):
    method = script()
    method.plan = lambda budget: Plan(390, (), {"cosine": np.ones(389)})
    with pytest.raises(
        MethodError, match="expected 390 factors in curve cosine, got 389"
    ):
        prepare.plan_of(method, table("dense", epochs=1).iloc[0])


def test_a_plan_counts_in_plain_integers(script):
    seen = []
    method = script()
    method.plan = lambda budget: seen.append(budget) or plan_at(1, "random")
    prepare.plan_of(method, table("dense", epochs=1).iloc[0])
    assert seen == [Budget(1, 390)]
    assert type(seen[0].steps) is int


def test_no_engine_for_a_plan_is_said_with_the_reasons(script):
    script(optimiser=SimpleNamespace(name="magic"))
    with pytest.raises(
        UnsupportedJob, match=r"'dense': .*not support optimiser 'magic'"
    ):
        run("dense")


def test_siblings_start_alike():
    plan = replace(plan_at(1, "dense"), siblings=3)
    job = prepare.make_job(table("dense", 2, seed=[7, 8]), plan)
    assert np.array_equal(job.initial[0], job.initial[2])
    assert not np.array_equal(job.initial[2], job.initial[3])
    assert job.order_seeds.tolist() == [7, 7, 7, 8, 8, 8]
