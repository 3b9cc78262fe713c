"""``gse``: RigL where all places are candidates, and a biased sample where not."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.methods.dynamic import guided_exploration as gse
from spiral.model import masks, mlp
from tests import oracles
from tests.methods import Drift, decide, plan_at, table
from tests.methods.dynamic import after, erk_shares, options, seen_at, start, update

BOTH = pytest.mark.parametrize("sampling", ["grabo", "uniform"])


def test_every_250_steps_until_three_fifths():
    events = plan_at(50, "gse", **options("gse")).events
    assert events == tuple(range(0, 11_701, 250))


@BOTH
def test_layers_keep_their_shares(sampling):
    engine = Drift()
    configs = table("gse", 2, keep=20, drop=0.6, sampling=sampling, update_interval=50)
    decide(configs, engine)
    assert len({kept.tobytes() for kept in engine.seen[1:]}) > 3
    for kept in engine.seen[1:]:
        full = masks.with_biases(kept, 3)
        assert (masks.layer_counts(full, 3) == erk_shares(3, 20)).all()


@BOTH
@pytest.mark.parametrize("step", [250, 5_000])
def test_where_layers_are_half_dense_an_update_is_one_of_rigl(sampling, step):
    seen = seen_at(step, *start("gse", width=5, keep=50))
    assert np.all(2 * masks.layer_counts(seen.masks, 5) >= [10, 25, 25, 5])
    mine = update(seen, "gse", sampling=sampling, drop=0.5)
    seen = replace(seen, plan=replace(seen.plan, replaced=(step,)))
    theirs = update(seen, "rigl", drop=0.5, update_end=0.6)
    first, second = after(seen, mine), after(seen, theirs)
    for field in ("masks", "params", "momentum"):
        assert np.array_equal(getattr(first, field), getattr(second, field))
    assert not np.array_equal(first.masks, seen.masks)


def test_the_steepest_candidates_come_then_random_places(monkeypatch):
    seen = seen_at(250, *start("gse", keep=100))
    few = np.random.default_rng(0).random((3, 560)) < 0.1
    monkeypatch.setattr(gse.GuidedExploration, "_candidates", lambda *_: few)
    now = masks.of_weights(update(seen, "gse", drop=0.8).masks, 16)
    was = masks.of_weights(seen.masks, 16)
    some = 0
    for n in range(3):
        slope = oracles.gradient(
            seen.params[n], *(part[n] for part in seen.batch(250)), 16
        )
        steep = np.abs(slope)[oracles.is_weight(16)]
        for layer in mlp.layers(16)[1:3]:
            here = layer.columns
            free = few[n, here] & ~was[n, here]
            came = now[n, here] & ~was[n, here]
            if (came & ~free).any():  # random ones only after all candidates
                assert now[n, here][free].all()
                some += 1
            elif came.any():
                out = free & ~now[n, here]
                lowest = steep[here][came].min()
                assert lowest >= steep[here][out].max(initial=0) - 1e-6
                some += 1
    assert some > 3


def test_signals_are_those_at_the_ends_of_a_place():
    """Their product bounds the gradient: |Σ δh| ≤ Σ|δ|·Σ|h|, equal for one point."""
    params = mlp.initial_params(3, 4)[None]
    point, label = np.array([[[0.7, -1.2]]]), np.array([[1.0]])
    slope = oracles.gradient(params[0], point[0], label[0], 4)
    found = gse.signals(params, point, label, 4)
    for layer, (out, into) in zip(mlp.layers(4), found, strict=True):
        product = np.outer(out[0], into[0]).ravel()
        assert product == pytest.approx(np.abs(slope[layer.weights]), abs=1e-12)
    points = np.random.default_rng(0).normal(size=(1, 9, 2))
    labels = (points[:, :, 0] > 0).astype(float)
    many = gse.signals(params, points, labels, 4)
    single = [gse.signals(params, points[:, [i]], labels[:, [i]], 4) for i in range(9)]
    for layer in range(4):
        for end in range(2):
            total = sum(one[layer][end] for one in single)
            assert many[layer][end] == pytest.approx(total)


def test_candidates_are_drawn_in_proportion_to_signals():
    draws = np.random.default_rng(0)
    found = gse._draw(draws, np.array([1.0, 3.0, 0.0]), 40_000)
    share = np.bincount(found, minlength=3) / 40_000
    assert share == pytest.approx([0.25, 0.75, 0], abs=0.01)
    none = gse._draw(draws, np.array([np.nan, 0.0]), 10_000)
    assert none.mean() == pytest.approx(0.5, abs=0.02)


def test_a_layer_has_at_most_as_many_candidates_as_draws():
    seen = seen_at(250, *start("gse", keep=60))
    counts = masks.layer_counts(seen.masks, 16)
    for share in (0.5, 1.0):
        method = gse.GuidedExploration(**options("gse", candidates=share))
        found = method._candidates(seen, counts)
        for place in (1, 2):
            layer = mlp.layers(16)[place]
            drawn = found[:, layer.columns].sum(axis=1)
            assert (drawn <= counts[:, place] * share).all()
            assert drawn.all()
