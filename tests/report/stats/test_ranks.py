"""Simultaneous ranks: equal methods tie, different ones are told apart."""

import numpy as np
import pytest
from scipy import stats

from spiral.report.stats import ranks

STEP = 0.02


def of(gaps):
    gaps = np.array(gaps, float)
    return ranks.of_seeds(gaps, np.full(len(gaps), STEP), np.ones(len(gaps)))


def test_clear_differences_make_an_order():
    random = np.random.default_rng(0)
    gaps = random.normal([[0.2], [0.5], [0.9]], 0.02, (3, 8))
    assert of(gaps).low.tolist() == of(gaps).high.tolist() == [1, 2, 3]


def test_a_method_between_two_others_ties_with_both():
    wave = 0.05 * np.tile([1, -1], 8)
    found = of([0.30 + wave, 0.33 - wave, 0.36 + wave])  # the ends differ evenly
    assert found.low.tolist() == [1, 1, 2]
    assert found.high.tolist() == [2, 3, 3]


def test_two_methods_are_compared_by_the_paired_t_test():
    random = np.random.default_rng(2)
    gaps = random.normal([[0.4], [0.49]], 0.1, (2, 12))
    pair = np.array([0]), np.array([1])
    mean, p = ranks._paired(gaps, np.full(2, 1e-9), np.ones(1), pair)
    expected = stats.ttest_rel(*gaps)
    assert p[0] == pytest.approx(expected.pvalue)
    assert mean[0] == pytest.approx(np.mean(gaps[0] - gaps[1]))


def test_equal_gaps_of_all_seeds_are_no_proof_of_an_order():
    assert of([[0.5] * 8, [0.501] * 8]).high.tolist() == [2, 2]


def test_seeds_that_only_one_has_do_not_count():
    gaps = np.array([[0.2, 0.21, 0.2, np.nan], [0.9, 0.91, 0.92, 0.0]])
    assert of(gaps).low.tolist() == [1, 2]
    gaps[0, 2] = np.nan  # two seeds in common: too few
    assert of(gaps).low.tolist() == [1, 1]


@pytest.mark.parametrize("law", ["normal", "two modes"])
@pytest.mark.parametrize("n", [8, 64])
def test_equal_methods_tie_in_95_of_100_simulations(law, n):
    random = np.random.default_rng(n)
    tied = 0
    for _ in range(400):
        gaps = random.normal(0.4, 0.1, (10, n))
        if law == "two modes":
            gaps += 0.3 * (random.random((10, n)) < 0.3)
        tied += (of(gaps).high == 10).all()
    assert tied >= 380 - 9  # two standard errors


def test_a_gap_that_is_smaller_by_a_tenth_is_separated_at_64_seeds():
    """Of ten methods, so corrected for 45 comparisons; 0.1 is the spread of seeds."""
    random = np.random.default_rng(0)
    apart = 0
    for _ in range(100):
        gaps = random.normal(0.4, 0.1, (10, 64))
        gaps[0] -= 0.1
        gaps[2:] += 0.5
        apart += of(gaps).high[0] == 1
    assert apart >= 95
