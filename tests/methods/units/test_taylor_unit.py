"""``taylor_unit`` removes, in rounds, the units that the loss would notice least."""

import numpy as np
import pytest

from spiral.methods.parts import hidden_units
from spiral.methods.registry import METHODS
from spiral.model import mlp
from tests import oracles
from tests.methods import (
    Drift,
    chosen,
    decide,
    first_view,
    kept_weights,
    plan_at,
    table,
)
from tests.methods.parts.test_hidden_units import greedy

OPTIONS = {
    "at_epoch": 25,
    "scope": "global",
    "remainder": "units",
    "rounds": 10,
    "interval": 39,
    "batches": 8,
}
METHOD = METHODS["taylor_unit"].build(**OPTIONS | {"batches": 3})


def gates(view, n, width, batches):
    """Return (∂L/∂gate)² of a gate of 1 on each unit, over batches, by differences."""
    found = np.zeros((batches, 3, width))
    params = view.params[n].astype(float)
    for i in range(batches):
        x, y = view.batch(i)
        for layer, unit in np.ndindex(3, width):
            losses = []
            for size in (1e-6, -1e-6):
                scaled = params.copy()
                weights, _ = mlp.matrices(scaled, width)[layer + 1]
                weights[:, unit] *= 1 + size
                losses.append(oracles.loss(scaled, x[n], y[n], width))
            found[i, layer, unit] = ((losses[0] - losses[1]) / 2e-6) ** 2
    return found.mean(axis=0)


@pytest.mark.parametrize("seed", range(3))
def test_the_score_is_what_a_gate_on_the_unit_does_to_the_loss(seed):
    view = first_view(table("taylor_unit", 1, width=4, seed=seed))
    expected = gates(view, 0, 4, 3)
    assert np.allclose(METHOD.scores(view)[0], expected, rtol=1e-4, atol=1e-14)


def test_what_a_unit_hears_and_what_it_says_change_the_loss_alike():
    """A ReLU unit is homogeneous: Σ θ·g in (with bias) is Σ θ·g out."""
    view = first_view(table("taylor_unit", 1, width=4))
    x, y = view.batch(0)
    params = view.params[0].astype(float)
    change = params * oracles.gradient(params, x[0], y[0], 4)
    whole = hidden_units.scores(change[None], 4, "sum", "score")
    heard = hidden_units.scores(change[None], 4, "first", "score")
    assert np.allclose(whole, 2 * heard, rtol=1e-9, atol=1e-15)


def test_one_round_keeps_the_best_units():
    keeps = [5, 9, 20, 40]
    configs = table(
        "taylor_unit", 4, width=4, seed=1, keep=keeps, rounds=1, batches=3, at_epoch=0
    )
    method = METHODS["taylor_unit"].build(
        **OPTIONS | {"at_epoch": 0, "rounds": 1, "batches": 3}
    )
    view = first_view(configs)
    change, stay = method.act(view, method.start(view))
    score, every = gates(view, 0, 4, 3), np.ones((3, 4), bool)
    expected = np.stack([greedy(score, keep, every, "units") for keep in keeps])
    assert np.array_equal(stay, expected)
    assert chosen(change, 4).sum(axis=1).max() <= 40


def test_rounds_are_apart_and_end_with_the_training():
    assert plan_at(50, "taylor_unit", **OPTIONS).events == tuple(
        range(9750, 9750 + 390, 39)
    )
    late = plan_at(50, "taylor_unit", **OPTIONS | {"at_epoch": 50})
    assert late.events == (19_500,)
    middle = plan_at(50, "taylor_unit", **OPTIONS | {"at_epoch": 49, "interval": 100})
    assert middle.events == (19_110, 19_210, 19_310, 19_410)


def test_rounds_shrink_the_network_by_the_same_share():
    engine = Drift()
    state = decide(table("taylor_unit", 1, width=16, keep=35, rounds=4), engine)
    counts = [kept.sum() for kept in (*engine.seen[1:], kept_weights(state, 16))]
    bounds = [560 * (35 / 560) ** (i / 4) for i in range(1, 5)]
    for count, bound in zip(counts, bounds, strict=False):
        assert bound - 60 < count <= np.ceil(bound)  # a unit has up to 33 weights


def test_exact_rounds_take_single_weights_at_the_end_only():
    engine = Drift()
    options = {"width": 16, "keep": 35, "rounds": 4, "remainder": "weights"}
    state = decide(table("taylor_unit", 1, **options), engine)
    assert kept_weights(state, 16).sum() == 35
    for kept in engine.seen[1:4]:
        first, second, _, _ = oracles.weight_matrices(kept[0], 16)
        a, b = first.any(axis=1), second.any(axis=1)
        assert np.array_equal(second, np.outer(b, a))


def test_its_scores_cost_a_gradient_a_batch_and_round():
    configs = table("taylor_unit", 1, rounds=3, batches=5)
    assert METHODS["taylor_unit"].gradients(configs).tolist() == [15]
