"""``obspa`` removes units and lets the layers they feed make up for them."""

import numpy as np
import pytest

from spiral.methods.parts import hidden_units
from spiral.methods.registry import METHODS
from spiral.model import mlp
from spiral.protocol.job import TrainJob
from tests import oracles
from tests.methods import Still, act, decide, first_view, plan_at, silent, table
from tests.methods.parts.test_hidden_units import greedy

BUILD = METHODS["obspa"].build
OPTIONS = {"at_epoch": 0, "samples": "id", "points": 200, "damping": 0.01}


def wild(seed, width=4):
    size = mlp.param_count(width)
    return np.random.default_rng(seed).standard_normal((1, size)).astype(np.float32)


def ridge(weights, x, removed, shift):
    """Return the weights without some inputs that are best, and what they cost."""
    left = [i for i in range(x.shape[1]) if i not in removed]
    rows = np.concatenate([x / len(x) ** 0.5, shift**0.5 * np.eye(x.shape[1])])
    found = np.zeros_like(weights)
    found[:, left] = np.linalg.lstsq(rows[:, left], rows @ weights.T, rcond=None)[0].T
    return found, (((found - weights) @ rows.T) ** 2).sum()


def eliminate(weights, x, stay, damping):
    """Try every input in every round and solve least squares for each."""
    shift = damping * (x**2).mean(axis=0).mean()
    gone, errors = [], [0.0]
    while x.shape[1] - 1 - len(gone) > stay:
        others = [j for j in range(x.shape[1] - 1) if j not in gone]
        error = {j: ridge(weights, x, [*gone, j], shift)[1] for j in others}
        gone.append(min(error, key=lambda j: (error[j], -j)))
        errors.append(error[gone[-1]])
    return ridge(weights, x, gone, shift)[0], gone, np.diff(errors)


def seen_by(params, x, width):
    first, *zs = oracles.activations(params, x, width)
    found = [first, *(np.maximum(z, 0) for z in zs[:-1])]
    return [np.concatenate([h, np.ones((len(h), 1))], axis=1) for h in found]


def slow(params, x, keep, damping, width=4):
    """Return the network that is left, from first principles."""
    parts = oracles.split(params.astype(float), width)
    layers = [np.concatenate([w, b[:, None]], axis=1) for w, b in parts]
    worth = np.full((3, width), np.inf)
    for row, weights, h in zip(
        worth, layers[1:], seen_by(params, x, width)[1:], strict=True
    ):
        _, gone, added = eliminate(weights, h, 1, damping)
        energy = ((h @ weights.T) ** 2).sum() / len(h)
        row[gone] = np.maximum.accumulate(added) / energy
    sizes = greedy(worth, keep, np.ones((3, width), bool), "units").sum(axis=1)
    params = params.astype(float)
    for layer, size in enumerate(sizes, start=1):
        h = seen_by(params, x, width)[layer]
        updated, gone, _ = eliminate(layers[layer], h, size, damping)
        layers[layer] = updated
        layers[layer - 1][gone] = 0
        parts = [[part[:, :-1].ravel(), part[:, -1]] for part in layers]
        params = np.concatenate([v for pair in parts for v in pair])
    return params


@pytest.mark.parametrize("keep", [5, 14, 23, 35])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_least_squares_layer_by_layer(seed, keep):
    params = wild(seed)
    configs = table("obspa", 1, width=4, keep=keep, **OPTIONS)
    x, _ = first_view(configs, params).batch(0)
    more, _ = first_view(configs, params).batch(1)
    points = np.concatenate([x[0], more[0]])[:200]
    change = act(configs, params)
    found = np.where(change.masks, change.params, 0)[0]
    expected = slow(params[0], points, keep, 0.01)
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert np.array_equal(found != 0, expected != 0)


