"""Strengths of Bradley and Terry's model: one scale for all that met in pairs.

The difference of two strengths is the log odds that one beats the other. Fitted to all
pairs of rows, a tie being half a win of either: so, unlike a mean of probabilities of
improvement, a strength allows for whom a method was compared with.

The fit is that of choix, a well-kept library. Its import loads scipy.stats: it takes
about half a second.
"""

from collections.abc import Sequence

import choix
import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from spiral.report.stats.selection import SIZE

SHRINKAGE = 0.01
"""Weight of the prior that all strengths are equal: without it a method that never
loses is infinitely strong (choix's documentation calls this value ``alpha``)."""


def of_lines(
    by: Sequence[str], lines: pd.DataFrame, compared: pd.DataFrame
) -> pd.Series:
    """Return the strengths of lines among those of equal other columns.

    Args:
        by: The columns asked for, the one to compare first.
        lines: Their values.
        compared: As ``pairwise.pairwise`` returns it.

    Returns:
        0 on average over the lines that met, even if by way of others only; NaN for a
        line that met none.
    """
    found = pd.Series(np.nan, lines.index)
    over_all = compared[compared[SIZE].isna()]
    number = {each: i for i, each in enumerate(_names(lines, by))}
    others = [*by[1:]]
    a, b = (
        np.array([number[each] for each in _names(over_all, [side, *others])], int)
        for side in "ab"
    )
    pairs = over_all["pairs"].to_numpy(np.float64)
    wins = np.zeros((len(lines), len(lines)))
    wins[a, b] = over_all["probability"].to_numpy(np.float64) * pairs
    wins[b, a] = pairs - wins[a, b]
    # Methods that never met, even by way of others, have no common scale
    _, part = connected_components(csr_array(wins + wins.T), directed=False)
    for label in np.unique(part):
        here = np.flatnonzero(part == label)
        if len(here) > 1:
            some = wins[np.ix_(here, here)]
            found.iloc[here] = choix.ilsr_pairwise_dense(some, alpha=SHRINKAGE)
    return found


def _names(table: pd.DataFrame, columns: Sequence[str]) -> list[tuple[object, ...]]:
    """Return the values of some columns of each line; missing ones are None."""
    known = table[[*columns]].astype(object)
    values = known.where(known.notna(), None)
    return list(values.itertuples(index=False, name=None))
