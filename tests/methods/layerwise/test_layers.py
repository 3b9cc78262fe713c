"""``wanda``, ``sparsegpt``, ``obc``, ``alps`` and ``dsnot`` on one layer and on all."""

from itertools import combinations

import numpy as np
import pytest

from spiral.experiment import prepare
from spiral.methods.layerwise import alps, dsnot, layers, obc, sparsegpt, wanda
from spiral.methods.layerwise.layers import Layer
from spiral.methods.parts import shares
from spiral.methods.registry import METHODS
from spiral.model import mlp
from tests import oracles
from tests.methods import act, chosen, first_view, plan_at, table

FAMILY = ["wanda", "sparsegpt", "obc", "alps", "dsnot"]
W = np.cos(1 + np.arange(24.0)).reshape(4, 6)
A = np.sin(np.outer(np.arange(40) + 1, np.arange(6) + 1.5))
C = 0.6 / (1 + np.abs(np.subtract.outer(np.arange(6), np.arange(6)))) + 0.4 * np.eye(6)
X = A @ C
ALL = np.ones(6, bool)


def layer(weights=W, inputs=X, prunable=None):
    everything = np.ones(weights.shape[1], bool)
    return Layer(weights, inputs, everything if prunable is None else prunable)


def error(weights):
    return (((weights - W) @ X.T) ** 2).sum()


def least_squares(kept, weights=W, inputs=X):
    """Return the best weights of each row on its support."""
    found = np.zeros_like(weights)
    for row, mask, new in zip(weights, kept, found, strict=True):
        new[mask] = np.linalg.lstsq(inputs[:, mask], inputs @ row, rcond=None)[0]
    return found


def by_size(keep):
    return np.abs(W) >= np.sort(np.abs(W).ravel())[-keep]


# Errors of the published code on this layer: locuslab/wanda lib/prune.py,
# IST-DASLab/sparsegpt sparsegpt.py, IST-DASLab/OBC trueobs.py, mazumder-lab/ALPS
# alps.py
@pytest.mark.parametrize(
    ("prune", "keep", "lost", "refitted"),
    [
        (wanda.by_layer, 12, 26.7378, 21.4144),
        (wanda.by_row, 12, 34.2465, 27.6478),
        (lambda one, keep: sparsegpt.prune(one, keep, 0.01), 11, 30.0363, 27.8075),
        (lambda one, keep: obc.prune(one, keep, 1e-9), 12, 19.21643, 19.21643),
        (lambda one, keep: alps.prune(one, keep, 0.01), 12, 19.2171, 19.2164),
    ],
    ids=["wanda by layer", "wanda by row", "sparsegpt", "obc", "alps"],
)
def test_numbers_of_the_published_codes(prune, keep, lost, refitted):
    weights, kept = prune(layer(), keep)
    assert kept.sum() == keep
    assert (weights[~kept] == 0).all()
    assert np.isclose(error(weights), lost, atol=1e-4)
    assert np.isclose(error(least_squares(kept)), refitted, atol=1e-4)


def test_magnitude_is_worse_than_obc_and_better_than_the_others_here():
    assert np.isclose(error(np.where(by_size(12), W, 0)), 24.3995, atol=1e-4)
    assert np.isclose(error(least_squares(by_size(12))), 19.2164, atol=1e-4)


def test_the_optimum_of_the_layer_by_enumeration():
    """Of each row for each count; then the counts of rows that add up to twelve."""
    lowest = np.full((4, 7), np.inf)
    for row in range(4):
        for count in range(7):
            for some in combinations(range(6), count):
                kept = np.zeros((4, 6), bool)
                kept[row, list(some)] = True
                fitted = least_squares(kept)[row]
                lost = (((fitted - W[row]) @ X.T) ** 2).sum()
                lowest[row, count] = min(lowest[row, count], lost)
    best = np.zeros(1)
    for row in lowest:
        sums = np.full(len(best) + 6, np.inf)
        for count, lost in enumerate(row):
            place = slice(count, count + len(best))
            sums[place] = np.minimum(sums[place], best + lost)
        best = sums
    assert np.isclose(best[12], 19.21642, atol=1e-5)
    weights, _ = obc.prune(layer(), 12, 1e-9)
    assert best[12] <= error(weights) * (1 + 1e-9)


@pytest.mark.parametrize(
    "prune",
    [
        wanda.by_layer,
        lambda *a: sparsegpt.prune(*a, 1e-6),
        lambda *a: obc.prune(*a, 1e-6),
    ],
    ids=["wanda", "sparsegpt", "obc"],
)
def test_inputs_that_are_alike_and_unrelated_make_it_magnitude(prune):
    inputs = np.linalg.qr(np.random.default_rng(0).standard_normal((40, 6)))[0]
    weights, kept = prune(layer(inputs=inputs), 9)
    assert np.array_equal(kept, by_size(9))
    assert np.allclose(weights, np.where(kept, W, 0), atol=1e-5)


