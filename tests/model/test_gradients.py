"""Derivatives for packs, against backpropagation by hand and finite differences."""

import numpy as np
import pytest
import torch

from spiral.model import gradients
from tests import oracles
from tests.tolerances import tolerance

SIZES = {2: 21, 3: 37, 5: 81}
"""Parameters by width."""


def networks(width=3, n=3, seed=0):
    """Return parameters [n, P], the first weights of each masked to zero."""
    random = np.random.default_rng([seed, width])
    params = random.uniform(-1, 1, (n, SIZES[width]))
    params[:, [0, 3]] = 0
    return params


def batch(n=3, points=40, seed=1):
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, points, 2))
    return x, (random.random((n, points)) < 0.4).astype(float)


def vectors(width=3, n=3):
    return np.random.default_rng(2).normal(size=(n, SIZES[width]))


def furthest(found, expected):
    assert found.shape == np.shape(expected)
    return np.abs(found - expected).max()


def slope_at(data, n, width, **options):
    """Return the oracle's gradient of network n as a function of its parameters."""
    x, y = data
    return lambda params: oracles.gradient(params, x[n], y[n], width, **options)


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("temperature", [1.0, 0.5, 200.0])
def test_gradient_is_backpropagation_by_hand(width, temperature):
    params, data = networks(width), batch()
    found = gradients.gradient(params, data, width, temperature)
    expected = [
        slope_at(data, n, width, temperature=temperature)(params[n]) for n in range(3)
    ]
    assert furthest(found, expected) <= tolerance("float64")
    assert found[:, [0, 3]].any()  # a masked weight has its dense gradient


def test_a_temperature_cools_the_logit_and_not_the_loss():
    params, data = networks(), batch()
    last = params.copy()
    last[:, 33:] /= 7  # the output layer
    cooled = gradients.gradient(params, data, 3, temperature=7.0)
    smaller = gradients.gradient(last, data, 3)
    assert furthest(cooled[:, :33], smaller[:, :33]) <= tolerance("float64")
    assert furthest(7 * cooled[:, 33:], smaller[:, 33:]) <= tolerance("float64")


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_hessian_product_is_the_difference_of_gradients(width, temperature):
    params, along, data = networks(width), vectors(width), batch()
    found = gradients.hessian_times(params, along, data, width, temperature)
    expected = [
        oracles.hessian_times(
            params[n], along[n], slope_at(data, n, width, temperature=temperature)
        )
        for n in range(3)
    ]
    assert furthest(found, expected) <= tolerance("curvature")


def test_the_hessian_is_symmetric_and_linear():
    params, u, v, data = networks(), vectors(), vectors()[::-1], batch()
    hu, hv, both = (
        gradients.hessian_times(params, a, data, 3) for a in (u, v, 3 * u - v)
    )
    assert furthest((u * hv).sum(1), (v * hu).sum(1)) <= tolerance("float64")
    assert furthest(both, 3 * hu - hv) <= tolerance("float64")


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_meta_gradient_is_the_difference_of_the_last_loss(steps, momentum):
    params = networks()
    batches = [batch(seed=s) for s in range(steps + 1)]
    lr = np.array([0.05, 0.3, 0.0])
    found = gradients.meta_gradient(params, batches, lr, momentum, 3)
    for n in range(3):
        own = [(x[n], y[n]) for x, y in batches]

        def last_loss(scale, n=n, own=own):
            return oracles.loss_after_steps(scale, params[n], own, lr[n], momentum)

        expected = oracles.finite_differences(last_loss, np.ones(37))
        assert furthest(found[n], expected) <= tolerance("curvature")


def test_no_step_makes_the_meta_gradient_the_weight_times_its_gradient():
    params, data = networks(), batch()
    found = gradients.meta_gradient(params, [data], np.full(3, 0.1), 0.9, 3)
    expected = params * gradients.gradient(params, data, 3)
    assert furthest(found, expected) <= tolerance("float64")


def test_a_learning_rate_of_zero_leaves_the_last_batch():
    params, batches = networks(), [batch(seed=s) for s in range(4)]
    found = gradients.meta_gradient(params, batches, np.zeros(3), 0.9, 3)
    expected = params * gradients.gradient(params, batches[-1], 3)
    assert furthest(found, expected) <= tolerance("float64")


def tangent(params, point, width):
    """Return the gradient of the logit: that of the loss for label 0, over its own."""
    z = oracles.logits(params, point[None], width)[0]
    return oracles.gradient(params, point[None], [0], width) * (1 + np.exp(-z))


