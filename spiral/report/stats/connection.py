"""How many networks have a path from input to output, and what is left on paths."""

import numpy as np
import pandas as pd

from spiral.report.stats import means
from spiral.report.stats.aggregate import medians
from spiral.report.stats.selection import Choice

LEAST = 5
"""Fewest seeds for an interval."""


def connection(choice: Choice) -> pd.DataFrame:
    """Return the connected share of each group, over all settings.

    Networks of one seed are not independent evidence (a method that prunes before
    training prunes alike whatever the learning rate), so the mean is over
    seeds, of each seed's mean.

    Args:
        choice: Rows and groups; the settings chosen do not matter.

    Returns:
        The group; ``n`` seeds, ``rows``, the ``connected`` share with limits (``low``,
        ``high``), and ``effective_nnz``, the median of weights on a path.
    """
    rows = choice.rows
    table = rows[["group", "stratum", "fold"]].assign(
        connected=rows["connected"].astype(float)
    )
    seeds = table.groupby(["group", "stratum", "fold"])["connected"].mean()
    each = seeds.groupby("group")
    mean, n = each.mean().to_numpy(), each.size().to_numpy()
    limits = means.share(mean, n, each.var().to_numpy())
    low, high = (np.where(n < LEAST, np.nan, limit) for limit in limits)
    group = rows["group"].to_numpy()
    left = rows["effective_nnz"].to_numpy(float)
    return choice.groups.assign(
        n=n,
        rows=rows.groupby("group").size().to_numpy(),
        connected=mean,
        low=low,
        high=high,
        effective_nnz=medians(group, left, len(choice.groups)),
    )
