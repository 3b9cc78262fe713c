"""Recall of successive halving: which of the exhaustive search's finds it keeps."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from spiral.report.stats import means


class Recall(NamedTuple):
    """Recall of the trainings that reach a level of accuracy."""

    level: float
    hits: int
    """Trainings of the exhaustive search that reach it."""
    found: int
    """Those that successive halving trained to the end."""
    recall: float
    low: float
    """Wilson interval of ``recall``, 95 %."""
    high: float
    fewest: int
    """The fewest weights of any hit."""
    fewest_found: int | None
    """The fewest weights of a hit that successive halving found."""


def recall(
    census: pd.DataFrame, finished: Collection[str], levels: Iterable[float]
) -> list[Recall]:
    """Compare successive halving with an exhaustive search, for each level reached.

    Args:
        census: ``config_id``, ``accuracy`` and ``nnz`` of all configs that
            halving began with, trained to the end.
        finished: The configs that halving trained to the end.
        levels: Accuracies.
    """
    ours = census["config_id"].isin(finished)
    found = []
    for level in levels:
        hit = census["accuracy"] >= level
        hits, both = int(hit.sum()), int((hit & ours).sum())
        if hits:
            fewest = int(census["nnz"][hit].min())
            ours_fewest = int(census["nnz"][hit & ours].min()) if both else None
            low, high = means.share(np.array([both / hits]), np.array([hits]))
            ends = float(low[0]), float(high[0])
            share = both / hits
            found.append(Recall(level, hits, both, share, *ends, fewest, ours_fewest))
    return found