def trace(mask, params, points, width):
    """Return the sum over points and weights of squared slopes by masked weights."""
    slopes = [mask * tangent(mask * params, point, width) for point in points]
    return float(np.square(slopes).sum())


@pytest.mark.parametrize("width", SIZES)
def test_tangent_slope_is_the_difference_of_the_trace(width):
    params, (points, _) = networks(width), batch(points=7)
    masks = (np.random.default_rng(3).random(params.shape) < 0.7).astype(float)
    found = gradients.tangent_slope(masks, params, points, width)
    for n in range(3):

        def of_mask(mask, n=n):
            return trace(mask, params[n], points[n], width)

        expected = oracles.finite_differences(of_mask, masks[n])
        kept = masks[n] > 0  # units without inputs are at the kink of the others
        gap = furthest(found[n, kept], expected[kept])
        assert gap <= 1e-7 * np.abs(expected).max()


@pytest.mark.parametrize("width", SIZES)
def test_perturbed_slope_is_the_difference_of_the_change(width):
    params, (points, _), noise = networks(width), batch(points=7), vectors(width)
    masks = (np.random.default_rng(3).random(params.shape) < 0.7).astype(float)
    found = gradients.perturbed_slope(masks, params, noise, points, width)
    for n in range(3):

        def change(mask, n=n):
            before, after = (
                oracles.logits(mask * theta, points[n], width)
                for theta in (params[n], params[n] + noise[n])
            )
            return float(np.square(after - before).sum())

        expected = oracles.finite_differences(change, masks[n])
        kept = masks[n] > 0  # units without inputs are at the kink of the others
        gap = furthest(found[n, kept], expected[kept])
        assert gap <= 1e-7 * np.abs(expected).max()


def all_three(n):
    params, data = networks(n=n), batch(n)
    more = [data, batch(n, seed=5)]
    return [
        gradients.gradient(params, data, 3),
        gradients.hessian_times(params, vectors(n=n), data, 3),
        gradients.meta_gradient(params, more, np.full(n, 0.1), 0.9, 3),
    ]


@pytest.mark.parametrize("numbers", [1, 1000, 1500])
def test_how_many_are_differentiated_at_once_does_not_matter(numbers, monkeypatch):
    together = all_three(7)
    monkeypatch.setattr(gradients, "NUMBERS", numbers)
    for pieces, whole in zip(all_three(7), together, strict=True):
        assert furthest(pieces, whole) <= tolerance("float64")


def test_float32_is_close_to_float64_and_says_what_it_is():
    params, data = networks(), batch()
    exact = gradients.gradient(params, data, 3)
    fast = gradients.gradient(params, data, 3, kind=np.float32)
    assert (exact.dtype, fast.dtype) == (np.float64, np.float32)
    assert 0 < furthest(fast, exact) <= tolerance("float32")


def test_the_slope_of_relu_at_zero_is_zero():
    params, data = networks(), batch()
    params[:, 9:21] = 0  # layer 2 sits at 0
    found = gradients.gradient(params, data, 3)
    expected = [slope_at(data, n, 3)(params[n]) for n in range(3)]
    assert furthest(found, expected) <= tolerance("float64")
    assert not found[:, :21].any()


def test_threads_are_as_before():
    before = torch.get_num_threads()
    with gradients.one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with pytest.raises(ZeroDivisionError), gradients.one_thread():
        raise ZeroDivisionError
    assert torch.get_num_threads() == before


def test_labels_are_smoothed_by_the_loss_that_engines_train():
    params, (x, y) = networks(), batch()
    loss = gradients.loss_of_one(3, smoothing=0.1)
    arrays = (params[0], x[0].T.copy(), y[0])
    found = loss(*(torch.from_numpy(array) for array in arrays)).item()
    expected = oracles.loss(params[0], x[0], y[0], 3, smoothing=0.1)
    assert abs(found - expected) <= tolerance("float64")


def test_equal_networks_on_equal_data_are_computed_once(monkeypatch):
    params = networks(n=2)[[0, 1, 0, 0]]
    points, labels = batch(4)
    points[2], labels[2] = points[0], labels[0]  # the last one sees other data
    sizes = []
    lifted = gradients.vmap

    def counting(function):
        def call(*arrays):
            sizes.append(len(arrays[0]))
            return lifted(function)(*arrays)

        return call

    monkeypatch.setattr(gradients, "vmap", counting)
    found = gradients.gradient(params, (points, labels), 3)
    assert sizes == [3]
    assert np.array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[3])
