"""The exact head against brute force, and networks against their heads."""

from itertools import combinations

import numpy as np
import pytest

from spiral.search import descent
from spiral.search.candidate import (
    compiled,
    from_mask,
    mask_of,
    nnz_of,
    shape_of,
)
from spiral.search.evolve import one_unit, scalar
from spiral.search.polish import spaced
from spiral.tasks import catalogue

CUBIST = catalogue.load("cubist")


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
    random, points = np.random.default_rng(0), spaced(CUBIST, one_unit.EVERY)
    reached = []
    for _ in range(12):
        found = one_unit.start(random, (5, 1, 4), (8, 26), CUBIST)
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
        assert shape_of(one_unit.start(random, (1, 1, 1), (8, 26), CUBIST)) == (1, 1, 1)


def test_a_pair_of_hinges_makes_the_cliff_that_was_annealed():
    random, (x, sign) = np.random.default_rng(2), spaced(CUBIST, one_unit.EVERY)
    for _ in range(20):
        hinges = random.normal(size=(3, 6))
        hinges[:, :2] /= np.linalg.norm(hinges[:, :2], axis=1, keepdims=True)
        hinges[1:, 4:] = 0.0
        pairs = one_unit._paired(hinges, 0, random)
        assert len(pairs) == 4
        assert not pairs[:, 4:].any()
        wanted, found = np.empty(len(sign)), np.empty(len(sign))
        scalar.distance(hinges, x, wanted)
        scalar.distance(pairs, x, found)
        u, v, c, *_ = hinges[0]
        # Lines are 0.3 apart at most where |t| is 2, the edge of the points
        away = np.abs(u * x[0] + v * x[1] - c) > 0.4
        assert away.any()
        assert np.allclose(wanted[away], found[away])


def test_starts_on_a_mask_have_this_mask_and_some_have_cliffs():
    random, mask = np.random.default_rng(3), "01,10,10,11/1111/1,1,1/111"
    cliffs = 0
    for _ in range(12):
        found = one_unit.on_mask(random, from_mask(mask), CUBIST)
        assert mask_of(found) == mask_of(from_mask(mask))
        weights = np.sort(np.abs(found[1].weights[0]))
        cliffs += weights[2] > 3 * weights[1]  # two steep hinges and two others
    assert 0 < cliffs < 12


def test_other_masks_have_no_annealed_starts():
    mask = from_mask("01,10,11/101,011/10,11/11")
    assert one_unit.on_mask(np.random.default_rng(0), mask, CUBIST) is None
