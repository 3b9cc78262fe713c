"""Ranks by the normalised gap that hold for all methods at once: tied groups.

With few seeds an order of many methods is mostly noise. A simultaneous interval of a
rank counts only the methods that are significantly better or worse, corrected for all
comparisons: "1–4" is a method that none is shown to beat, and that is shown to beat all
but three.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.special import stdtr

from spiral.report.stats import intervals, multiple

LEAST = 3
"""Fewest seeds that two methods are compared by."""


class Ranks(NamedTuple):
    """How each of M methods compares with all others."""

    low: Int[np.ndarray, " M"]
    """1 + how many are significantly better."""
    high: Int[np.ndarray, " M"]
    """How many are not significantly worse, itself included."""


def of_seeds(
    gaps: Float[np.ndarray, "M n"],
    steps: Float[np.ndarray, " M"],
    inflation: Float[np.ndarray, " M"],
) -> Ranks:
    """Return the limits of the ranks of methods, which hold all at once with 95 %.

    Two methods are compared by Student's t of the differences of equal seeds; p-values
    are corrected for all pairs by Holm's rule.

    Source: Mogstad, Romano, Shaikh & Wilhelm, *Inference for Ranks with Applications to
    Mobility across Neighbourhoods and Academic Achievement across Countries*, Review of
    Economic Studies 2024, where critical values are bootstrapped; here Holm's, which
    needs no more than pairwise tests and is valid with eight seeds, if wider.

    Args:
        gaps: The normalised gap of each seed; NaN where a method lacks it.
        steps: The largest share of its gap that one row of a method has.
        inflation: By how much the variance of a method's mean exceeds that of
            independent seeds (``tuning.INFLATION``).
    """
    first, second = np.triu_indices(len(gaps), 1)
    wider = np.maximum(inflation[first], inflation[second])
    difference, p = _paired(gaps, steps, wider, (first, second))
    together = multiple.holm(p, np.zeros(len(p), np.int64))
    apart = together < 1 - intervals.LEVEL  # NaN is not
    better: Bool[np.ndarray, "M M"] = np.zeros((len(gaps), len(gaps)), bool)
    better[first, second] = apart & (difference < 0)
    better[second, first] = apart & (difference > 0)
    return Ranks(1 + better.sum(axis=0), len(gaps) - better.sum(axis=1))


def _paired(
    gaps: Float[np.ndarray, "M n"],
    steps: Float[np.ndarray, " M"],
    wider: Float[np.ndarray, " K"],
    pairs: tuple[Int[np.ndarray, " K"], Int[np.ndarray, " K"]],
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """Return mean differences of pairs of methods, and p-values; NaN for too few."""
    first, second = pairs
    apart = gaps[first] - gaps[second]
    n = (~np.isnan(apart)).sum(axis=1)
    enough = n >= LEAST
    mean, p = np.full((2, len(first)), np.nan)
    some, count = apart[enough], n[enough]
    mean[enough] = np.nanmean(some, axis=1)
    # As the limits of a gap: the spread is at least that of one row of all the seeds
    floor = np.hypot(steps[first], steps[second])[enough] / np.sqrt(count)
    spread = np.maximum(np.nanstd(some, axis=1, ddof=1), floor)
    t = np.abs(mean[enough]) / (spread * np.sqrt(wider[enough] / count))
    p[enough] = 2 * stdtr(count - 1, -t)
    return mean, p


def table(seeds: pd.DataFrame) -> pd.DataFrame:
    """Return the ranks of lines from the gaps of their seeds.

    Args:
        seeds: ``line``, ``fold``, ``gap``, ``step`` and ``inflation``, as
            ``normalised_gap.of_seeds`` returns them, of lines to be ranked together.

    Returns:
        ``rank_low`` and ``rank_high`` of each line that has a gap.
    """
    wide = seeds.pivot(index="line", columns="fold", values="gap")
    facts = seeds.groupby("line")[["step", "inflation"]].max().to_numpy(np.float64)
    found = of_seeds(wide.to_numpy(np.float64), facts[:, 0], facts[:, 1])
    known = {"rank_low": found.low, "rank_high": found.high}
    return pd.DataFrame(known, wide.index).astype("Int64")
