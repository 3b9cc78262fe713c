"""``granet``: between gradual pruning and RigL, and equal to each at its end."""

from dataclasses import replace
from math import ceil

import numpy as np
import pytest

from spiral.methods.parts import shares
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from tests.methods import Drift, decide, plan_at, table
from tests.methods.dynamic import after, options, seen_at, start, update


def test_44_prunings_until_69_percent_and_swaps_until_75():
    events = plan_at(50, "granet", **options("granet")).events
    assert events == tuple(range(0, 14_626, 300))


def test_there_is_always_a_pruning():
    chosen = options("granet", update_interval=10_000)
    assert plan_at(2, "granet", **chosen).events == (0, 538)


def test_without_swaps_from_a_dense_network_it_is_gmp():
    values = {"width": 16, "keep": [20, 30, 40], "epochs": 5}
    mine, theirs = Drift(), Drift()
    first = decide(
        table(
            "granet",
            drop=0.0,
            start_density=1.0,
            update_interval=100,
            update_end=0.69,
            **values,
        ),
        mine,
    )
    second = decide(table("gmp", interval=100, end=0.69, **values), theirs)
    assert mine.steps[1:] == theirs.steps
    assert len(theirs.steps) == 14
    assert np.array_equal(np.stack(mine.seen[1:]), np.stack(theirs.seen))
    assert np.array_equal(first.params, second.params)


def test_the_count_falls_from_half_along_the_cubic():
    engine = Drift()
    decide(table("granet", 1, width=16, keep=40, epochs=50), engine)
    found = [int(kept.sum()) for kept in engine.seen[1:]]
    expected = [round(40 + 240 * (1 - min(i, 44) / 44) ** 3) for i in range(49)]
    assert found == expected


def test_it_never_starts_with_fewer_than_it_keeps():
    engine = Drift()
    decide(table("granet", 1, keep=20), engine)
    assert {int(kept.sum()) for kept in engine.seen[1:]} == {20}


@pytest.mark.parametrize("step", [300, 6_000, 14_400])
def test_at_constant_count_an_update_is_one_of_rigl(step):
    """Where as many weights are swapped: RigL rounds down, this rounds up."""
    configs, params, _ = start("granet", keep=200)
    seen = seen_at(step, configs, params, start("rigl", keep=200)[2])
    counts = shares.of_mask(masks.of_weights(seen.masks, 16), 16)[0]
    mine = update(seen, "granet", start_density=0.0)
    rate = 0.005 + 0.495 / 2 * (1 + np.cos(np.pi * step / 19_500))
    swaps = [ceil(n * rate) for n in counts]
    scale = (1 + np.cos(np.pi * step / 14_625)) / 2
    layers = zip(mlp.layers(16), counts, swaps, strict=True)
    seen = replace(seen, plan=replace(seen.plan, replaced=(step,)))
    changed = after(seen, mine)
    for layer, size, swap in layers:  # each with the share that suits it
        drop = (swap + 1e-6) / size / scale
        theirs = after(seen, update(seen, "rigl", drop=drop))
        part = layer.weights
        assert np.array_equal(changed.masks[:, part], theirs.masks[:, part])
        assert np.array_equal(changed.params[:, part], theirs.params[:, part])
        assert np.array_equal(changed.momentum[:, part], theirs.momentum[:, part])
    assert not np.array_equal(changed.masks, seen.masks)


def test_what_pruning_takes_comes_back_at_0_and_what_the_swap_takes_as_it_was():
    configs, params, _ = start("granet", keep=40, n=1)
    kept = np.random.default_rng(0).random((1, 560)) < 0.9
    seen = seen_at(7_500, configs, params, kept)  # far fewer are left
    change = update(seen, "granet", drop=0.9)
    state = after(seen, change)
    size = np.where(kept, np.abs(masks.of_weights(seen.params, 16)), -1)
    now = masks.of_weights(state.masks, 16)
    pruned = masks.keep_top(size, now.sum(axis=1))
    values = masks.of_weights(state.params, 16)
    came = now & kept & ~pruned
    assert came.any()
    assert not values[came].any()
    assert not masks.of_weights(state.momentum, 16)[came].any()
    left = now & pruned
    assert np.array_equal(values[left], masks.of_weights(seen.params, 16)[left])


def test_prices_follow_the_cubic():
    configs = table("granet", 1, width=16, keep=40)
    kept, share = METHODS["granet"].cost_profile(configs, 560, np.ones(1))
    assert kept[0, 0] == pytest.approx(40 + 240 * (15 / 16) ** 3)
    assert kept[-1, 0] == 40
    assert share[-1, 0] == pytest.approx(0.31)
    assert METHODS["granet"].gradients(table("granet", 1, epochs=50)) == pytest.approx(
        48.75
    )
