"""``snfs``: which layers gain, and what momentum is."""

from dataclasses import replace
from math import ceil

import numpy as np
import pytest

from spiral.methods.dynamic import sparse_momentum as snfs
from spiral.methods.parts import shares
from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from tests import oracles
from tests.methods import Drift, decide, plan_at, table
from tests.methods.dynamic import after, erk_shares, options, seen_at, start, update


def test_every_epoch_until_three_quarters():
    events = plan_at(50, "snfs", **options("snfs")).events
    assert events == tuple(range(0, 14_626, 390))


def test_the_count_is_constant_and_layers_change():
    engine = Drift()
    configs = table("snfs", 2, width=5, keep=30, update_interval=60, moment_batches=3)
    decide(configs, engine)
    counts = [masks.layer_counts(masks.with_biases(k, 5), 5) for k in engine.seen[1:]]
    assert all((count.sum(axis=1) == 30).all() for count in counts)
    assert (counts[0] == erk_shares(5, 30)).all()
    assert (counts[-1] != counts[0]).any()


def test_momentum_is_that_of_the_last_batches():
    seen = seen_at(390, *start("snfs", width=4, keep=20, n=2))
    method = METHODS["snfs"].build(**options("snfs", moment_batches=3))
    found = method._moments(seen, masks.of_weights(seen.masks, 4))
    for n in range(2):
        total = np.zeros(seen.params.shape[1])
        for step in (388, 389, 390):
            points, labels = (part[n] for part in seen.batch(step))
            total = 0.9 * total + oracles.gradient(seen.params[n], points, labels, 4)
        expected = np.abs(total)[oracles.is_weight(4)]
        assert found[n] == pytest.approx(expected, abs=1e-6)


def test_there_are_no_batches_before_the_first():
    seen = seen_at(2, *start("snfs", width=4, keep=20, n=2))
    kept = masks.of_weights(seen.masks, 4)
    three, many = (
        METHODS["snfs"].build(**options("snfs", moment_batches=n))._moments(seen, kept)
        for n in (3, 44)
    )
    assert np.array_equal(three, many)


@pytest.mark.parametrize("step", [390, 6_000, 14_430])
def test_of_one_batch_without_redistribution_an_update_is_one_of_rigl(step):
    """Where as many weights are swapped: RigL rounds down, this rounds up."""
    seen = seen_at(step, *start("snfs", keep=200))
    once = {"redistribution": "none", "moment_batches": 1}
    mine = after(seen, update(seen, "snfs", **once))
    rate = 0.005 + 0.495 / 2 * (1 + np.cos(np.pi * step / 19_500))
    scale = (1 + np.cos(np.pi * step / 14_625)) / 2
    replaced = replace(seen, plan=replace(seen.plan, replaced=(step,)))
    for layer, size in zip(mlp.layers(16), erk_shares(16, 200), strict=True):
        drop = (ceil(size * rate) + 1e-6) / size / scale
        theirs = after(seen, update(replaced, "rigl", drop=drop))
        for field in ("masks", "params", "momentum"):
            both = (getattr(state, field)[:, layer.weights] for state in (mine, theirs))
            assert np.array_equal(*both)
    assert not np.array_equal(mine.masks, seen.masks)


def test_layers_gain_in_proportion_to_mean_momentum():
    kept = np.zeros((1, 560), bool)
    moments = np.ones((1, 560))
    for layer, height in zip(mlp.layers(16), (1, 2, 3, 4), strict=True):
        kept[0, layer.columns][:8] = True
        moments[0, layer.columns][:4] = 2 * height  # of kept weights, the mean is ...
        moments[0, layer.columns][4:8] = 0
        moments[0, layer.columns][8:] = 99  # ... not that of pruned ones
    gone = np.full((1, 4), 5)
    found = snfs.redistributed(gone, shares.of_mask(kept, 16) - 5, kept, moments, 16)
    assert found.tolist() == [[2, 4, 6, 8]]


@pytest.mark.parametrize(
    ("number", "claims", "room", "expected"),
    [
        (10, [1, 2, 3, 4], [9, 9, 9, 9], [1, 2, 3, 4]),
        (10, [1, 1, 1, 0], [9, 9, 9, 9], [4, 3, 3, 0]),
        (10, [1, 2, 3, 4], [9, 9, 9, 1], [2, 3, 4, 1]),  # 9 among 1, 2 and 3
        (10, [0, 0, 0, 4], [9, 9, 9, 1], [3, 3, 3, 1]),
        (4, [0, 0, 0, 0], [9, 9, 9, 9], [1, 1, 1, 1]),
        (12, [5, 1, 1, 1], [3, 3, 3, 3], [3, 3, 3, 3]),
        (0, [1, 1, 1, 1], [3, 3, 3, 3], [0, 0, 0, 0]),
        (5, [1.7e308] * 4, [10, 10, 10, 10], [2, 1, 1, 1]),  # their sum is infinite
        (7, [np.inf, 2, 1, np.inf], [9, 9, 9, 9], [2, 2, 1, 2]),
        (6, [np.inf, 0, np.nan, 0], [9, 9, 9, 9], [6, 0, 0, 0]),
    ],
)
def test_what_does_not_fit_goes_to_others(number, claims, room, expected):
    found = snfs.shared_out(number, np.array(claims, float), np.array(room))
    assert found.tolist() == expected


@pytest.mark.parametrize("large", [1e308, np.finfo(float).max, np.inf])
def test_a_diverged_network_gains_as_many_as_it_lost(large):
    kept, moments = np.ones((2, 560), bool), np.ones((2, 560))
    moments[0, 10:30] = large  # the sums of two layers overflow
    kept[:, ::2] = False
    gone = np.full((2, 4), 5)
    left = shares.of_mask(kept, 16) - 5
    found = snfs.redistributed(gone, left, kept, moments, 16)
    assert found.sum(axis=1).tolist() == [20, 20]
    assert (found >= 0).all()
    assert found[1].tolist() == [5, 5, 5, 5]


def test_infinite_gradients_change_no_count():
    configs, params, kept = start("snfs", n=2, keep=200)
    params[0] = np.abs(params[0])
    for layer, size in zip(mlp.layers(16), (1e10, 1, 1e10, 1e20), strict=True):
        params[0, layer.weights] *= np.float32(size)  # of layer 2 slopes have 1e40
    seen = seen_at(390, configs, params, kept)
    state = after(seen, update(seen, "snfs", moment_batches=2))
    assert masks.of_weights(state.masks, 16).sum(axis=1).tolist() == [200, 200]


def test_prices_count_every_batch():
    configs = table("snfs", 1, epochs=50, moment_batches=10)
    assert METHODS["snfs"].gradients(configs) == pytest.approx(375)
