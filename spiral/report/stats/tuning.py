"""Equal tuning by construction: no seed is reported at a setting that it chose.

A *problem* is what a method tunes for at once: a line of a table at one width, over all
sizes for which the same settings were tried. Its setting is the one with the highest
mean accuracy. By cross-fitting, each seed is reported at the setting that the other
seeds choose: then all seeds are reported, and more settings do not flatter a method. A
seed split, the stricter reading, chooses on every other seed and reports the rest.

Source: cross-fitting is that of Chernozhukov et al., *Double/debiased machine
learning*, The Econometrics Journal 2018; here leave-one-out, over seeds.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

Codes = Int[np.ndarray, " R"]

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
    (``in_sample``), or with ``seed_split`` reports nothing. Of equally good settings
    the first is chosen.

    Args:
        table: Numbers for ``problem``, ``size``, ``setting`` and ``fold`` (the seed) of
            each row, and ``accuracy``.
        seed_split: Whether every other seed chooses and the rest is reported.
    """
    whole = np.rint(table["accuracy"].to_numpy(np.float64) * UNIT).astype(np.int64)
    named = table[["problem", "size", "setting", "fold"]].assign(sum=whole, n=1)
    several = named.groupby("problem")["setting"].transform("nunique").to_numpy() > 1
    if seed_split:
        choosing = _every_other(named["problem"].to_numpy(), named["fold"].to_numpy())
        shown = ~choosing & _is_best(_of_some(named[choosing]), named, ["problem"])
        return Reported(shown, np.zeros(len(table), bool))
    scores = _of_others(named[several])
    chosen, alone = np.ones((2, len(table)), bool)
    chosen[several] = _is_best(scores, named[several], ["problem", "fold"])
    kept = ["problem", "fold"]
    lonely = scores.loc[scores["alone"], kept].drop_duplicates()
    pairs = pd.MultiIndex.from_frame(named[kept])
    alone = several & pairs.isin(pd.MultiIndex.from_frame(lonely))
    return Reported(chosen, chosen & alone)


def _of_others(named: pd.DataFrame) -> pd.DataFrame:
    """Return the score of each setting for each fold, by the rows of other folds.

    A size counts by how much better than all rows of that size the others' mean is, so
    that a setting without rows at a hard size gains nothing.
    """
    by = ["problem", "setting", "size"]
    own = named.groupby([*by, "fold"], as_index=False).sum()
    every = own.groupby(by)[["sum", "n"]].transform("sum")
    others = every - own[["sum", "n"]]
    middle = own.groupby(["problem", "size"])[["sum", "n"]].transform("sum")
    level = middle["sum"] / middle["n"]
    own["apart"] = others["sum"] / others["n"].where(others["n"] > 0) - level
    own["inside"] = own["sum"] / own["n"] - level
    kept = ["problem", "fold", "setting"]
    scores = own.groupby(kept, as_index=False)[["apart", "inside"]].mean()
    best = scores.groupby(["problem", "fold"])["apart"].transform("max")
    scores["alone"] = best.isna()
    scores["score"] = scores["apart"].where(best.notna(), scores["inside"])
    return scores


def _of_some(named: pd.DataFrame) -> pd.DataFrame:
    """Return the score of each setting by all of some rows."""
    by = ["problem", "setting", "size"]
    each = named.groupby(by, as_index=False)[["sum", "n"]].sum()
    middle = each.groupby(["problem", "size"])[["sum", "n"]].transform("sum")
    each["score"] = each["sum"] / each["n"] - middle["sum"] / middle["n"]
    return each.groupby(["problem", "setting"], as_index=False)["score"].mean()


def _is_best(
    scores: pd.DataFrame, named: pd.DataFrame, by: list[str]
) -> Bool[np.ndarray, " R"]:
    """Return whether rows are of the setting with the highest score."""
    order = scores.dropna(subset="score").sort_values(
        [*by, "score", "setting"], ascending=[True] * len(by) + [False, True]
    )
    best = order.drop_duplicates(by)
    chosen = pd.MultiIndex.from_frame(best[[*by, "setting"]])
    found: Bool[np.ndarray, " R"]
    found = pd.MultiIndex.from_frame(named[[*by, "setting"]]).isin(chosen)
    return found


def _every_other(problem: Codes, fold: Codes) -> Bool[np.ndarray, " R"]:
    """Return the rows of every other seed of each problem, its first among them.

    Every other one rather than the first half: when a launch is extended by higher
    seeds, those that chose settings before still do.
    """
    pairs = problem * (fold.max(initial=0) + 1) + fold
    distinct, which = np.unique(pairs, return_inverse=True)
    home = distinct // (fold.max(initial=0) + 1)
    _, first, count = np.unique(home, return_index=True, return_counts=True)
    place = np.arange(len(distinct)) - np.repeat(first, count)
    chosen: Bool[np.ndarray, " R"] = (place % 2 == 0)[which]
    return chosen
