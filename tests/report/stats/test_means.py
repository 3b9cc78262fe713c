"""Limits of means against scipy's of shares."""

import numpy as np
import pytest
from scipy import stats

from spiral.report.stats import means

pytestmark = pytest.mark.slow


def one(numbers):
    """Return the numbers of the only group."""
    return [float(number[0]) for number in numbers]


@pytest.mark.parametrize(
    ("successes", "n"), [(0, 1), (1, 1), (0, 7), (3, 10), (50, 50)]
)
def test_a_share_has_wilsons_limits(successes, n):
    expected = stats.binomtest(successes, n).proportion_ci(method="wilson")
    mean, n = np.array([successes / n]), np.array([n])
    assert one(means.share(mean, n)) == pytest.approx([*expected], abs=1e-12)
    scores = np.repeat([1.0, 0.0], [successes, n[0] - successes])
    variance = np.array([scores.var(ddof=1) if n[0] > 1 else np.nan])
    assert one(means.share(mean, n, variance)) == pytest.approx([*expected])


def test_scores_that_spread_less_have_closer_limits():
    """Ten ties: variance 0 counts as 1/40, so as 100 scores of 0 or 1."""
    ties = means.share(np.array([0.5]), np.array([10]), np.array([0.0]))
    expected = stats.binomtest(50, 100).proportion_ci(method="wilson")
    assert one(ties) == pytest.approx([*expected])


def test_no_scores_have_no_limits():
    assert np.isnan(one(means.share(np.array([np.nan]), np.array([0])))).all()
