"""The endgame never loses points, and gets some right that were wrong."""

import numpy as np
import pytest

from spiral.search import best_known, polish
from spiral.search.candidate import copied, from_network, nnz_of
from spiral.search.evolve import endgame
from spiral.tasks import catalogue

CUBIST = catalogue.load("cubist")


@pytest.fixture(scope="module")
def nearly():
    """Return a network that has almost every point right, and how many."""
    table = best_known.load()
    row = table.query("accuracy == 1 and shape == '4,3,3'").iloc[0]
    found = copied(from_network(best_known.network_of(row)))
    found[0].biases[0] += 0.01
    return polish.right(found, CUBIST), found


def test_points_are_won(nearly):
    right, found = nearly
    assert right < CUBIST.points
    random = np.random.default_rng(0)
    finished, network = endgame.finish(nearly, 12, random, CUBIST)
    assert finished > right
    assert finished == polish.right(network, CUBIST)
    assert nnz_of(network) <= nnz_of(found)


def test_no_try_returns_the_start(nearly):
    assert endgame.finish(nearly, 0, np.random.default_rng(0), CUBIST) is nearly