def twins(width=4):
    """Return a network whose units come in pairs."""
    params = wild(10, width)  # none of the two is silent or a multiple of the other
    for weights, biases in mlp.matrices(params[0], width)[:-1]:
        biases[:] = np.abs(biases)
        weights[2:] = weights[:2]
        biases[2:] = biases[:2]
    return params


def test_twins_go_at_no_cost():
    params = twins()
    keep = 2 * 2 + 2 * 2 + 2 * 2 + 2
    configs = table("obspa", 1, width=4, keep=keep, **OPTIONS | {"damping": 1e-9})
    change = act(configs, params)
    assert change.masks[0, mlp.is_weight(4)].sum() == keep
    x, _ = first_view(configs, params).batch(0)
    pruned = np.where(change.masks, change.params, 0)[0].astype(float)
    before, after = (
        mlp.logits(p, x[0].T, 4) for p in (params[0].astype(float), pruned)
    )
    assert np.abs(after - before).max() < 1e-3 * np.abs(before).max()
    by_size = act(
        table("spa", 1, width=4, keep=keep, at_epoch=0, criterion="l1"), params
    )
    smaller = np.where(by_size.masks, params, 0)[0].astype(float)
    lost = np.abs(mlp.logits(smaller, x[0].T, 4) - before).max()
    assert lost > 0.1 * np.abs(before).max()


def test_the_scale_of_a_unit_does_not_matter_where_nothing_is_damped():
    params = wild(3)
    scaled = params.copy()
    (w1, b1), (w2, _), *_ = mlp.matrices(scaled[0], 4)
    w1[2] *= 8
    b1[2] *= 8
    w2[:, 2] /= 8
    points = np.random.default_rng(0).standard_normal((100, 2))
    method = BUILD(**OPTIONS | {"damping": 1e-12})
    before, after = (method._worth(p[0], points, 4) for p in (params, scaled))
    assert np.allclose(after, before, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("samples", ["ood", "free"])
def test_without_training_data_it_asks_for_none(samples, monkeypatch):
    def refuse(job, step):
        raise LookupError

    monkeypatch.setattr(TrainJob, "batch_at", refuse)
    state = decide(table("obspa", samples=samples, at_epoch=1), Still())
    assert state.masks.sum() > 0


def test_points_come_from_where_they_should():
    configs = table("obspa", 2, seed=[0, 1])
    view = first_view(configs)
    own = BUILD(**OPTIONS)._points(view)
    assert np.array_equal(own[:, :128], view.batch(0)[0])
    assert np.array_equal(own[:, 128:], view.batch(1)[0][:, :72])
    square = BUILD(**OPTIONS | {"samples": "ood", "points": 5000})._points(view)
    assert 2.2 < np.abs(square).max() <= 2.25
    assert np.abs(square.var(axis=1) - 2.25**2 / 3).max() < 0.1
    normal = BUILD(**OPTIONS | {"samples": "free", "points": 5000})._points(view)
    assert np.abs(normal.var(axis=1) - 1).max() < 0.1
    for drawn in (square, normal):
        assert not np.array_equal(drawn[0], drawn[1])


def test_it_comes_after_training_unless_told():
    assert plan_at(50, "obspa", **OPTIONS | {"at_epoch": None}).events == (19_500,)
    assert plan_at(50, "obspa", **OPTIONS | {"at_epoch": 25}).events == (9750,)
    profile = METHODS["obspa"].cost_profile(table("obspa", 1), 27, np.ones(1))
    assert profile.share[0].tolist() == [1]


def test_a_network_whose_units_are_silent_is_no_accident():
    change = act(table("obspa", 1, keep=11, **OPTIONS), silent())
    assert np.isfinite(change.params).all()
    assert change.masks[0, mlp.is_weight(3)].sum() <= 11


def test_diverged_networks_are_left_to_diverge():
    params = np.full((1, 37), np.nan, np.float32)
    change = act(table("obspa", 1, keep=11, **OPTIONS), params)
    assert hidden_units.FEWEST <= change.masks[0, mlp.is_weight(3)].sum() <= 11
