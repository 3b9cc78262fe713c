"""``mest``: how many weights there are when, and which go."""

import numpy as np
import pytest

from spiral.methods.dynamic import mest
from spiral.methods.registry import METHODS
from spiral.model import gradients, masks, mlp
from tests.methods import Still, decide, plan_at, table
from tests.methods.dynamic import after, erk_shares, options, seen_at, start, update


def counts(**values):
    """Return (step, weights trained from there on) of a network of 20 weights."""
    engine = Still()
    configs = table("mest", 1, width=16, keep=20, epochs=50, **values)
    decide(configs, engine)
    steps = [begin for begin, _ in engine.steps]
    return dict(zip(steps[1:], (kept.sum() for kept in engine.seen[1:]), strict=True))


def test_every_585_steps_until_three_quarters():
    events = plan_at(50, "mest", **options("mest")).events
    assert events == (*range(0, 14_625, 585), 14_625)


@pytest.mark.parametrize("interval", [500, 585, 20_000])
def test_the_last_event_is_at_three_quarters(interval):
    chosen = options("mest", update_interval=interval)
    assert plan_at(50, "mest", **chosen).events[-1] == 14_625


def test_the_surplus_is_half_then_a_quarter_then_none():
    found = counts()
    assert {n for step, n in found.items() if step < 10_968} == {30}
    assert {n for step, n in found.items() if 10_968 <= step < 14_625} == {25}
    assert found[14_625] == 20


def test_without_surplus_above_keep_the_count_is_constant():
    assert set(counts(mode="fixed").values()) == {20}


def test_relative_counts_are_those_of_the_scripts():
    """boone891214/MEST, scripts/resnet32/{EM_S,EM}, for 10 % density."""
    soft = [mest.relative("soft", None, stage) for stage in range(3)]
    fixed = [mest.relative("fixed", None, stage) for stage in range(3)]
    assert 0.1 * np.array(soft) == pytest.approx(
        1 - np.array([(0.9, 0.85), (0.9, 0.875), (0.9, 0.9)])
    )
    assert 0.1 * np.array(fixed) == pytest.approx(
        1 - np.array([(0.92, 0.9), (0.91, 0.9), (0.9, 0.9)])
    )


@pytest.mark.parametrize("weight", [0.0, 0.01, 100.0])
def test_the_largest_weights_and_gradients_stay(weight):
    configs, params, kept = start("mest", keep=100)
    seen = seen_at(585, configs, params, kept)
    change = update(seen, "mest", gradient_weight=weight)
    slope = gradients.gradient(seen.params, seen.batch(585), 16)
    worth = masks.of_weights(np.abs(seen.params) + weight * np.abs(slope), 16)
    new = masks.of_weights(change.reset_momentum, 16)
    stays = masks.of_weights(change.masks, 16) & ~new
    budgets = erk_shares(16, 100)
    for n in range(3):
        for layer, budget in zip(mlp.layers(16), budgets, strict=True):
            here = worth[n, layer.columns]
            there, left = kept[n, layer.columns], stays[n, layer.columns]
            assert left.sum() == budget
            assert not (left & ~there).any()
            assert here[left].min() > here[there & ~left].max(initial=0) - 1e-6


def test_what_the_gradient_says_matters():
    configs, params, kept = start("mest", keep=100)
    seen = seen_at(585, configs, params, kept)
    few, much = (update(seen, "mest", gradient_weight=w) for w in (0.0, 100.0))
    assert not np.array_equal(few.reset_momentum, much.reset_momentum)


def test_grown_weights_start_at_0_and_others_stay():
    seen = seen_at(585, *start("mest", keep=100))
    change = update(seen, "mest")
    state, new = after(seen, change), change.reset_momentum
    assert new.sum(axis=1).tolist() == [50] * 3
    assert not state.params[new].any()
    assert not state.momentum[new].any()
    same = state.masks & seen.masks & ~new
    assert np.array_equal(state.params[same], seen.params[same])


def test_prices_are_of_the_stages():
    configs = table("mest", 2, width=16, keep=[20, 400], mode=["soft", "fixed"])
    kept, share = METHODS["mest"].cost_profile(configs, 560, np.ones(2))
    assert kept[:, 0].tolist() == [30, 25, 20]
    assert kept[:, 1].tolist() == [400] * 3
    assert share[:, 0].tolist() == [0.5625, 0.1875, 0.25]
    wide = METHODS["mest"].cost_profile(configs.assign(mode="soft"), 560, np.ones(2))
    assert wide.kept[0, 1] == 560
    configs = table("mest", 1, epochs=50, gradient_weight=0.0)
    assert METHODS["mest"].gradients(configs).tolist() == [0]
    assert METHODS["mest"].gradients(table("mest", 1, epochs=50)) == pytest.approx(25)