@pytest.mark.parametrize("keep", [0, 5, 20, 24])
@pytest.mark.parametrize("method", FAMILY)
def test_biases_are_kept_and_counts_are_exact(method, keep):
    inputs = np.concatenate([X, np.ones((40, 1))], axis=1)
    weights = np.concatenate([W, np.ones((4, 1))], axis=1)
    prune = prepare.build_method(table(method, 1).iloc[0]).prune
    new, kept = prune(layer(weights, inputs, np.arange(7) < 6), keep)
    assert kept[:, 6].all()
    assert kept[:, :6].sum() == keep
    assert (new[~kept] == 0).all()
    if keep == 24:
        assert np.array_equal(new, weights)


def test_a_mean_moves_into_the_bias():
    """Where an input hardly varies, its weight goes and the bias takes its mean."""
    random = np.random.default_rng(0)
    inputs = random.standard_normal((200, 3))
    inputs[:, 0] = 2 + 1e-3 * inputs[:, 0]
    inputs[:, 2] = 1
    weights = np.array([[5.0, 1.0, 0.5]])
    one = layer(weights, inputs, np.array([True, True, False]))
    for prune in (obc.prune, sparsegpt.prune):
        new, kept = prune(one, 1, 1e-8)
        assert kept.tolist() == [[False, True, True]]
        assert np.allclose(new, [[0, 1, 10.5]], atol=1e-2)


def test_sparsegpt_shares_removals_among_blocks_of_columns(monkeypatch):
    monkeypatch.setattr(sparsegpt, "COLUMNS", 2)
    _, kept = sparsegpt.prune(layer(), 11, 0.01)
    assert [(~kept[:, i : i + 2]).sum() for i in (0, 2, 4)] == [4, 5, 4]


def test_sparsegpt_sets_weights_of_dead_inputs_to_zero():
    inputs = X.copy()
    inputs[:, 3] = 0
    new, kept = sparsegpt.prune(layer(inputs=inputs), 20, 0.01)
    assert (new[:, 3] == 0).all()
    assert kept.sum() == 20


@pytest.mark.parametrize("method", FAMILY)
def test_each_layer_sees_what_the_pruned_ones_before_leave(method):
    configs = table(method, 1, width=5, keep=30, points=200)
    change = act(configs)
    view = first_view(configs)
    x = np.concatenate([view.batch(i)[0][0] for i in range(2)])[:200]
    quotas = shares.quotas(np.array([30]), 5, "erk")[0]
    prune = prepare.build_method(configs.iloc[0]).prune
    h = x.astype(float)
    for number, (weights, biases) in enumerate(oracles.split(view.params[0], 5)):
        inputs = np.concatenate([h, np.ones((200, 1))], axis=1)
        both = np.concatenate([weights, biases[:, None]], axis=1).astype(float)
        free = np.arange(both.shape[1]) < weights.shape[1]
        new, kept = prune(Layer(both, inputs, free), int(quotas[number]))
        own = mlp.layers(5)[number]
        mask = chosen(change, 5)[0, own.columns].reshape(weights.shape)
        assert np.array_equal(mask, kept[:, :-1])
        found = change.params[0, own.weights].reshape(weights.shape)
        assert np.allclose(found, new[:, :-1], rtol=1e-5, atol=1e-6)
        h = np.maximum(inputs @ new.T, 0)


def test_wanda_compares_within_units_or_a_layer():
    shared = {"width": 8, "keep": 40, "points": 200}
    by_row = chosen(act(table("wanda", 1, **shared)), 8)[0]
    own = mlp.layers(8)[1].columns
    each = by_row[own].reshape(8, 8).sum(axis=1)
    assert each.max() - each.min() <= 1
    by_layer = chosen(act(table("wanda", 1, compare="layer", **shared)), 8)[0]
    uneven = by_layer[own].reshape(8, 8).sum(axis=1)
    assert uneven.sum() == each.sum()
    assert uneven.max() - uneven.min() > 1


@pytest.mark.parametrize("method", FAMILY)
@pytest.mark.parametrize("rule", ["uniform", "uniform_alive", "igq"])
def test_layers_keep_their_shares(method, rule):
    change = act(table(method, 1, width=5, keep=21, points=128, allocation=rule))
    counts = shares.of_mask(chosen(change, 5), 5)
    assert np.array_equal(counts, shares.quotas(np.array([21]), 5, rule))


