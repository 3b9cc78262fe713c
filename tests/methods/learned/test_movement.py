"""``movement``: scores sum up w·g, whatever their rate, and decide the mask."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from spiral.experiment import prepare, training
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from tests import oracles
from tests.methods import act, plan_at, table
from tests.methods.learned import SHORT, Noting, trained

USUAL = {"begin": 0.1, "interval": 97, "end": 0.75, "allocation": "global"}


@dataclass(frozen=True)
class Faster:
    """A method whose scores train at another rate."""

    method: Any
    rate: float

    def plan(self, budget):
        plan = self.method.plan(budget)
        return replace(plan, weight_map=replace(plan.weight_map, rate=self.rate))

    def start(self, view):
        return self.method.start(view)

    def act(self, view, state):
        return self.method.act(view, state)


def test_the_rate_of_scores_cancels():
    configs = table("movement", 2, keep=[7, 19], **SHORT)
    found = []
    for rate in (1.0, 64.0):
        method = Faster(prepare.build_method(configs.iloc[0]), rate)
        job = prepare.make_job(configs, prepare.plan_of(method, configs.iloc[0]))
        found.append(training.train(Noting(), method, job, configs))
    assert np.array_equal(found[0].masks, found[1].masks)
    assert np.array_equal(found[0].params, found[1].params)


def test_the_first_step_scores_minus_w_times_g():
    noting = Noting()
    configs = table("movement", 1, batch=5000, epochs=4, begin=0.0, interval=1)
    trained(configs, noting)
    job, first = noting.jobs[0], noting.ends[0]
    assert first.step == 1
    x, y = job.batch_at(0)
    params = job.initial[0]
    slope = oracles.gradient(params.astype(np.float64), x[0], y[0], 3)
    expected = -0.1 * (params * slope)[mlp.is_weight(3)]
    assert first.adapters[0] == pytest.approx(expected, abs=1e-7)


def test_counts_fall_along_the_cubic_from_begin_to_end():
    events = plan_at(50, "movement", **USUAL).events
    assert events == (0, *range(1950 + 97, 14_625, 97), 14_625)
    noting = Noting()
    trained(table("movement", 1, keep=5, epochs=2, interval=169, begin=0.1), noting)
    counts = [s.active_counts for s in noting.starts]
    assert [start.step for start in noting.starts] == [0, 247, 416, 585]
    assert counts[0] is None
    cubic = [5 + 22 * (1 - (step - 78) / 507) ** 3 for step in (247, 416)]
    assert [int(c[0, 0]) for c in counts[1:3]] == [round(count) for count in cubic]


def test_the_highest_scores_stay_with_their_weights():
    noting = Noting()
    state = trained(table("movement", 2, keep=[6, 18], **SHORT), noting)
    before, start = noting.ends[-2], noting.starts[-1]
    for n, keep in enumerate((6, 18)):
        expected = oracles.keep_top(list(before.adapters[n]), keep)
        assert masks.of_weights(state.masks, 3)[n].tolist() == expected
        assert np.array_equal(
            start.params[n], np.where(state.masks[n], before.params[n], 0)
        )


def test_scores_start_at_zero_and_stages_follow_each_other():
    assert not act(table("movement")).adapters.any()
    check = METHODS["movement"].check
    assert check(table("movement")) == []
    (found,) = check(table("movement", begin=0.8))
    assert found.field == "end"
