"""``set``: which weights go of each sign, and where new ones come."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from spiral.engines import sparse
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from tests.methods import Drift, act, chosen, decide, plan_at, table
from tests.methods.dynamic import after, erk_shares, options, seen_at, start, update

WEIGHTS = mlp.is_weight(16)


def layered(counts):
    """Return a network of width 16 whose layers have so many weights of each sign."""
    params = np.zeros((1, mlp.param_count(16)), np.float32)
    for layer, (negative, positive) in zip(mlp.layers(16), counts, strict=True):
        values = [*-np.arange(1, negative + 1), *np.arange(1, positive + 1)]
        params[0, layer.weights][: len(values)] = values
    return params, masks.of_weights(params != 0, 16)


def gone(rounding, counts):
    """Return how many weights of each sign leave each layer, the smallest of it."""
    params, kept = layered(counts)
    configs = table("set", 1, width=16, keep=int(kept.sum()))
    seen = seen_at(390, configs, params, kept)
    change = update(seen, "set", rounding=rounding)
    found = []
    for layer in mlp.layers(16):
        values, new = params[0, layer.weights], change.reset_momentum[0, layer.weights]
        stays = change.masks[0, layer.weights] & ~new
        lost = values[(values != 0) & ~stays]
        below, above = -np.sort(-lost[lost < 0]), np.sort(lost[lost > 0])
        assert np.array_equal(-below, np.arange(1, len(below) + 1))
        assert np.array_equal(above, np.arange(1, len(above) + 1))
        found.append((len(below), len(above)))
    return found


COUNTS = [(10, 10), (3, 4), (0, 5), (2, 0)]


def test_the_share_of_each_sign_goes_smallest_first():
    assert gone("nearest", COUNTS) == [(3, 3), (1, 1), (0, 2), (1, 0)]
    assert gone("down", COUNTS) == [(3, 3), (0, 1), (0, 1), (0, 0)]


def test_authors_counts_are_those_of_their_thresholds():
    """dcmocanu/sparse-evolutionary-artificial-neural-networks, SET-MLP-Keras."""
    assert gone("authors", COUNTS) == [(3, 4), (1, 2), (0, 2), (1, 0)]


def test_authors_counts_are_not_of_weights_of_both_signs():
    configs = table("set", drop_by="magnitude", rounding="authors")
    (mistake,) = METHODS["set"].check(configs)
    assert mistake.field == "rounding"
    assert METHODS["set"].check(table("set", rounding="authors")) == []


def test_both_signs_together_lose_the_smallest():
    params, kept = layered(COUNTS)
    configs = table("set", 1, width=16, keep=34)
    other = {"drop_by": "magnitude", "rounding": "down", "drop": 0.5}
    change = update(seen_at(390, configs, params, kept), "set", **other)
    first = mlp.layers(16)[0].weights
    stays = change.masks[0, first] & ~change.reset_momentum[0, first]
    assert np.abs(params[0, first])[stays].tolist() == [6, 7, 8, 9, 10] * 2


def test_49_updates_one_after_every_epoch_but_the_last():
    assert plan_at(50, "set", **options("set")).events == tuple(
        range(0, 19_501 - 390, 390)
    )


def test_itop_updates_every_300_steps():
    events = plan_at(50, "set", **options("set", update_interval=300)).events
    assert len(events) == 65
    events = plan_at(50, "rigl", **options("rigl", update_interval=800)).events
    assert len(events) == 19


def test_layers_keep_their_shares_throughout():
    engine = Drift()
    decide(table("set", 2, keep=20, update_interval=50), engine)
    assert len(engine.seen) > 10
    for kept in engine.seen[1:]:
        full = masks.with_biases(kept, 3)
        assert (masks.layer_counts(full, 3) == erk_shares(3, 20)).all()


@pytest.mark.parametrize("allocation", ["erk", "uniform", "global"])
def test_without_drop_it_is_static(allocation):
    values = {"keep": 20, "allocation": allocation}
    mine = table("set", 2, drop=0.0, update_interval=100, **values)
    first = decide(mine, sparse.SparseEngine())
    second = decide(table("static", 2, **values), sparse.SparseEngine())
    for field in ("params", "masks", "momentum"):
        assert np.array_equal(getattr(first, field), getattr(second, field))


def test_new_weights_are_0_without_momentum_even_where_one_was_before():
    seen = seen_at(390, *start("set", width=3, keep=25))
    change = update(seen, "set")
    state, new = after(seen, change), change.reset_momentum
    assert (new & seen.masks).any()  # of 27 places 25 are kept: some are drawn again
    assert not state.params[new].any()
    assert not state.momentum[new].any()
    same = state.masks & seen.masks & ~new
    assert np.array_equal(state.params[same], seen.params[same])
    assert (state.momentum[same] == 1).all()
    assert masks.of_weights(state.masks, 3).sum(axis=1).tolist() == [25] * 3


def test_new_weights_may_be_drawn_with_deviation_a_tenth():
    change = update(seen_at(390, *start("set", keep=400)), "set", new="normal")
    values = change.params[change.reset_momentum]
    assert len(values) > 300
    assert 0.09 < values.std() < 0.11
    assert abs(values.mean()) < 0.02


def test_a_kept_zero_goes_first():
    configs, params, kept = start("set", keep=100, n=1)
    place = np.flatnonzero(kept[0] & (params[0, WEIGHTS] > 0))[-1]
    params[0, np.flatnonzero(WEIGHTS)[place]] = 0
    change = update(seen_at(390, configs, params, kept), "set", drop=0.1)
    stays = change.masks[0, WEIGHTS] & ~change.reset_momentum[0, WEIGHTS]
    assert not stays[place]


@pytest.mark.parametrize("step", [100, 5_000, 12_000])
def test_with_rigls_rules_only_values_and_replaced_steps_differ(step):
    seen = seen_at(step, *start("set", keep=200))
    mine = update(
        seen,
        "set",
        update_end=0.75,
        fraction="cosine",
        drop_by="magnitude",
        rounding="down",
    )
    seen = replace(seen, plan=replace(seen.plan, replaced=(step,)))
    theirs = update(seen, "rigl", growth="random")
    assert np.array_equal(mine.masks, theirs.masks)
    assert not np.array_equal(mine.masks, seen.masks)


def test_every_free_place_is_as_likely_as_any_other():
    """χ² over 1,000 seeds of one network: draws without replacement vary less."""
    seeds = list(range(1_000))
    configs = table("set", 1_000, width=8, keep=30, seed=seeds)
    params = np.repeat(mlp.initial_params(0, 8)[None], 1_000, axis=0)
    kept = np.repeat(chosen(act(configs), 8)[:1], 1_000, axis=0)
    change = update(seen_at(390, configs, params, kept), "set")
    new = change.reset_momentum[:, mlp.is_weight(8)]
    now = masks.of_weights(change.masks, 8)
    for layer in mlp.layers(8):
        free = ~(now & ~new)[0, layer.columns]
        places, drawn = free.sum(), new[0, layer.columns].sum()
        assert places > drawn > 0
        found = new[:, layer.columns].sum(axis=0)[free]
        expected = 1_000 * drawn / places
        spread = expected * (1 - drawn / places) * places / (places - 1)
        statistic = ((found - expected) ** 2).sum() / spread
        assert statistic < chi2.ppf(0.999, places - 1)
