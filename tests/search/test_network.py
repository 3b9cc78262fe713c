"""One network by itself: folding constants, dropping the dead, evaluating."""

import numpy as np
import pytest

from spiral.model import masks, mlp
from spiral.search import network
from spiral.search.shape import spell
from spiral.tasks import catalogue, cubist
from tests.tolerances import tolerance

CUBIST = catalogue.load("cubist")

CONNECTED = [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]


def random_network(seed, width=4, density=0.5):
    """Return mask [P] and parameters [P] with dead and constant units among others."""
    random = np.random.default_rng(seed)
    weights = random.random((1, mlp.weight_count(width))) < density
    mask = masks.with_biases(weights, width)[0]
    params = np.where(mask, random.normal(size=mask.shape), 0).astype(np.float32)
    return mask, params


def slow_logits(params, width, points):
    """Return the logits in float64, unit by unit."""
    h = [points[:, 0].astype(float), points[:, 1].astype(float)]
    stack = mlp.matrices(params.astype(float), width)
    for number, (weights, biases) in enumerate(stack):
        z = [
            sum((w * x for w, x in zip(row, h, strict=True)), np.full(len(points), b))
            for row, b in zip(weights, biases, strict=True)
        ]
        h = z if number == 3 else [np.maximum(v, 0) for v in z]
    return h[0]


@pytest.mark.parametrize("seed", CONNECTED)
def test_a_reduced_network_computes_the_same(seed):
    mask, params = random_network(seed)
    small = network.reduced(mask, params, 4)
    assert small is not None
    _, left, wide = network.unpacked(small.matrices, small.params)
    points = cubist.load().x[::499]
    found = slow_logits(left, wide, points)
    expected = slow_logits(params, 4, points)
    assert found == pytest.approx(expected, abs=tolerance("logit"))


@pytest.mark.parametrize("seed", CONNECTED)
def test_a_reduced_network_has_only_weights_on_a_path(seed):
    mask, params = random_network(seed)
    small = network.reduced(mask, params, 4)
    effective = masks.on_path(mask[None], 4).sum()
    assert small.matrices.count("1") == effective
    assert len(small.params) == effective + sum(small.shape) + 1


def test_renumbered_units_give_the_same_network():
    mask, params = random_network(5)
    order = np.array([2, 0, 3, 1])
    (w1, b1), (w2, b2), *rest = (
        (np.array(w), np.array(b)) for w, b in mlp.matrices(params, 4)
    )
    parts = [(w1[order], b1[order]), (w2[:, order], b2), *rest]
    moved = np.concatenate([np.concatenate([w.ravel(), b]) for w, b in parts])
    first = network.reduced(mask, params, 4)
    second = network.reduced(moved != 0, moved, 4)
    assert first.matrices == second.matrices
    assert np.array_equal(first.params, second.params)


def test_a_network_without_a_path_is_none():
    mask = np.zeros(mlp.param_count(3), bool)
    assert network.reduced(mask, np.zeros(len(mask), np.float32), 3) is None


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_score_counts_what_a_slow_evaluation_counts(kind):
    mask, params = random_network(6)
    small = network.reduced(mask, params, 4)
    _, left, wide = network.unpacked(small.matrices, small.params)
    points = cubist.load()
    z = slow_logits(left, wide, points.x)
    right = np.where(points.y == 1, z > 0, z < 0)
    near = np.abs(z) < 1e-5
    found = network.score(small.matrices, small.params, kind, CUBIST)
    assert abs(found.correct - right.sum()) <= near.sum()
    expected = np.log1p(np.exp(-np.where(points.y == 1, z, -z))).mean()
    assert found.loss == pytest.approx(expected, rel=1e-5)


def test_a_point_on_the_boundary_counts_for_nobody():
    text = spell(np.ones((1, 5), bool), (1, 1, 1))[0]
    nothing = network.score(text, np.zeros(9, np.float32), np.float64, CUBIST)
    assert nothing.correct == 0
    assert nothing.loss == pytest.approx(np.log(2))


def test_a_wrong_number_of_parameters_is_refused():
    with pytest.raises(ValueError, match="expected 9 kept parameters, got 8"):
        network.unpacked("11/1/1/1", np.zeros(8, np.float32))
