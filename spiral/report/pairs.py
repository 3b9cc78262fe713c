"""Which of two groups is better, seed by seed."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from spiral.report import intervals
from spiral.report.choice import SEEDS, SIZE, STRATA, Choice, codes

MOST = 64
"""Values of the first column that are compared, each with each."""

COLUMNS = ["probability", "low", "high", "n", "pairs", "ties"]


class Meetings(NamedTuple):
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
    places: pd.DataFrame
    sizes: pd.Series


def pairs(choice: Choice, of: object = None) -> pd.DataFrame:
    """Return how probably one group beats another of equal seeds.

    Compared are the values of the first column of the groups, all others being equal,
    in pairs of rows reported that agree in size, strata and seeds (so in initial
    weights and batches). A tie is half a win, also one of two failures. Networks
    without a size (dense ones) meet those of every size.

    Args:
        choice: Rows and groups.
        of: A value of the first column, if only its meetings are asked for.

    Returns:
        For every pair: the other columns of the groups, ``keep`` (null: over all
        sizes), ``a``, ``b``, ``probability`` that a beats b with limits, ``n`` seeds,
        ``pairs`` and ``ties`` of rows. The mean is over seeds, of each seed's mean over
        its pairs: pairs of one seed are no evidence of their own. Empty if there are
        no pairs, or over 64 values and none is named.
    """
    met = _meetings(choice)
    asked = [n for n, value in enumerate(met.values) if of in (None, value)]
    parts = []
    if len(asked) <= MOST:
        for a, b in combinations(range(len(met.values)), 2):
            if a not in asked and b not in asked:
                continue
            both = np.flatnonzero(~np.isnan(met.accuracy[:, [a, b]]).any(axis=1))
            named = {"a": met.values[a], "b": met.values[b]}
            parts += [part.assign(**named) for part in _compare(met, both, a, b)]
    order = [*met.places, SIZE, "a", "b", *COLUMNS]
    if not parts:
        return pd.DataFrame(columns=order)
    return pd.concat(parts, ignore_index=True)[order]


def _meetings(choice: Choice) -> Meetings:
    """Set rows side by side that differ in the first column of the groups alone."""
    first, *others = choice.by
    rows = choice.rows[choice.reported]
    seeds = [name for name in SEEDS if name in rows]
    strata = [name for name in STRATA if name in rows and name not in choice.by]
    member, values = codes(rows, [first])
    run, runs = codes(rows, [*others, *strata, *seeds])
    unit, units = codes(rows.assign(run=run), [SIZE, "run"])
    accuracy = np.full((len(units), len(values)), np.nan)
    accuracy[unit, member] = rows["accuracy"].to_numpy()
    size, sizes = codes(units, [SIZE])
    unsized = units[SIZE].isna().to_numpy()
    home = units["run"].to_numpy()
    everywhere = np.full((len(runs), len(values)), np.nan)
    everywhere[home[unsized]] = accuracy[unsized]
    missing = np.isnan(accuracy) & ~unsized[:, None]
    accuracy = np.where(missing, everywhere[home], accuracy)
    place, places = codes(runs, others)
    seed, _ = codes(runs, seeds)
    return Meetings(
        accuracy,
        place[home],
        size,
        seed[home],
        values[first].tolist(),
        places,
        sizes[SIZE],
    )


def _compare(
    met: Meetings, both: Int[np.ndarray, " K"], a: int, b: int
) -> list[pd.DataFrame]:
    """Return how two values compare over all sizes, and at each size."""
    score = np.sign(met.accuracy[both, a] - met.accuracy[both, b]) / 2 + 0.5
    place, size, seed = met.place[both], met.size[both], met.seed[both]
    found = _means(place, seed, score)
    whole = met.places.iloc[found.index].reset_index(drop=True)
    over_all = whole.assign(keep=pd.array([None] * len(whole), "Int64"))
    parts = [over_all.join(found.reset_index(drop=True))]
    sized = met.sizes.notna().to_numpy()[size]
    each = _means((place * len(met.sizes) + size)[sized], seed[sized], score[sized])
    home = met.places.iloc[each.index // len(met.sizes)].reset_index(drop=True)
    keep = met.sizes.iloc[each.index % len(met.sizes)].array
    parts.append(home.assign(keep=keep).join(each.reset_index(drop=True)))
    return parts


def _means(
    place: Int[np.ndarray, " K"],
    seed: Int[np.ndarray, " K"],
    score: Float[np.ndarray, " K"],
) -> pd.DataFrame:
    """Return the mean over seeds of each place, with limits and counts."""
    table = pd.DataFrame({"place": place, "seed": seed, "score": score})
    table["tie"] = table["score"] == 1 / 2
    each = table.groupby(["place", "seed"])["score"].mean().groupby("place")
    mean, n = each.mean(), each.size()
    low, high = intervals.share(mean.to_numpy(), n.to_numpy(), each.var().to_numpy())
    whole = table.groupby("place")
    return pd.DataFrame(
        {
            "probability": mean,
            "low": low,
            "high": high,
            "n": n,
            "pairs": whole.size(),
            "ties": whole["tie"].sum(),
        }
    )
