"""Equal tuning by construction: no seed is reported at a setting that it chose.

A *problem* is what a method tunes for at once: a line of a table at one width, over all
sizes for which the same settings were tried. Its setting is the one with the highest
mean accuracy. By cross-fitting, each half of the seeds is reported at the setting that
the other half chooses: then all seeds are reported, and more settings do not flatter a
method. A seed split, the stricter reading, reports one half only.

Not leave-one-out, where nearly all other seeds agree on what luck made best: for 8
equally good settings and 8 seeds, t intervals of scores so tuned hold 78 %, and with 64
seeds 60 % (simulated). Halves choose independently of what is reported.

Source: cross-fitting is that of Chernozhukov et al., *Double/debiased machine
learning*, The Econometrics Journal 2018, here with two folds.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

Codes = Int[np.ndarray, " R"]

INFLATION = 1.36
"""By how much the variance of a mean over two cross-fitted halves exceeds that of
independent seeds, at most: halves that choose each other's setting are correlated. With
K equally good settings, and m the expected maximum of K normal means, it is
1 + m² / K + m² / (K (K - 1)), which is largest for K = 3. Where one setting is clearly
best it is 1."""

UNIT = 2.0**40
"""Accuracies are summed in whole parts of this size: sums of integers do not depend on
the order of rows, so neither does a tie between two settings."""


class Reported(NamedTuple):
    """Which rows are reported."""

    rows: Bool[np.ndarray, " R"]
    in_sample: Bool[np.ndarray, " R"]
    """Rows reported at one of several settings that they chose themselves, as there is
    no other seed."""


def problems(line: Codes, size: Codes, setting: Codes) -> Codes:
    """Number the problems of rows: sizes of a line that have the same settings.

    Args:
        line: Of each row; lines never tune together.
        size: Of each row, a number for ``keep``.
        setting: Of each row.
    """
    if not setting.any():  # one setting: each line is a problem
        return np.unique(line, return_inverse=True)[1]
    tried = pd.DataFrame({"line": line, "size": size, "setting": setting})
    distinct = tried.drop_duplicates().sort_values(["line", "size", "setting"])
    sets = distinct.groupby(["line", "size"])["setting"].agg(tuple)
    names = pd.MultiIndex.from_arrays([sets.index.get_level_values(0), sets.array])
    number = pd.Series(pd.factorize(names)[0], sets.index)
    found = number.reindex(pd.MultiIndex.from_frame(tried[["line", "size"]]))
    return found.to_numpy(np.int64)


def report(table: pd.DataFrame, seed_split: bool = False) -> Reported:
    """Return which rows are reported.

    A problem with a single seed cannot be split: that seed chooses for itself
    (``in_sample``), or with ``seed_split`` reports nothing. Settings that lack rows in
    the half to report are not chosen; of equally good ones the first is.

    Args:
        table: Numbers for ``problem``, ``size``, ``setting`` and ``fold`` (the seed) of
            each row, and ``accuracy``.
        seed_split: Whether every other seed chooses and only the rest is reported.
    """
    whole = np.rint(table["accuracy"].to_numpy(np.float64) * UNIT).astype(np.int64)
    named = table[["problem", "size", "setting"]].assign(sum=whole, n=1)
    named["half"] = _halves(table["problem"].to_numpy(), table["fold"].to_numpy())
    of_problem = named.groupby("problem")
    several = (of_problem["setting"].transform("nunique") > 1).to_numpy()
    alone = (of_problem["half"].transform("max") == 0).to_numpy()
    shown = named["half"].to_numpy() == 1 if seed_split else np.ones(len(table), bool)
    chosen = np.ones(len(table), bool)
    chosen[several] = _chosen(named[several], alone[several])
    return Reported(shown & chosen, shown & chosen & several & alone)


def _chosen(
    named: pd.DataFrame, alone: Bool[np.ndarray, " R"]
) -> Bool[np.ndarray, " R"]:
    """Return whether rows have the setting that the other half of their problem chose.

    Args:
        named: ``problem``, ``size``, ``setting``, ``half``, and accuracies as integers.
        alone: Of each row, whether its problem has no other half.
    """
    scores = _scores(named)
    # What a half chooses is for the other; a single seed chooses for itself
    single = scores["problem"].isin(named.loc[alone, "problem"].unique())
    scores["half"] = scores["half"].where(single, 1 - scores["half"])
    kept = ["problem", "half", "setting"]
    rows = named.groupby(kept, as_index=False)["n"].sum()
    most = rows.groupby(["problem", "half"])["n"].transform("max")
    eligible = rows.loc[rows["n"] == most, kept]
    scores = eligible.merge(scores, "left", on=kept).fillna({"score": -np.inf})
    order = scores.sort_values(
        ["problem", "half", "score", "setting"], ascending=[True, True, False, True]
    )
    best = pd.MultiIndex.from_frame(order.drop_duplicates(["problem", "half"])[kept])
    found: Bool[np.ndarray, " R"] = pd.MultiIndex.from_frame(named[kept]).isin(best)
    return found


def _scores(named: pd.DataFrame) -> pd.DataFrame:
    """Return the score of each setting by the rows of each half.

    A size counts by how much better than all rows of that half and size the mean of a
    setting is, so that a setting without rows at a hard size gains nothing.
    """
    cells = ["problem", "half", "size"]
    each = named.groupby([*cells, "setting"], as_index=False)[["sum", "n"]].sum()
    middle = each.groupby(cells)[["sum", "n"]].transform("sum")
    each["score"] = each["sum"] / each["n"] - middle["sum"] / middle["n"]
    kept = ["problem", "half", "setting"]
    return each.groupby(kept, as_index=False)["score"].mean()


def _halves(problem: Codes, fold: Codes) -> Codes:
    """Number the halves of the seeds of each problem: every other seed, the first in 0.

    Every other one rather than the first half: when a launch is extended by higher
    seeds, those that were in a half stay there.
    """
    pairs = problem * (fold.max(initial=0) + 1) + fold
    distinct, which = np.unique(pairs, return_inverse=True)
    home = distinct // (fold.max(initial=0) + 1)
    _, first, count = np.unique(home, return_index=True, return_counts=True)
    place = np.arange(len(distinct)) - np.repeat(first, count)
    found: Codes = (place % 2)[which]
    return found
