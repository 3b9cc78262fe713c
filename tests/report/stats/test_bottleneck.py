"""The scalar of networks with one unit in layer 2."""

import numpy as np
import pytest

from spiral.report.stats.bottleneck import POINTS, bottleneck
from spiral.search import best_known
from spiral.search.candidate import to_network
from spiral.search.evolve import one_unit
from spiral.search.network import score
from spiral.tasks import catalogue, cubist

CUBIST = catalogue.load("cubist")


@pytest.fixture(scope="module")
def network():
    start = one_unit.start(np.random.default_rng(0), (5, 1, 3), (14, 17), CUBIST)
    return to_network(start)


def test_the_class_follows_from_the_scalar_alone(network):
    found = bottleneck(network, CUBIST)
    predicted = np.interp(found.scalar, found.grid, found.output) > 0
    right = (predicted == cubist.load().y[::POINTS]).mean()
    correct = score(network.matrices, network.params, np.float64, CUBIST).correct
    assert right == pytest.approx(correct / cubist.POINTS, abs=0.01)


def test_the_class_changes_at_the_thresholds_only(network):
    found = bottleneck(network, CUBIST)
    signs = np.sign(np.interp(found.scalar, found.grid, found.output))
    piece = np.searchsorted(found.thresholds, found.scalar)
    for number in range(len(found.thresholds) + 1):
        inside = signs[piece == number]
        assert len(inside) == 0 or abs(inside.mean()) > 0.98  # the grid is not exact


def test_networks_with_several_units_have_no_scalar():
    table = best_known.load()
    row = table[table["shape"] == "4,3,3"].iloc[0]
    with pytest.raises(ValueError, match="one unit"):
        bottleneck(best_known.network_of(row), CUBIST)
