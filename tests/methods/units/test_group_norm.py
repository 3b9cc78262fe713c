"""``group_norm`` shrinks small units most and removes the smallest."""

import numpy as np

from spiral.methods.parts import hidden_units
from spiral.methods.registry import METHODS
from spiral.methods.units import group_norm
from tests import oracles
from tests.methods import Drift, decide, first_view, kept_weights, plan_at, table
from tests.methods.parts.test_hidden_units import GOLDEN, greedy

OPTIONS = {
    "scope": "global",
    "remainder": "units",
    "interval": 39,
    "penalty": 1e-3,
    "penalty_rate": "scheduled",
}


def norms(params, width):
    """Return ‖weights in and out‖ of every unit."""
    parts = oracles.split(params.astype(float), width)
    found = np.empty((3, width))
    for layer, unit in np.ndindex(3, width):
        some = [*parts[layer][0][unit], *parts[layer + 1][0][:, unit]]
        found[layer, unit] = sum(v * v for v in some) ** 0.5
    return found


def test_torch_pruning_adds_the_same_to_gradients():
    params = np.array([GOLDEN["params"]], np.float32)
    push = group_norm.strengths(params, GOLDEN["width"]) * params
    assert np.allclose(push[0], GOLDEN["group_norm_pruner"], rtol=1e-4, atol=1e-7)


def test_a_weight_shrinks_for_the_unit_it_leaves_and_the_one_it_enters():
    params = np.random.default_rng(0).standard_normal((1, 57)).astype(np.float32)
    size = norms(params[0], 4)
    high, low = size.max(axis=1, keepdims=True), size.min(axis=1, keepdims=True)
    gamma = 16 ** ((high - size) / (high - low))
    expected = []
    for layer, (weights, biases) in enumerate(oracles.split(params[0], 4)):
        for row, column in np.ndindex(weights.shape):
            total = gamma[layer, row] if layer < 3 else 0
            total += gamma[layer - 1, column] if layer else 0
            expected.append(weights[row, column] * np.exp(-0.01 * total))
        expected += [*biases]
    found = group_norm.shrunk(params, 4, np.array([0.01]))
    assert np.allclose(found[0], expected, rtol=1e-6)


def test_equal_units_shrink_alike_and_diverged_ones_do_no_harm():
    params = np.ones((2, 37), np.float32)
    params[1, 0] = np.nan
    found = group_norm.strengths(params, 3)
    assert found[0, :6].tolist() == [1] * 6
    assert np.isfinite(found).all()


def test_the_smallest_of_its_layer_go():
    keeps = [5, 20, 33]
    configs = table("group_norm", 3, width=4, seed=2, keep=keeps, at_epoch=0)
    view = first_view(configs)
    method = METHODS["group_norm"].build(**OPTIONS | {"at_epoch": 0})
    change, _ = method.act(view, None)
    square = norms(view.params[0], 4) ** 2
    square /= square.mean(axis=1, keepdims=True)
    every = np.ones((3, 4), bool)
    stay = np.stack([greedy(square, keep, every, "units") for keep in keeps])
    expected = hidden_units.mask_of(stay, view.params, np.array(keeps))
    assert np.array_equal(change.masks, expected)


def test_it_shrinks_until_it_prunes():
    events = plan_at(50, "group_norm", at_epoch=25, **OPTIONS).events
    assert events[:3] == (39, 78, 117)
    assert events[-2:] == (9750 - 39, 9750)
    assert plan_at(50, "group_norm", at_epoch=0, **OPTIONS).events == (0,)


def test_more_penalty_leaves_smaller_weights_and_none_changes_nothing():
    sizes = []
    for penalty in (0.0, 1e-3, 1e-2):
        engine = Drift()
        state = decide(
            table("group_norm", 1, width=4, keep=20, penalty=penalty), engine
        )
        sizes.append(np.abs(state.params[state.masks]).mean())
        assert kept_weights(state, 4).sum() <= 20
    assert sizes[0] > sizes[2]
    params = np.random.default_rng(1).standard_normal((1, 37)).astype(np.float32)
    assert np.array_equal(group_norm.shrunk(params, 3, np.zeros(1)), params)
