"""What the masks of methods are worth alone: two gaps to the optimum instead of one.

A method's network falls short of the best one known; so does its mask when it is
trained from scratch (``scratch``), as the search trains masks. The second is the gap of
the mask; what is left of the first is that of the weights, negative where a method's
own weights are better than new ones.
"""

import pandas as pd

from spiral.report.stats.aggregate import known_at, sizes, summarise
from spiral.report.stats.selection import SIZE, choose

RECIPES = ("scratch", "shuffled")
BY = ("method", "of", "width")
KEY = ["method", "width", SIZE]


def worth(rows: pd.DataFrame, best_known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a line for each method, width and size whose mask was trained alone.

    Args:
        rows: Config columns and results.
        best_known: A frontier, if there is one.

    Returns:
        ``n`` and ``n_mask`` seeds, median accuracies ``own``, ``mask`` and, where there
        are any, ``shuffled``; ``places``, what those of weights within layers add to
        their number. With a frontier ``mask_gap`` and ``weight_gap``, which add up to
        the method's shortfall. Each at its best setting.
    """
    if "of" not in rows:
        return pd.DataFrame()
    plain = (rows["second_phase"] == "scratch_e") & (rows["restart"] == "original")
    recipe = rows["method"].isin(RECIPES)
    subjects = rows.loc[recipe & plain, "of"].dropna().unique()
    wanted = (recipe & plain) | rows["method"].isin(subjects)
    if not len(subjects):
        return pd.DataFrame()
    chosen = rows[wanted.fillna(False).astype(bool)].reset_index(drop=True)
    groups = summarise(choose(chosen, BY))
    own = groups[~groups["method"].isin(RECIPES)]
    table = _named(own, "own", n="n").merge(
        _named(_of(groups, "scratch"), "mask", n="n_mask"), on=KEY
    )
    shuffled = _named(_of(groups, "shuffled"), "shuffled")
    table = table.merge(shuffled, on=KEY, how="left")
    table["places"] = table["mask"] - table["shuffled"]
    if best_known is not None:
        level = known_at(sizes(table), best_known, "any")
        table["mask_gap"] = level - table["mask"]
        table["weight_gap"] = table["mask"] - table["own"]
    return table.drop(columns="weights")


def _of(groups: pd.DataFrame, recipe: str) -> pd.DataFrame:
    """Return the groups of a recipe under the names of the methods it is over."""
    found = groups[groups["method"] == recipe]
    return found.assign(method=found["of"])


def _named(groups: pd.DataFrame, name: str, n: str | None = None) -> pd.DataFrame:
    """Return medians under a name; of a method itself its size, too."""
    columns = {"median": name} | ({"n": n} if n else {})
    kept = [*KEY, *columns] + (["weights"] if name == "own" else [])
    return groups[kept].rename(columns=columns)
