"""Ablation: the accuracy gap of a method, split into that of its mask and the rest.

A method's network is less accurate than the best known one of its size, and so is a
network trained from scratch on its mask (``scratch``), as the search trains masks. The
second gap is that of the mask. The rest of the first is that of the weights; it is
negative where the method's weights are better than newly trained ones.
"""

import numpy as np
import pandas as pd

from spiral.report.stats.aggregate import known_at, sizes, summarise
from spiral.report.stats.selection import SIZE, choose

RECIPES = ("scratch", "shuffled")
BY = ("method", "of", "width")
KEY = ["method", "width", SIZE]


def ablation(
    rows: pd.DataFrame, best_known: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return a line for each method, width and size with masks trained from scratch.

    Args:
        rows: Config columns and results.
        best_known: A frontier, if there is one.

    Returns:
        ``n`` and ``n_mask`` seeds, median accuracies ``own``, ``mask`` and, where there
        are any, ``shuffled``; ``positions``, what the positions of weights within
        layers add to their number per layer. With a frontier ``mask_gap`` and
        ``weight_gap``, which add up to the method's accuracy gap. Each at its best
        setting.
    """
    if not {"of", "second_phase", "restart"} <= {*rows}:
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
    table["positions"] = table["mask"] - table["shuffled"]
    if best_known is not None:
        widths = table["width"].to_numpy(np.float64)
        level = known_at(sizes(table), widths, best_known, "any")
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
