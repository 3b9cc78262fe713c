"""Intervals of 95 % of means: of shares, of scores in [0, 1], of one number a seed.

What each is, and where simulation finds 93 to 97 % (``tests/report/test_coverage.py``):

- share of successes: Wilson's; on average over the share, from 5 seeds.
- mean of scores in [0, 1]: Wilson's with the variance found; from 10 seeds, if not
  nearly all scores are equal (then it is wider than needed); 91 to 99 % at 5 and 8.
- mean of gaps: Student's; 91 to 96 % from 5 seeds, the less the more skewed they are.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, stdtrit

from spiral.report.stats.intervals import LEVEL, Each, Z


def share(
    mean: Each,
    n: Int[np.ndarray, " G"],
    variance: Each | None = None,
    inflation: Each | float = 1.0,
) -> tuple[Each, Each]:
    """Return the limits of a mean of n scores in [0, 1].

    Without a variance the scores are 0 or 1, and these are Wilson's limits. (The usual
    mean ± z standard errors hold 66 % at 5 seeds and 80 % at 10.) Scores that spread
    less (ties, means of several) count for more than one each: for as many as would
    give a share this variance. To these one score is added that spreads as 0 or 1 does,
    so that ten ties are no proof of an eleventh. (Without it, limits hold 65 % where
    one score in ten is no tie; plain Wilson limits are twice as wide there.)

    However many pairs a seed has, n seeds cannot show more than that all n win: where
    their pairs agree, they may be one event each. So limits never lie further out than
    Wilson's of n wins, or of n losses.

    Args:
        mean: Of the scores.
        n: How many there are.
        variance: Theirs, with n - 1 degrees of freedom.
        inflation: By how much the variance of the mean exceeds that of independent
            scores (``tuning.INFLATION``).

    Source: the effective number is that of cluster samples (Korn & Graubard, Survey
    Methodology 1998).
    """
    low, high = _wilson(mean, _effective(mean, n, variance) / inflation)
    if variance is None:
        return low, high
    extreme, _ = _wilson(np.ones_like(mean), n.astype(np.float64))
    return np.fmin(low, extreme), np.fmax(high, 1 - extreme)


def p_half(
    mean: Each, n: Int[np.ndarray, " G"], variance: Each, inflation: Each | float = 1.0
) -> Each:
    """Return the two-sided p-value of a mean of n scores being one half.

    By the score test whose inversion are the limits of :func:`share`; no smaller than
    that of n heads in n throws of a coin, which n seeds that all win are.
    """
    z = np.abs(mean - 1 / 2) * 2 * np.sqrt(_effective(mean, n, variance) / inflation)
    found: Each = np.maximum(2 * ndtr(-z), np.minimum(2.0 ** (1 - n), 1.0))
    return found


def _effective(
    mean: Each, n: Int[np.ndarray, " G"], variance: Each | None = None
) -> Each:
    """Return how many scores of 0 or 1 would give a share its variance."""
    if variance is None:
        return n.astype(np.float64)
    most = mean * (1 - mean)  # the variance of 0 and 1 with this mean
    spread = ((n - 1) * np.nan_to_num(variance) + most) / n
    spread = np.where(most > 0, np.minimum(spread, most), 1)
    found: Each = np.where(most > 0, n * most / spread, n)
    return found


def _wilson(mean: Each, n: Each) -> tuple[Each, Each]:
    """Return Wilson's limits of a share of n."""
    with np.errstate(invalid="ignore"):  # no scores: mean is NaN, n is 0
        total = n + Z**2
        middle = (n * mean + Z**2 / 2) / total
        half = Z * np.sqrt(n * mean * (1 - mean) + Z**2 / 4) / total
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)


def student(
    values: Float[np.ndarray, " n"], least: float = 0.0, inflation: float = 1.0
) -> tuple[float, float, float]:
    """Return the mean of some values and its limits by Student's t.

    Args:
        values: One for each seed.
        least: A standard deviation below which that of so few values is not believed:
            equal values are no proof that the next one is equal.
        inflation: As in :func:`share`.
    """
    n = len(values)
    mean = float(np.mean(values)) if n else np.nan
    if n < 2:
        return mean, np.nan, np.nan
    spread = max(float(np.std(values, ddof=1)), least)
    half = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * spread * np.sqrt(inflation / n)
    return mean, mean - half, mean + half
