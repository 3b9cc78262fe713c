"""Probability of improvement of one group over another, in pairs of equal seed."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from spiral.report.stats import means, multiple
from spiral.report.stats.selection import (
    SIZE,
    Choice,
    Codes,
    codes,
    inflation,
    numbered,
)

MOST = 80
"""Values of the first column that are compared, each with each: 3,160 pairs, so that
all shipped methods are."""

AT_ONCE = 2_000_000
"""Scores that are counted together: some 100 MB."""

COLUMNS = ["probability", "low", "high", "p", "p_holm", "n", "pairs", "ties"]


class Paired(NamedTuple):
    """Accuracies of rows that differ in the first column of the groups alone."""

    accuracy: Float[np.ndarray, "U M"]
    """Of each value of the first column; NaN where it is missing."""
    place: Int[np.ndarray, " U"]
    """A number for the other columns of the groups."""
    size: Int[np.ndarray, " U"]
    """A number for the size; its last is that of no size."""
    seed: Int[np.ndarray, " U"]
    values: list[object]
    """The values of the first column."""
    inflation: Float[np.ndarray, " M"]
    """Of variances, for each value (``selection.inflation``)."""
    places: pd.DataFrame
    sizes: pd.Series


def pairwise(choice: Choice, of: object = None) -> pd.DataFrame:
    """Return the probability of improvement of each group over each other one.

    Compared are the values of the first column of the groups, all others being equal,
    in pairs of reported rows that agree in size, strata and seeds (so in initial
    weights and batches). A tie counts half, also one of two failures. Networks without
    a size (dense ones) are compared with those of every size.

    Source: Agarwal et al., *Deep Reinforcement Learning at the Edge of the Statistical
    Precipice*, 2021 (arXiv:2108.13264); there over independent runs, here paired.

    Args:
        choice: Rows and groups.
        of: A value of the first column, if only its comparisons are wanted.

    Returns:
        For every pair: the other columns of the groups, ``keep`` (missing: over all
        sizes), ``a``, ``b``, ``probability`` that a is better than b with limits, ``p``
        that it is one half, and ``p_holm``, corrected for all comparisons of equal
        other columns and size (Holm 1979); ``n`` seeds, ``pairs`` and ``ties`` of
        rows. The mean is over seeds, of each seed's mean over its pairs: pairs of one
        seed are not independent evidence. Empty if there are no pairs, or over 80
        values and none is named.
    """
    met = _paired(choice)
    first, second = _asked(met.values, of)
    step = max(1, AT_ONCE // max(1, len(met.accuracy)))
    parts = [
        _compare(met, first[start : start + step], second[start : start + step])
        for start in range(0, len(first), step)
    ]
    order = [*met.places, SIZE, "a", "b", *COLUMNS]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=order)
    found = pd.concat(parts, ignore_index=True)
    family, _ = codes(found, [*met.places, SIZE])
    return found.assign(p_holm=multiple.holm(found["p"].to_numpy(), family))[order]


def _asked(values: list[object], of: object) -> tuple[Codes, Codes]:
    """Return the numbers of the values to compare, each two once; none if too many."""
    first, second = np.triu_indices(len(values), 1)
    if of is None:
        return (first, second) if len(values) <= MOST else (first[:0], second[:0])
    own = np.array([value == of for value in values], bool)
    asked = own[first] | own[second]
    return first[asked], second[asked]


def _paired(choice: Choice) -> Paired:
    """Set rows side by side that differ in the first column of the groups alone."""
    first, *others = choice.by
    used = [*choice.by, *choice.strata, SIZE, "fold", "accuracy"]
    rows = choice.rows[[*dict.fromkeys(used)]][choice.reported]
    member, values = codes(rows, [first])
    run, runs = codes(rows, [*others, *choice.strata, "fold"])
    unit, units = codes(rows.assign(run=run), [SIZE, "run"])
    accuracy = np.full((len(units), len(values)), np.nan)
    accuracy[unit, member] = rows["accuracy"].to_numpy()
    size, sizes = codes(units, [SIZE])
    # Dense networks have no size; they are compared with others at each of their sizes.
    unsized = units[SIZE].isna().to_numpy()
    home = units["run"].to_numpy()
    everywhere = np.full((len(runs), len(values)), np.nan)
    everywhere[home[unsized]] = accuracy[unsized]
    missing = np.isnan(accuracy) & ~unsized[:, None]
    accuracy = np.where(missing, everywhere[home], accuracy)
    place, places = codes(runs, others)
    return Paired(
        accuracy,
        place[home],
        size,
        runs["fold"].to_numpy()[home],
        values[first].tolist(),
        inflation(choice, [first]).reindex(range(len(values))).fillna(1.0).to_numpy(),
        places,
        sizes[SIZE],
    )


def _compare(met: Paired, first: Codes, second: Codes) -> pd.DataFrame:
    """Return how pairs of values compare, each over all sizes and then at each size."""
    gap = met.accuracy[:, first] - met.accuracy[:, second]
    pair, unit = np.nonzero(~np.isnan(gap).T)
    score = np.sign(gap[unit, pair]).astype(np.int64)
    places, sizes = len(met.places), len(met.sizes)
    # One number for each line, in the order of the table: pair by pair first all
    # sizes of each place, then each size. A score counts in one line of either kind.
    lines = places * (1 + sizes)
    over_all = pair * lines + met.place[unit]
    widened = np.maximum(met.inflation[first], met.inflation[second])[pair]
    sized = met.sizes.notna().to_numpy()[met.size[unit]]
    each = pair * lines + places + met.place[unit] * sizes + met.size[unit]
    found = _means(
        np.concatenate([over_all, each[sized]]),
        np.concatenate([met.seed[unit], met.seed[unit][sized]]),
        np.concatenate([score, score[sized]]),
        np.concatenate([widened, widened[sized]]),
    )
    pair, line = np.divmod(found.index.to_numpy(), lines)
    place, size = np.divmod(line - places, sizes)
    whole = line < places
    table = met.places.iloc[np.where(whole, line, place)].reset_index(drop=True)
    keep = met.sizes.iloc[np.where(whole, 0, size)].reset_index(drop=True)
    values = pd.Series(met.values)
    return table.assign(
        keep=keep.mask(whole),
        a=values.iloc[first[pair]].array,
        b=values.iloc[second[pair]].array,
    ).join(found.reset_index(drop=True))


def _means(
    place: Int[np.ndarray, " K"],
    seed: Int[np.ndarray, " K"],
    score: Int[np.ndarray, " K"],
    inflation: Float[np.ndarray, " K"],
) -> pd.DataFrame:
    """Return the mean over seeds of each place, with limits and counts.

    Args:
        place: The line of each pair.
        seed: Its seed.
        score: 1 for a win, 0 for a tie, -1 for a loss.
        inflation: Of the variance of its line.
    """
    # Pairs of one seed share initial weights and batches, so they are one observation:
    # its mean. Intervals over pairs instead would be too narrow.
    known, at = numbered(place)
    seeds = int(seed.max(initial=0)) + 1
    each, number = numbered(at * seeds + seed)
    line, pairs = each // seeds, np.bincount(number)
    won = np.bincount(number, score).astype(np.int64)  # sums of ±1: exact as floats
    counted, n = np.unique(pairs, return_inverse=True)
    # Wins minus losses are added as integers for each number of pairs, so that as many
    # wins as losses make exactly one half, in whatever order rows come.
    sums = np.zeros((len(known), len(counted)), np.int64)
    np.add.at(sums, (line, n), won)
    count = np.bincount(line)
    mean = 1 / 2 + (sums / counted).sum(axis=1) / (2 * count)
    share = pd.Series(1 / 2 + won / (2 * pairs))
    variance = share.groupby(line).var().to_numpy()
    of_line = np.ones(len(known))
    of_line[at] = inflation
    low, high = means.share(mean, count, variance, of_line)
    found = {"probability": mean, "low": low, "high": high, "n": count}
    found["p"] = means.p_half(mean, count, variance, of_line)
    ties = np.bincount(at[score == 0], minlength=len(known))
    return pd.DataFrame(found | {"pairs": np.bincount(at), "ties": ties}, index=known)
