"""Excess weights: how many more than a yardstick a group needs for an accuracy.

Three counts, each the fewest weights at which

- ``median``: half of the seeds reported reach it. The share of seeds that reach is made
  monotone in the size (isotonic regression), so that one lucky size is no crossing;
- ``best``: the best of the seeds reported reaches it;
- ``any``: any row reaches it, whatever its setting and seed (as papers count).

Three yardsticks, each a number of weights, too:

- ``best_known``: of a network found by any means, with hidden layers no wider;
- ``best_known_protocol``: of such a network that was trained as the paper trains. A
  search finds smaller ones that no such training is known to reach;
- ``random_masks``: of the best of as many random masks as the group trained.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from spiral.report.stats import budget_matched, intervals
from spiral.report.stats.aggregate import sizes, widths
from spiral.report.stats.selection import Choice, codes
from spiral.search import best_known as frontier
from spiral.search.certify import record

COUNTS = ("median", "median_least", "median_low", "median_high", "best", "any")

YARDSTICKS = {
    "": "best_known",
    "_protocol": "best_known_protocol",
    "_random": "random_masks",
}
"""What follows ``excess`` in the name of a column, and what it is the excess over."""

Each = Float[np.ndarray, " O"]
"""One number for each group of all its sizes."""


def excess_weights(
    choice: Choice,
    groups: pd.DataFrame,
    thresholds: Sequence[float],
    best_known: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return a table with one line for each threshold and group of all its sizes.

    Args:
        choice: Rows and groups.
        groups: Their summary (``aggregate.summarise``) with these thresholds.
        thresholds: Accuracies to reach.
        best_known: A frontier, if there is one.

    Returns:
        The group, ``threshold``, the fewest seeds ``n`` reported of any size, the
        ``smallest`` and ``largest`` size tried; ``median`` with limits and ``median_n``
        seeds; ``median_least``, one more than the largest size tried below it, as the
        crossing lies between (missing if there is none); ``best`` with ``best_n``
        seeds, ``any`` with ``any_n`` rows (of all sizes): null where the accuracy is
        never reached. ``random_masks``, the fewest weights of the best of as many
        random masks (null also where there are too few at some of the
        ``random_masks_short`` sizes without enough). With a frontier
        ``proven``, the weights that any network needs at least; ``best_known``, the
        fewest weights known to reach the threshold, and ``best_known_protocol``
        (trained as in the paper). ``median_excess`` (with
        limits), ``best_excess`` and ``any_excess`` are over the best known; the same
        with ``_protocol`` and ``_random`` over the other yardsticks.
    """
    owner, owners = codes(groups, choice.by)
    parts = [
        owners.assign(
            threshold=threshold,
            **_sizes(owner, groups),
            **_of_medians(owner, groups, threshold),
            **_of_rows(owner, groups, choice, threshold),
            **_of_random_masks(owner, groups, threshold),
        )
        for threshold in thresholds
    ]
    table = pd.concat(parts, ignore_index=True)
    if best_known is not None:
        wide = pd.Series(widths(choice)).groupby(owner).max()
        each = np.tile(wide.to_numpy(np.int64), len(thresholds))
        table = _with_best_known(table, each, best_known, choice.task)
    table = _with_excess(table)
    counts = [name for name in table if name not in (*choice.by, "threshold")]
    return table.astype(dict.fromkeys(counts, "Int64"))


def limits(
    weights: Float[np.ndarray, " S"],
    successes: Int[np.ndarray, " S"],
    n: Int[np.ndarray, " S"],
) -> tuple[float, float]:
    """Return the limits of the fewest weights at which half of the networks reach.

    Sign tests of 2.5 %, one size after the other until one is inconclusive: from below
    those at which fewer reach, from above those at which more do. Tests in a fixed
    order that stop at the first inconclusive one need no correction for their number
    (Maurer, Hothorn & Lehmacher 1995). The limits hold in at least 95 % of cases if
    more weights never make the share that reaches smaller.

    Returns:
        One more than the largest size that is excluded, and the smallest size at which
        more than half reach. NaN is no limit: where no size is excluded from below,
        where not even the largest is known to reach.

    A bootstrap of the fewest weights would be too sure of itself: where all seeds of a
    size fall short, so do those of every resample, however few there are.

    Args:
        weights: Sizes, ascending.
        successes: Networks that reach the accuracy, of each size.
        n: Networks of each size.
    """
    low = high = np.nan
    counts = list(zip(weights, successes.tolist(), n.tolist(), strict=True))
    for size, reaching, number in counts:
        if not intervals.rarely(reaching, number):
            break
        low = size + 1
    for size, reaching, number in reversed(counts):
        if not intervals.rarely(number - reaching, number):
            break
        high = size
    return low, high


def _sizes(owner: Int[np.ndarray, " G"], groups: pd.DataFrame) -> dict[str, Each]:
    """Return the fewest seeds, the smallest and the largest size that have rows."""
    n = groups["n"].where(groups["n"] > 0).groupby(owner).min()
    weights = pd.Series(sizes(groups)).groupby(owner)
    return {
        "n": n.fillna(0).to_numpy(),
        "smallest": weights.min().to_numpy(),
        "largest": weights.max().to_numpy(),
    }


