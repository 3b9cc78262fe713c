"""Rows from given initial weights: what pruners and what a search reach from them."""

import pandas as pd

from spiral.errors import ConfigError
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.selection import GIVEN, choose

START = ["init_seed", "width"]


def split(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what pruners reach from fixed initial weights, and what those contain.

    Args:
        rows: Config columns and results; those of initial weights (``init_seed`` and
            width) that no search has do not count.

    Returns:
        A line for each ``init_seed``, method, width and size, as
        ``aggregate.summarise`` makes them; and for each ``init_seed``, ``width`` and
        ``nnz`` the best ``accuracy`` of a search with at most that many weights, with
        all ``rows`` of that search.

    Raises:
        ConfigError: No pruner starts from weights that were searched.
    """
    started = rows[rows["init_seed"].notna()]
    searched = started["method"].isin(GIVEN)
    start = pd.MultiIndex.from_frame(started[START])
    known = start.isin(start[searched.to_numpy(bool)])
    pruned = known & ~searched & (started["method"] != "dense")
    if not pruned.any():
        raise ConfigError(
            "no pruners start from initial weights (init_seed) in which blocks or "
            "masks were searched; `spiral-sweep launch paper/fixed_init_95` has them"
        )
    parts = [
        summarise(choose(part)).assign(init_seed=seed)
        for seed, part in started[pruned].groupby("init_seed")
    ]
    return pd.concat(parts, ignore_index=True), contained(started[searched])


def contained(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the best accuracy up to each number of weights, of each initialisation."""
    usable = rows[rows["accuracy"].notna()]
    best = usable.groupby([*START, "nnz"])["accuracy"].max().reset_index()
    best["accuracy"] = best.groupby(START)["accuracy"].cummax()
    counts = rows.groupby(START).size().rename("rows").reset_index()
    return best.merge(counts, on=START)