@pytest.mark.parametrize("method", FAMILY)
def test_it_prunes_after_four_fifths_and_a_diverged_network_by_size(method):
    defaults = {n: f.default for n, f in METHODS[method].options.model_fields.items()}
    assert plan_at(50, method, **defaults).events == (15_600,)
    assert plan_at(50, method, **defaults | {"at_epoch": 50}).events == (19_500,)
    params = np.full((1, 37), np.nan, np.float32)
    change = act(table(method, 1, keep=11, points=128), params)
    assert chosen(change).sum() == 11
    assert np.isnan(change.params).all()


@pytest.mark.parametrize("method", FAMILY)
@pytest.mark.parametrize(("width", "keep"), [(1, 4), (64, 100)])
def test_narrow_and_wide_networks(method, width, keep):
    change = act(table(method, 1, width=width, keep=keep, points=128))
    assert chosen(change, width).sum() == keep
    assert np.isfinite(change.params).all()


# mazumder-lab/ALPS, alps.py: ALPS_admm on a CPU
@pytest.mark.parametrize(
    ("keep", "places", "lost"),
    [
        (6, [12, 15, 35, 36, 37, 38], 185.0348),
        (10, [12, 13, 14, 15, 16, 17, 35, 36, 37, 38], 142.3871),
        (20, [*range(10, 20), *range(32, 42)], 62.4838),
        (30, [*range(7, 22), *range(29, 44)], 14.8743),
    ],
)
def test_alps_keeps_what_the_published_code_keeps(keep, places, lost):
    weights = np.cos(2 + 3 * np.arange(48.0)).reshape(6, 8)
    waves = np.sin(np.outer(np.arange(50) + 1, np.arange(8) + 1.7))
    inputs = np.maximum(waves + 0.2, 0)
    new, kept = alps.prune(layer(weights, inputs), keep, 0.01)
    assert np.flatnonzero(kept).tolist() == places
    assert np.isclose((((new - weights) @ inputs.T) ** 2).sum(), lost, atol=1e-3)


def test_alps_fits_each_row_on_its_mask():
    weights, kept = alps.prune(layer(), 12, 1e-9)
    assert np.allclose(weights, least_squares(kept), atol=1e-6)


# zyxxmu/DSnoT, lib/prune.py: prune_DSnoT from Wanda's mask, means over all points
SWAPPED = [
    [2, 6, 7, 8, 9, 10, 11, 15],
    [2, 3, 7, 9, 10, 11, 12, 15],
    [0, 1, 3, 4, 8, 10, 11, 13],
    [2, 3, 4, 6, 7, 9, 14, 15],
    [0, 1, 3, 4, 8, 9, 11, 14],
    [0, 1, 3, 7, 11, 12, 13, 14],
]


def waves():
    """Return a layer of which two units have a mean that exchanges bring down."""
    inputs = np.sin(np.outer(np.arange(60) + 1, np.arange(16) + 1.7))
    weights = np.sin(0.37 * np.arange(96) ** 2).reshape(6, 16)
    return layer(weights, np.maximum(inputs, -0.2) + 0.2)


def test_dsnot_keeps_what_the_published_code_keeps():
    one = waves()
    new, kept = dsnot.prune(one, 48, "row", 50, 0.1)
    assert [np.flatnonzero(row).tolist() for row in kept] == SWAPPED
    assert np.array_equal(new, np.where(kept, one.weights, 0))
    _, first = wanda.by_row(one, 48)
    assert (kept != first).sum(axis=1).tolist() == [0, 0, 0, 4, 2, 0]


def test_dsnot_brings_means_closer_and_ends_when_told():
    one = waves()
    _, first = wanda.by_row(one, 48)

    def off(kept):
        return np.abs((np.where(kept, 0, one.weights) @ one.inputs.T).mean(axis=1))

    _, once = dsnot.prune(one, 48, "row", 1, 0.1)
    _, often = dsnot.prune(one, 48, "row", 50, 0.1)
    assert (once != first).sum(axis=1).tolist() == [0, 0, 0, 2, 2, 0]
    assert (off(often) <= off(once)).all()
    assert (off(once) <= off(first)).all()
    _, never = dsnot.prune(one, 48, "row", 50, off(first).max())
    assert np.array_equal(never, first)


def test_inverse_moments_are_those_of_the_inputs():
    found = layers.inverse_moments(layer(), 0.5)
    moments = X.T @ X / 40
    expected = np.linalg.inv(moments + 0.5 * np.trace(moments) / 6 * np.eye(6))
    assert np.allclose(found, expected)
