"""Accuracy on the curve against a dense walk along it."""

import numpy as np

from spiral.model import mlp
from spiral.search import arc, best_known
from spiral.search.candidate import activations, from_network
from spiral.search.network import unpacked
from spiral.tasks import catalogue, cubist

CUBIST = catalogue.load("cubist")


def walked(network, steps=4_000):
    """Return the share of a walk that is right, segment by segment."""
    mean, deviation = cubist.scale_of(cubist.raw())
    total = 0.0
    for sign, corners in zip((-1, 1), cubist.vertices(), strict=True):
        lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
        at = (np.arange(steps) + 0.5) / steps
        for start, stop, length in zip(corners[:-1], corners[1:], lengths, strict=True):
            walk = (start + at[:, None] * (stop - start) - mean) / deviation
            logit = activations(from_network(network), walk.T)[-1][0]
            total += (logit * sign > 0).mean() * length / lengths.sum() / 2
    return total


def test_the_share_of_the_curve_is_that_of_a_dense_walk():
    table = best_known.load()
    rows = table[table["nnz"].between(6, 26)].to_dict("records")[::5]
    for row in rows:
        network = best_known.network_of(row)
        assert abs(arc.accuracy(network, CUBIST) - walked(network)) < 5e-4


def test_all_parameters_of_a_wider_network_give_the_same():
    network = best_known.network_of(best_known.load().iloc[-1])
    _, params, width = unpacked(network.matrices, network.params)
    wide = np.zeros(mlp.param_count(width + 3), np.float32)
    pairs = zip(mlp.matrices(params, width), mlp.matrices(wide, width + 3), strict=True)
    for (weights, biases), (into, beside) in pairs:
        into[: weights.shape[0], : weights.shape[1]] = weights
        beside[: len(biases)] = biases
    assert arc.accuracy_of(wide, width + 3, CUBIST) == arc.accuracy(network, CUBIST)
    wide[:] = 0
    assert arc.accuracy_of(wide, width + 3, CUBIST) == 0


def test_points_between_the_samples_count():
    # A cliff that no point sees: all points right, not all of the curve
    table = best_known.load()
    row = table[table["accuracy"] == 1.0].iloc[-1]
    assert 0.99 < row["arc_accuracy"] <= 1.0 + 1e-12
