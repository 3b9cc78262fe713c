"""Networks under evolution compute the same function after every change of form."""

from itertools import pairwise

import numpy as np
import pytest

from spiral.search import best_known, candidate
from spiral.search.candidate import Layer, activations, simplified
from spiral.search.network import score
from spiral.tasks import catalogue, cubist

CUBIST = catalogue.load("cubist")

POINTS = cubist.load().x[::997].T.astype(np.float64)


@pytest.fixture(scope="module")
def networks():
    table = best_known.load()
    rows = table[table["nnz"].between(8, 30)].to_dict("records")[::4]
    return [best_known.network_of(row) for row in rows]


def drawn(random, shape=(4, 3, 3), share=0.5):
    ends = (2, *shape, 1)
    layers = []
    for rows, columns in zip(ends[1:], ends[:-1], strict=True):
        kept = random.random((rows, columns)) < share
        weights = kept * random.normal(size=kept.shape)
        layers.append(Layer(kept, weights, random.normal(size=rows)))
    return tuple(layers)


def logits(found):
    return activations(found, POINTS)[-1][0]


def test_networks_survive_the_way_there_and_back(networks):
    for network in networks:
        found = candidate.from_network(network)
        assert candidate.nnz_of(found) == network.matrices.count("1")
        assert candidate.mask_of(found) == network.matrices
        back = candidate.to_network(found)
        assert back.matrices == network.matrices
        before = score(network.matrices, network.params, np.float64, CUBIST)
        after = score(back.matrices, back.params, np.float64, CUBIST)
        assert after.correct == before.correct


def test_simplifying_keeps_the_function():
    random, constant = np.random.default_rng(0), 0
    for _ in range(300):
        found = drawn(random, share=random.uniform(0.2, 0.8))
        simple = simplified(found)
        if simple is None:
            assert np.ptp(logits(found)) < 1e-12
            constant += 1
            continue
        np.testing.assert_allclose(logits(simple), logits(found), atol=1e-12)
        for layer, following in pairwise(simple):
            assert layer.kept.any(axis=1).all()
            assert following.kept.any(axis=0).all()
    assert 20 < constant < 280  # both kinds were drawn


def test_balancing_scales_the_logits_alike(networks):
    for network in networks:
        found = candidate.from_network(network)
        balanced = candidate.balanced(found, POINTS)
        ratio = logits(balanced) / logits(found)
        assert ratio.min() > 0
        assert np.ptp(ratio) < 1e-6 * ratio.max()
        assert np.abs(logits(balanced)).mean() == pytest.approx(1)
        for values in activations(balanced, POINTS)[1:-1]:
            size = values.std(axis=1)  # 0: never active on these points
            assert size[size > 0] == pytest.approx(1)


def test_parameters_and_spelling_round_trip(networks):
    for network in networks:
        found = candidate.from_network(network)
        _, theta = candidate.compiled(found)
        blank = candidate.from_mask(candidate.spelled(found))
        again = candidate.with_params(blank, theta)
        np.testing.assert_array_equal(logits(again), logits(found))
