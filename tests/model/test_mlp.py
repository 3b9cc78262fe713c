"""Layout, initial values and logits of the network, against the twins."""

import numpy as np
import pytest
import torch

from spiral.model import mlp
from tests import oracles
from tests.tolerances import tolerance

POINTS = np.random.default_rng(0).normal(size=(50, 2))
LABELS = np.arange(50) % 2


def some_params(width, seed=0):
    size = 2 * width**2 + 6 * width + 1
    return np.random.default_rng(seed).uniform(-0.7, 0.7, size)


def test_layers_of_width_two_written_out():
    places = [(n.weights, n.biases, n.columns) for n in mlp.layers(2)]
    assert places == [
        (slice(0, 4), slice(4, 6), slice(0, 4)),
        (slice(6, 10), slice(10, 12), slice(4, 8)),
        (slice(12, 16), slice(16, 18), slice(8, 12)),
        (slice(18, 20), slice(20, 21), slice(12, 14)),
    ]


@pytest.mark.parametrize(("width", "weights"), [(1, 5), (3, 27), (16, 560)])
def test_counts(width, weights):
    assert mlp.weight_count(width) == weights
    assert mlp.param_count(width) == weights + 3 * width + 1
    assert mlp.is_weight(width).sum() == weights


def test_is_weight_written_out_and_read_only():
    found = mlp.is_weight(1)
    assert found.astype(int).tolist() == [1, 1, 0, 1, 0, 1, 0, 1, 0]
    with pytest.raises(ValueError, match="read-only"):
        found[0] = False


def test_matrices_keep_leading_axes():
    params = np.arange(2 * 9.0).reshape(2, 9)
    (first, bias), *_ = mlp.matrices(params, 1)
    assert first.tolist() == [[[0, 1]], [[9, 10]]]
    assert bias.tolist() == [[2], [11]]


def test_logits_of_a_network_computed_by_hand():
    # x=(2, 1): relu(2·2 - 1·1 + 1) = 4; relu(-4 + 5) = 1; relu(3·1 + 0) = 3; -2·3 + 1
    params = np.array([2, -1, 1, -1, 5, 3, 0, -2, 1.0])
    assert mlp.logits(params, np.array([[2.0], [1.0]]), 1).tolist() == [-5]


@pytest.mark.parametrize("width", [1, 2, 5])
def test_logits_agree_with_the_twin(width):
    params = some_params(width)
    got = mlp.logits(params, POINTS.T, width)
    assert got == pytest.approx(oracles.logits(params, POINTS, width), abs=1e-12)


def test_logits_of_tensors_agree_with_the_twin():
    params = some_params(4)
    tensors = (torch.tensor(a, dtype=torch.float32) for a in (params, POINTS.T))
    got = mlp.logits(*tensors, 4, relu=torch.relu).numpy()
    expected = oracles.logits(params, POINTS, 4)
    assert got == pytest.approx(expected, abs=tolerance("logit"))


def test_relu_keeps_nan():
    found = mlp.numpy_relu(np.array([-1.0, 0.0, 2.0, np.nan]))
    assert np.array_equal(found, [0, 0, 2, np.nan], equal_nan=True)


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_backprop_of_the_twin_is_the_slope_of_its_loss(width, smoothing):
    def loss(params):
        return oracles.loss(params, POINTS, LABELS, width, smoothing)

    params = some_params(width, seed=width)
    got = oracles.gradient(params, POINTS, LABELS, width, smoothing)
    expected = oracles.finite_differences(loss, params)
    assert np.abs(got - expected).max() <= tolerance("backprop")
    assert np.abs(got).max() > 1000 * tolerance("backprop")


@pytest.mark.parametrize("width", [4, 64])
def test_initial_values_fill_the_default_range_of_torch(width):
    params = np.concatenate([mlp.initial_params(s, width) for s in range(100)])
    for layer, fan_in in zip(mlp.layers(width), [2, width, width, width], strict=True):
        part = params.reshape(100, -1)[:, layer.weights.start : layer.biases.stop]
        bound = 1 / np.sqrt(fan_in)
        assert np.abs(part).max() <= bound
        assert np.abs(part).max() > 0.97 * bound
        assert part.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)
        assert np.abs(part[:, -layer.outputs :]).max() > 0.9 * bound  # biases too


def test_initial_values_are_float32_read_only_and_depend_on_seed_and_width():
    params = mlp.initial_params(3, 4)
    assert params.dtype == np.float32
    assert not np.array_equal(params, mlp.initial_params(4, 4))
    assert not np.array_equal(params[:10], mlp.initial_params(3, 5)[:10])
    with pytest.raises(ValueError, match="read-only"):
        params[0] = 0


def test_the_width_follows_from_the_number_of_parameters():
    for width in range(1, 257):
        assert mlp.width_of(mlp.param_count(width)) == width


@pytest.mark.parametrize("count", [-5, 0, 1, 8, 10, 36, 38, 561])
def test_other_numbers_of_parameters_are_those_of_no_network(count):
    with pytest.raises(ValueError, match=f"got {count} numbers"):
        mlp.width_of(count)