def _of_medians(
    owner: Int[np.ndarray, " G"], groups: pd.DataFrame, threshold: float
) -> dict[str, Each]:
    """Return the fewest weights whose median reaches, with limits and seeds."""
    weights, n = sizes(groups), groups["n"].to_numpy()
    share = groups[f"success_{threshold:g}"].to_numpy()
    order = np.lexsort((weights, owner))
    order = order[n[order] > 0]
    found = np.full((5, owner.max() + 1), np.nan)
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    for lines in np.split(order, starts)[1:]:
        # Networks of two sizes that were asked for may have equally many weights
        size, first = np.unique(weights[lines], return_index=True)
        reaching = np.rint(share[lines] * n[lines]).astype(int)
        part = size, *(np.add.reduceat(each, first) for each in (reaching, n[lines]))
        found[:, owner[lines[0]]] = *_crossing(*part), *limits(*part)
    return dict(zip(MEDIAN, found, strict=True))


MEDIAN = ("median", "median_least", "median_n", "median_low", "median_high")


def _crossing(
    weights: Float[np.ndarray, " S"],
    successes: Int[np.ndarray, " S"],
    n: Int[np.ndarray, " S"],
) -> tuple[float, float, float]:
    """Return the size at which half reach, one more than the one before, and its n.

    Where the shares of an isotonic regression begin to be at least one half: the first
    size before which networks that reach are most in the minority. Whole numbers, so
    that one half is exact.

    Source: the level sets of an isotonic regression minimise such sums (Barlow et al.,
    *Statistical Inference under Order Restrictions*, 1972).
    """
    before_each = np.cumsum(np.append(0, 2 * successes - n))
    at = int(np.argmin(before_each))
    if at == len(n):
        return np.nan, np.nan, np.nan
    before = weights[at - 1] + 1 if at else np.nan
    return float(weights[at]), float(before), float(n[at])


def _of_rows(
    owner: Int[np.ndarray, " G"], groups: pd.DataFrame, choice: Choice, threshold: float
) -> dict[str, Each]:
    """Return the fewest weights of a row that reaches: of those reported, of all."""
    count = owner.max() + 1
    group = choice.rows["group"].to_numpy()
    nnz = choice.rows["nnz"].to_numpy(np.float64)
    reaching: Bool[np.ndarray, " R"] = choice.rows["accuracy"].to_numpy() >= threshold
    shown = reaching & choice.reported
    best, at = _fewest(owner[group[shown]], nnz[shown], count)
    anyone, _ = _fewest(owner[group[reaching]], nnz[reaching], count)
    return {
        "best": best,
        "best_n": _pick(groups["n"].to_numpy()[group[shown]], at),
        "any": anyone,
        "any_n": np.bincount(owner[group], minlength=count).astype(np.float64),
    }


def _of_random_masks(
    owner: Int[np.ndarray, " G"], groups: pd.DataFrame, threshold: float
) -> dict[str, Each]:
    """Return the fewest weights of the best of as many random masks."""
    fewest, short = budget_matched.fewest(owner, groups, threshold)
    return {"random_masks": fewest, "random_masks_short": short}


def _fewest(
    owner: Int[np.ndarray, " R"], weights: Float[np.ndarray, " R"], count: int
) -> tuple[Each, Int[np.ndarray, " O"]]:
    """Return the fewest weights of each owner and where; NaN and -1 if none."""
    order = np.lexsort((weights, owner))
    known, first = np.unique(owner[order], return_index=True)
    fewest, at = np.full(count, np.nan), np.full(count, -1)
    at[known] = order[first]
    fewest[known] = weights[at[known]]
    return fewest, at


def _pick(values: Int[np.ndarray, " R"], at: Int[np.ndarray, " O"]) -> Each:
    """Return the value at each place; NaN at -1."""
    return np.append(values.astype(np.float64), np.nan)[at]


def _with_best_known(
    table: pd.DataFrame,
    widths: Int[np.ndarray, " L"],
    best_known: pd.DataFrame,
    task: str,
) -> pd.DataFrame:
    """Add the best known size of each threshold and width, of both kinds."""
    kinds: dict[str, frontier.Kind] = {
        "best_known": "any",
        "best_known_protocol": "protocol",
    }
    fitting = {w: frontier.within(best_known, w) for w in np.unique(widths).tolist()}
    asked = list(zip(table["threshold"], widths.tolist(), strict=True))
    found = {}
    for name, kind in kinds.items():
        sizes = {
            (level, width): frontier.fewest(fitting[width], level, kind)
            for level, width in {*asked}
        }
        found[name] = pd.Series([sizes[each] for each in asked], dtype=np.float64)
    levels = table["threshold"].unique()
    least = {level: record.at_least(level, task=task) for level in levels}
    proven = table["threshold"].map(least).astype(np.float64)
    return table.assign(proven=proven, **found)


def _with_excess(table: pd.DataFrame) -> pd.DataFrame:
    """Add the excess of each count over each yardstick that there is."""
    found = {}
    for suffix, yardstick in YARDSTICKS.items():
        for name in COUNTS if yardstick in table else ():
            first, _, limit = name.partition("_")
            column = f"{first}_excess{suffix}" + (f"_{limit}" if limit else "")
            found[column] = table[name] - table[yardstick]
    return table.assign(**found)
