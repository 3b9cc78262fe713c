"""Optimal brain surgeon against least squares solved from scratch."""

import numpy as np
import pytest

from spiral.methods.parts import brain_surgeon
from spiral.model import mlp
from tests import oracles

TINY = 1e-12


def layer(seed, inputs=6, outputs=3, samples=50):
    """Return weights with a bias column, and inputs with a constant 1."""
    random = np.random.default_rng(seed)
    x = np.maximum(random.standard_normal((samples, inputs)) + 0.3, 0)
    x = np.concatenate([x, np.ones((samples, 1))], axis=1)
    return random.standard_normal((outputs, inputs + 1)), x


def least_squares(weights, x, removed):
    """Return the best weights without some inputs, and their error."""
    left = [i for i in range(x.shape[1]) if i not in removed]
    found = np.zeros_like(weights)
    found[:, left] = np.linalg.lstsq(x[:, left], x @ weights.T, rcond=None)[0].T
    return found, (((weights - found) @ x.T) ** 2).sum() / len(x)


@pytest.mark.parametrize("seed", range(3))
def test_the_update_is_least_squares_on_the_inputs_left(seed):
    weights, x = layer(seed)
    updated, gone, added = brain_surgeon.eliminate(
        weights, brain_surgeon.inverse_hessian(x, TINY), 2
    )
    expected, error = least_squares(weights, x, gone)
    assert np.allclose(updated, expected, atol=1e-7)
    assert np.isclose(sum(added), error, rtol=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_one_by_one_is_all_at_once(seed):
    """W - W_S ([H⁻¹]_SS)⁻¹ [H⁻¹]_S: and the trace of W_S ([H⁻¹]_SS)⁻¹ W_Sᵀ."""
    weights, x = layer(seed)
    inverse = brain_surgeon.inverse_hessian(x, 0.01)
    updated, gone, added = brain_surgeon.eliminate(weights, inverse, 3)
    core = np.linalg.inv(inverse[np.ix_(gone, gone)])
    joint = weights - weights[:, gone] @ core @ inverse[gone]
    assert np.allclose(updated, joint, atol=1e-11)
    assert np.isclose(
        sum(added), np.trace(weights[:, gone] @ core @ weights[:, gone].T)
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_cheapest_goes_first_each_time(seed):
    weights, x = layer(seed)
    _, gone, _ = brain_surgeon.eliminate(
        weights, brain_surgeon.inverse_hessian(x, TINY), 1
    )
    removed = []
    for unit in gone:
        others = [j for j in range(6) if j not in removed]
        errors = {j: least_squares(weights, x, [*removed, j])[1] for j in others}
        assert errors[unit] <= min(errors.values()) * (1 + 1e-6)
        removed.append(unit)


def test_a_twin_goes_first_and_its_weights_move_over():
    weights, x = layer(0)
    x[:, 4] = x[:, 1]
    updated, gone, added = brain_surgeon.eliminate(
        weights, brain_surgeon.inverse_hessian(x, 1e-9), 5
    )
    assert gone[0] in (1, 4)
    assert added[0] < 1e-6
    (kept,) = {1, 4} - set(gone)
    assert np.allclose(updated[:, kept], weights[:, 1] + weights[:, 4], atol=1e-5)


def test_a_silent_input_goes_first_at_no_cost():
    weights, x = layer(1)
    x[:, 3] = 0
    weights[:, 3] *= 100  # which by size would stay
    updated, gone, added = brain_surgeon.eliminate(
        weights, brain_surgeon.inverse_hessian(x, 1e-9), 5
    )
    assert gone == [3]
    assert added[0] < 1e-4
    others = [0, 1, 2, 4, 5, 6]
    assert np.allclose(updated[:, others], weights[:, others], atol=1e-6)


def test_independent_inputs_rank_like_their_columns_and_nothing_else_moves():
    weights, _ = layer(2)
    updated, gone, _ = brain_surgeon.eliminate(weights, np.eye(7) / 3, 1)
    norms = (weights[:, :-1] ** 2).sum(axis=0)
    assert gone == np.argsort(norms)[:5].tolist()
    left = [i for i in range(7) if i not in gone]
    assert np.array_equal(updated[:, left], weights[:, left])


def test_of_equals_the_higher_index_goes_and_nan_goes_first():
    weights = np.ones((1, 5))
    assert brain_surgeon.eliminate(weights, np.eye(5), 2)[1] == [3, 2]
    assert brain_surgeon.eliminate(weights, np.full((5, 5), np.nan), 1)[1] == [3, 2, 1]


def test_the_shift_is_a_share_of_the_diagonal():
    _, x = layer(3)
    hessian = x.T @ x / len(x)
    expected = hessian + 0.5 * np.trace(hessian) / 7 * np.eye(7)
    assert np.allclose(
        brain_surgeon.inverse_hessian(x, 0.5) @ expected, np.eye(7), atol=1e-12
    )


def test_layers_see_what_the_network_computes():
    params = mlp.initial_params(1, 4).astype(float)
    points = np.random.default_rng(0).standard_normal((20, 2))
    first, *zs = oracles.activations(params, points, 4)
    expected = [first, *(np.maximum(z, 0) for z in zs[:-1])]
    for found, h in zip(
        brain_surgeon.layer_inputs(params, points, 4), expected, strict=True
    ):
        assert np.allclose(found[:, :-1], h, rtol=1e-12)
        assert (found[:, -1] == 1).all()
