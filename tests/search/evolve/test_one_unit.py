"""The exact head against brute force, and networks against their heads."""

from itertools import combinations

import numpy as np
import pytest

from spiral.search import descent
from spiral.search.candidate import compiled, nnz_of, shape_of
from spiral.search.evolve import one_unit, scalar
from spiral.search.polish import spaced


def brute(histogram, most):
    """Return the most points right, trying all sets of thresholds."""
    bins, best = histogram.shape[1], 0
    for count in range(most + 1):
        for cuts in combinations(range(1, bins), count):
            label = np.searchsorted(cuts, np.arange(bins), side="right") & 1
            for first in (0, 1):
                chosen = histogram[label ^ first, np.arange(bins)]
                best = max(best, chosen.sum())
    return best


@pytest.mark.parametrize("most", [1, 2, 4])
def test_thresholds_are_the_best(most):
    random = np.random.default_rng(most)
    for _ in range(30):
        histogram = random.integers(0, 9, (2, 9)).astype(float)
        right, below, cuts = scalar.thresholds(histogram, most)
        assert right == brute(histogram, most)
        label = np.searchsorted(cuts, np.arange(9), side="right") & 1 ^ below
        assert histogram[label, np.arange(9)].sum() == right
        assert len(cuts) <= most


@pytest.mark.parametrize("units", [1, 2, 3, 4, 5])
def test_a_head_changes_its_sign_at_the_thresholds(units):
    random = np.random.default_rng(units)
    for _ in range(20):
        cuts = np.sort(random.uniform(1, 9, one_unit.most(units)))
        cuts += np.arange(len(cuts))  # apart
        slopes, kinks, offset = one_unit._head(cuts, units)
        flat_right = np.ones(units)
        if units >= 3:
            flat_right[2] = -1
        g = np.linspace(0, cuts[-1] + 5, 2_001)
        hidden = np.maximum(flat_right[:, None] * (g - kinks[:, None]), 0)
        f = np.diff(slopes) @ hidden + offset
        above = np.searchsorted(cuts, g, side="right")
        near = np.abs(g[:, None] - cuts).min(axis=1) < 1e-9
        assert (np.sign(f) == 1 - 2 * (above & 1))[~near].all()


def test_a_start_classifies_as_its_head():
    random, points = np.random.default_rng(0), spaced(one_unit.EVERY)
    reached = []
    for _ in range(12):
        found = one_unit.start(random, (5, 1, 4), (8, 26))
        first, second, third = shape_of(found)
        assert first <= 5
        assert second == 1
        assert 2 <= third <= 4
        assert nnz_of(found) >= first + first + third + third
        hinges = np.column_stack(
            [found[0].weights, -found[0].biases, found[1].weights[0]]
        )
        hinges = np.pad(hinges, ((0, 0), (0, 2)))  # no cliffs: pairs of steep hinges
        right = scalar.best_head(hinges, points, one_unit.most(third))[0]
        counted, _ = descent.count_right(*compiled(found), points)
        assert abs(counted - right) <= 2  # rounding at the edges of bins
        reached.append(counted / len(points[1]))
    assert max(reached) > 0.85


def test_largest_units_are_respected():
    random = np.random.default_rng(1)
    for _ in range(5):
        assert shape_of(one_unit.start(random, (1, 1, 1), (8, 26))) == (1, 1, 1)
