"""Random masks with a method's budget: the best of as many trainings as it used.

A method that is trained hundreds of times and shows its best network has had hundreds
of chances. What luck alone makes of them is the best of as many trainings of random
masks. Its expectation follows exactly from the random masks trained (method
``random``), whichever of them one would have drawn.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from spiral.protocol import config
from spiral.report.stats.selection import GIVEN, SEEDS, SIZE, Choice, clean

CONTROL = "random"
"""The method whose masks are random."""

UNMATCHED = ("dense", CONTROL, *GIVEN)
"""Methods that are no pruners, which need no such control."""

NOT_TRAINING = ("method", "engine", *SEEDS)
"""Config columns that may differ: engines compute the same training."""


def matched(choice: Choice, pool: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a line for each group: the best of as many random masks as it trained.

    Drawn are random masks of the same width, size and training (learning rate,
    schedule, epochs and all else that methods share); of a group that tuned some of
    these, any of the values it tried.

    A training is one of as many steps as a random mask takes: a method that retrains
    ten times has had ten.

    Args:
        choice: Rows and groups.
        pool: Rows that may have random masks; by default those compared.

    Returns:
        ``trainings`` that all rows of the group took, whatever their setting and seed;
        ``random_pool``, the random masks there are; ``random_best``, the expected
        accuracy of the best of as many as ``trainings``: null where there are fewer.
    """
    every = choice.rows if pool is None else pool
    drawn = every[every["method"] == CONTROL]
    drawn = drawn if pool is None else clean(drawn)
    fields = [n for n in config.fields(config.Config) if n in every]
    alike = [name for name in fields if name not in NOT_TRAINING]
    drawn = drawn[[*alike, "accuracy", "steps"]]
    # Other columns have one value in a group: looking for more takes most of the time
    varied = [name for name in alike if name in (*choice.settings, *choice.strata)]
    tried = choice.rows[["group", *alike]].drop_duplicates(["group", *varied])
    met = tried.merge(drawn, on=alike)
    lines = pd.RangeIndex(len(choice.groups))
    size = met.groupby("group").size().reindex(lines, fill_value=0)
    taken = met.groupby("group")["steps"].sum().reindex(lines, fill_value=0)
    used = choice.rows["steps"].groupby(choice.rows["group"]).sum().reindex(lines)
    counts = (used * size / taken.where(taken > 0)).astype("Float64")
    # Whole trainings, rounded up; steps are whole numbers, so a ratio of 8 is 8
    trainings = np.ceil(counts).astype("Int64")
    best = np.full(len(lines), np.nan)
    for group, accuracies in met.groupby("group")["accuracy"]:
        place = int(str(group))
        pool = accuracies.to_numpy(np.float64)
        best[place] = expected_best(pool, int(trainings[place]))
    return pd.DataFrame(
        {"trainings": trainings, "random_pool": size, "random_best": best}
    )


def expected_best(pool: Float[np.ndarray, " N"], n: int) -> float:
    """Return the expected largest of n different values of a pool; NaN if it has fewer.

    The k-th smallest of N is the largest drawn with probability C(k-1, n-1) / C(N, n):
    exact, where resampling would add noise and draw some values twice.
    """
    size = len(pool)
    if not 0 < n <= size:
        return np.nan
    place = np.arange(size, n, -1)
    # From the largest down each is the one before, times a ratio: no huge binomials
    ratios = np.concatenate([[n / size], (place - n) / (place - 1)])
    return float(np.cumprod(ratios) @ np.sort(pool)[::-1][: len(ratios)])


def fewest(
    owner: Int[np.ndarray, " G"], groups: pd.DataFrame, threshold: float
) -> tuple[Float[np.ndarray, " O"], Int[np.ndarray, " O"]]:
    """Return the fewest weights whose best random mask is expected to reach.

    Args:
        owner: The line of each group over all its sizes.
        groups: With ``keep``, ``trainings`` and ``random_best``.
        threshold: The accuracy to reach.

    Returns:
        For each owner the size, NaN where none reaches or where a smaller one has too
        few random masks to tell; and how many sizes have too few.
    """
    table = groups[[SIZE, "random_best"]].assign(owner=owner).sort_values(SIZE)
    table["unknown"] = table["random_best"].isna() | table[SIZE].isna()
    before = table.groupby("owner")["unknown"].cumsum()
    reaching = (table["random_best"] >= threshold) & (before == 0)
    known = pd.RangeIndex(owner.max() + 1)
    first = table[reaching].groupby("owner")[SIZE].first().reindex(known)
    short = table.groupby("owner")["unknown"].sum().reindex(known, fill_value=0)
    return first.to_numpy(np.float64, na_value=np.nan), short.to_numpy(np.int64)


def note(choice: Choice, groups: pd.DataFrame) -> list[str]:
    """Return what to launch where there are too few random masks, in a sentence."""
    if "method" not in choice.by:
        return []
    pruned = groups[~groups["method"].isin(UNMATCHED) & groups[SIZE].notna()]
    short = pruned[pruned["random_best"].isna()]
    if short.empty:
        return []
    least = int(short["trainings"].fillna(short["rows"]).max())
    return [
        f"{len(short):,} of {len(pruned):,} lines of pruners have too few random masks "
        f"of their width, size and training to compare with as many as they trained "
        f"(-); launch method {CONTROL} there, up to {least:,} trainings "
        "for each size"
    ]
