"""Scores of absent links: the authors' numbers, and paths walked one by one."""

from itertools import product

import numpy as np
import pytest

from spiral.methods.parts import topology
from spiral.model import mlp

B = [[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1]]
C = [[1, 0, 1, 0, 0], [1, 1, 0, 0, 1], [0, 1, 1, 1, 0], [0, 0, 1, 0, 1], [0] * 5]
PATHS = [[0, 0, 1, 1], [1, 0, 0, 0], [0, 1, 0, 0]]
ROOT = 2**0.5
# biomedical-cybernetics/Cannistraci-Hebb-training: CH_scores_new_v2.cpp for paths, the
# branch L3n of mlp_and_cnn/dst_scheduler.py for neighbours
PATHS_OF_C = [
    [0, (1 + ROOT) / 2, 0, 0.5, ROOT],
    [0, 0, 2 + ROOT / 2, ROOT / 2, 0],
    [ROOT, 0, 0, 0, ROOT],
    [ROOT, (1 + ROOT) / 2, 0, 0.5, 0],
    [0, 0, 0, 0, 0],
]
NEIGHBOURS_OF_C = [
    [0, 2.5, 0, 1, 3],
    [0, 0, 5.5, 1.5, 0],
    [3, 0, 0, 0, 3],
    [3, 2.5, 0, 1, 0],
    [0, 0, 0, 0, 0],
]


def absent(score, links):
    links = np.array(links)
    return np.where(links == 0, score(links.astype(float)), 0)


def test_scores_are_those_of_the_authors_code():
    assert absent(topology.by_paths, B) == pytest.approx(np.array(PATHS, float))
    assert absent(topology.by_neighbours, B) == pytest.approx(2 * np.array(PATHS))
    assert absent(topology.by_paths, C) == pytest.approx(np.array(PATHS_OF_C))
    found = absent(topology.by_neighbours, C)
    assert found == pytest.approx(np.array(NEIGHBOURS_OF_C))


def walked(links, u, v):
    """Return the score of a link by its paths, with the sets of their nodes."""
    outputs, inputs = range(len(links)), range(len(links[0]))
    paths = [
        (z1, z2)
        for z1, z2 in product(inputs, outputs)
        if links[u][z1] and links[z2][z1] and links[z2][v]
    ]
    first, second = ({path[end] for path in paths} for end in (0, 1))
    total = 0.0
    for z1, z2 in paths:
        away1 = sum(links[o][z1] for o in outputs if o != u and o not in second)
        away2 = sum(links[z2][i] for i in inputs if i != v and i not in first)
        total += 1 / ((1 + away1) * (1 + away2)) ** 0.5
    return total


@pytest.mark.parametrize("density", [0.1, 0.3, 0.6])
def test_paths_are_walked(density):
    links = (np.random.default_rng(0).random((6, 9)) < density).astype(int)
    found = absent(topology.by_paths, links)
    for u, v in zip(*np.nonzero(links == 0), strict=True):
        assert found[u, v] == pytest.approx(walked(links.tolist(), u, v))


@pytest.mark.parametrize("score", topology.MODELS.values())
def test_units_have_no_order(score):
    random = np.random.default_rng(1)
    links = (random.random((7, 5)) < 0.4).astype(float)
    rows, columns = random.permutation(7), random.permutation(5)
    found = absent(score, links)
    moved = absent(score, links[rows][:, columns])
    assert moved == pytest.approx(found[rows][:, columns])
    assert absent(score, links.T) == pytest.approx(found.T)
    assert found.any()


def test_a_network_is_scored_layer_by_layer():
    kept = np.random.default_rng(2).random(mlp.weight_count(5)) < 0.4
    found = topology.scores(kept, 5, "l3p")
    for layer in mlp.layers(5):
        links = kept[layer.columns].reshape(layer.outputs, layer.inputs)
        expected = topology.by_paths(links.astype(float))
        assert np.array_equal(found[layer.columns], expected.ravel())
