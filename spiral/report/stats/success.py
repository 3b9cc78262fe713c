"""Share of trainings of given masks that succeed, by the weights of the mask."""

from collections.abc import Sequence

import pandas as pd

from spiral.report.stats import means

COLUMNS = ("nnz", "accuracy")


def over_nnz(rows: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """Return the share of rows that reach each accuracy, with Wilson's interval.

    Args:
        rows: With the columns ``COLUMNS``.
        levels: Accuracies.

    Returns:
        ``level``, ``nnz``, ``hits``, ``n``, ``low``, ``high``.
    """
    parts = []
    for level in levels:
        hit = rows["accuracy"] >= level
        part = hit.groupby(rows["nnz"]).agg(hits="sum", n="size").reset_index()
        part.insert(0, "level", level)
        parts.append(part)
    found = pd.concat(parts, ignore_index=True)
    shares = (found["hits"] / found["n"]).to_numpy(float)
    found["low"], found["high"] = means.share(shares, found["n"].to_numpy(float))
    return found
