"""Iterative hard thresholding: against the textbook, and limits of masked phases."""

from itertools import pairwise

import numpy as np
import pytest

from spiral.experiment import prepare
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from spiral.protocol.job import Budget
from tests import oracles
from tests.engines import furthest
from tests.methods import decide, plan_at, table
from tests.methods.forward_mask.straight_through import (
    SHORT,
    Noting,
    options,
    same,
    trained,
)
from tests.tolerances import tolerance

PLAIN = {"momentum": 0.0, "weight_decay": 0.0, "schedule": "constant", "lr": 0.1}
WEIGHTS = mlp.is_weight(3)


def thresholded(params: np.ndarray, keep: int) -> np.ndarray:
    """Return H_k(params); biases stay."""
    found, sizes = params.copy(), np.abs(params[WEIGHTS])
    kept = oracles.keep_top(list(sizes), keep)
    found[WEIGHTS] = np.where(kept, params[WEIGHTS], 0)
    return found


@pytest.mark.parametrize("keep", [5, 20])
def test_without_momentum_it_is_the_textbook_s(keep):
    """w ← H_k(w - η·∇L(w)) after every step, in float64."""
    engine = Noting(apart=1)
    configs = table("iht", 1, **{**SHORT, **PLAIN, "keep": keep, "begin": 0.0})
    configs["interval"] = 1
    decide(configs, engine)
    job = prepare.make_job(configs, prepare.planned(configs.iloc[0])[1])
    params = thresholded(job.initial[0].astype(np.float64), keep)
    for step in range(20):
        x, y = (part[0] for part in job.batch_at(step))
        params = params - 0.1 * oracles.gradient(params, x, y, 3)
        found = thresholded(engine.states[step].params[0], keep)
        params = thresholded(params, keep)
        assert furthest(found, params) <= tolerance("steps_20")


@pytest.mark.parametrize("name", ["iht", "aiht"])
def test_keeping_all_is_dense_training(name):
    got = trained(name, keep=27)
    assert np.array_equal(got.params, trained("dense").params)


def test_hidden_weights_are_zero_where_those_of_ste_keep_their_values():
    at_once = {"begin": 0.0, "end": 1.0, "interval": 1}
    assert not same(trained("iht", **at_once), trained("ste"))
    engine = Noting(apart=1)
    trained("iht", 3, engine, **at_once)
    steps = [state.params[:, WEIGHTS] for state in engine.states[:40]]
    small = [np.sort(np.abs(params), axis=1)[:, :7].max() for params in steps]
    assert max(small) < 0.2  # what seven weights gain in one step


def test_weights_return_after_ten_steps_but_not_after_one():
    returned = []
    for interval in (1, 10):
        engine = Noting(apart=1)
        fast = {"lr": 1.0, "schedule": "constant", "keep": 20, "begin": 0.0}
        trained("iht", 3, engine, interval=interval, **fast)
        sizes = [np.abs(state.params[:, WEIGHTS]) for state in engine.states[:33]]
        shown = [masks.keep_top(size, np.full(3, 20)) for size in sizes]
        returned.append(sum((~a & b).sum() for a, b in pairwise(shown)))
    assert returned[0] == 0
    assert returned[1] > 0


def test_the_mask_is_fixed_at_the_end_and_what_is_left_trains_plainly():
    plan = options("iht").plan(Budget(50, 390))
    assert plan.events == (1950, 14_625)
    assert plan.weight_map.stored
    assert plan.weight_map.interval == 10
    rest = plan.weight_map.rest
    assert (rest[:1950] == 1).all()
    assert (rest[1950:14_625] == 0).all()
    assert (rest[14_625:] == 1).all()


def test_counts_may_fall_along_the_cubic():
    plan = options("iht", counts="cubic").plan(Budget(50, 390))
    assert plan.events == (*range(2340, 14_431, 390), 14_625)


# ---- aiht


def test_thresholds_and_free_steps_take_turns():
    plan = plan_at(1, "aiht", interval=10, inner=3, begin=0.1, end=0.5)
    assert plan.events == (39, 69, 79, 109, 119, 149, 159, 189, 195)
    assert plan.weight_map is None


def test_an_endless_masked_phase_is_magnitude_pruning_at_its_threshold():
    got = trained("aiht", begin=0.4, inner=1000)
    assert same(got, trained("magnitude", at_epoch=2))
    assert not same(got, trained("aiht", begin=0.4, inner=1, interval=2))


def test_masked_phases_hide_weights_and_free_steps_bring_them_back():
    engine = Noting()
    trained("aiht", 1, engine, keep=9, interval=2, inner=3, begin=0.0, end=0.75)
    kept = [int(state.masks[0, WEIGHTS].sum()) for state in engine.states]
    assert kept == [9, 27, 9, 27, 9, 27, 9, 27, 9, 9]
    assert all(state.masks[0, ~WEIGHTS].all() for state in engine.states[:-1])
    before, after = (engine.states[n].params[0, WEIGHTS] for n in (0, 1))
    assert (before != 0).sum() == 9
    assert (after != 0).sum() > 9


def test_costs_count_the_free_steps():
    kept, share = METHODS["aiht"].cost_profile(table("aiht", 1), 27, np.ones(1))
    assert kept[:, 0].tolist() == [27, 27, 11]
    assert share[:, 0] == pytest.approx([0.1, 0.65 / 4, 0.9 - 0.65 / 4])
