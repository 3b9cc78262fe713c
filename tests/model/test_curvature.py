"""Jacobians and curvature matrices against backpropagation by hand and differences."""

import numpy as np
import pytest

from spiral.model import curvature, gradients
from tests import oracles
from tests.tolerances import tolerance

SIZES = {1: 9, 2: 21, 3: 37, 5: 81}
"""Parameters by width."""


def network(width=3, points=30):
    """Return parameters, the first weight masked to zero; points; labels."""
    random = np.random.default_rng([width, points])
    params = random.uniform(-1, 1, SIZES[width])
    params[0] = 0
    x = random.normal(size=(points, 2))
    return params, x, (random.random(points) < 0.4).astype(float)


def expansion(params, x, y, width):
    return curvature.Expansion(params, x, y, width)


def slow_jacobian(params, x, width):
    """Return central differences of each point's logit, parameter by parameter."""
    rows = []
    for point in x:
        rows.append(
            oracles.finite_differences(
                lambda p, one=point[None]: float(oracles.logits(p, one, width)[0]),
                params,
            )
        )
    return np.array(rows)


def furthest(found, expected):
    assert found.shape == expected.shape
    return np.abs(found - expected).max()


def all_of(width):
    return np.arange(SIZES[width])


@pytest.mark.parametrize("width", SIZES)
def test_the_jacobian_is_the_difference_of_logits(width):
    params, x, y = network(width)
    found = expansion(params, x, y, width).jacobian(all_of(width))
    expected = slow_jacobian(params, x, width)
    assert furthest(found, expected) <= tolerance("curvature")


@pytest.mark.parametrize("width", SIZES)
def test_the_gradient_of_a_point_is_backpropagation_by_hand(width):
    params, x, y = network(width)
    found = expansion(params, x, y, width).gradients(all_of(width))
    expected = [
        oracles.gradient(params, x[i : i + 1], y[i : i + 1], width) for i in range(30)
    ]
    assert furthest(found, np.array(expected)) <= tolerance("float64")


def test_gauss_newton_weights_the_jacobian_by_how_open_each_point_is():
    params, x, y = network()
    z = oracles.logits(params, x, 3)
    rows, open_ = (
        expansion(params, x, y, 3).jacobian(all_of(3)),
        1 / (2 + 2 * np.cosh(z)),
    )
    expected = sum(
        o * np.outer(row, row) / 30 for o, row in zip(open_, rows, strict=True)
    )
    found = expansion(params, x, y, 3).gauss_newton(all_of(3))
    assert furthest(found, expected) <= tolerance("float64")


def test_gauss_newton_is_the_hessian_where_the_logit_is_linear():
    """Of the output layer, whose parameters are not multiplied by each other."""
    params, x, y = network()
    last = np.arange(33, 37)
    found = expansion(params, x, y, 3).gauss_newton(last)
    expected = expansion(params, x, y, 3).hessian(last)
    assert furthest(found, expected) <= tolerance("float64")


@pytest.mark.parametrize("batch", [1, 4])
def test_the_fisher_matrix_is_the_mean_square_of_the_gradients(batch):
    params, x, y = network()
    slopes = [
        oracles.gradient(params, x[i : i + batch], y[i : i + batch], 3)
        for i in range(0, 30 - batch + 1, batch)  # of batches of four, two points left
    ]
    expected = np.mean([np.outer(g, g) for g in slopes], axis=0)
    found = expansion(params, x, y, 3).fisher(all_of(3), batch)
    assert furthest(found, expected) <= tolerance("float64")


@pytest.mark.parametrize("width", [2, 3])
def test_the_hessian_is_the_difference_of_gradients(width):
    params, x, y = network(width)
    expected = [
        oracles.hessian_times(params, unit, lambda p: oracles.gradient(p, x, y, width))
        for unit in np.eye(SIZES[width])
    ]
    found = expansion(params, x, y, width).hessian(all_of(width))
    assert furthest(found, np.array(expected)) <= tolerance("curvature")
    some = np.array([7, 2])
    part = expansion(params, x, y, width).hessian(some)
    assert np.allclose(part, found[np.ix_(some, some)], rtol=0, atol=1e-15)


@pytest.mark.parametrize("matrix", ["gauss_newton", "fisher"])
def test_places_choose_rows_and_columns(matrix):
    params, x, y = network()
    some = np.array([20, 3, 36])
    build = getattr(expansion(params, x, y, 3), matrix)
    whole, part = (build(places) for places in (all_of(3), some))
    assert np.allclose(part, whole[np.ix_(some, some)], rtol=0, atol=1e-15)


def test_its_mean_gradient_is_the_gradient():
    params, x, y = network()
    found = expansion(params, x, y, 3).gradients(all_of(3)).mean(axis=0)
    expected = gradients.gradient(params[None], (x[None], y[None]), 3)[0]
    assert furthest(found, expected) <= tolerance("float64")


def test_linear_algebra():
    random = np.random.default_rng(0)
    rows = random.normal(size=(9, 4))
    matrix = curvature.gram(rows)
    assert np.allclose(matrix, np.einsum("bi,bj->ij", rows, rows))
    assert np.allclose(curvature.inverse(matrix) @ matrix, np.eye(4))
    for right in (rows[0], rows[:3].T.copy()):
        assert np.allclose(matrix @ curvature.solve(matrix, right), right)
    lower = curvature.cholesky(matrix)
    assert np.allclose(lower, np.tril(lower))
    assert np.allclose(lower @ lower.T, matrix)
    values, vectors = curvature.spectrum(matrix)
    assert (np.diff(values) >= 0).all()
    assert np.allclose(curvature.product(matrix, vectors), vectors * values)
