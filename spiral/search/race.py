"""Racing: train all a little, choose, train the chosen on; not exhaustive."""

from collections.abc import Collection, Iterable
from math import ceil, sqrt
from typing import NamedTuple

import pandas as pd


class Rules(NamedTuple):
    """How a race chooses."""

    rungs: tuple[int, ...] = (5, 15)
    """Epochs after which it does; the last rung trains to the end."""
    share: float = 0.3
    """What goes on from a rung to the next."""


class Recall(NamedTuple):
    """What a race found of the trainings that reach a level of accuracy."""

    level: float
    hits: int
    """Trainings of the census that reach it."""
    found: int
    """Those that the race trained to the end."""
    recall: float
    low: float
    """Wilson interval of ``recall``, 95 %."""
    high: float
    fewest: int
    """The fewest weights of a hit of the census."""
    fewest_found: int | None
    """The fewest weights of a hit that the race found."""


def survivors(rows: pd.DataFrame, share: float) -> set[str]:
    """Return the configs of a rung that go on: those of lowest loss.

    Args:
        rows: ``config_id`` and ``loss`` of the whole rung.
        share: How many go on, 0 … 1, rounded up.
    """
    order = rows.sort_values(["loss", "config_id"])  # NaN, which diverged, is last
    return {*order["config_id"].iloc[: ceil(share * len(rows))]}


def recall(
    census: pd.DataFrame, finished: Collection[str], levels: Iterable[float]
) -> list[Recall]:
    """Compare a race with a census, for each level that the census reached.

    Args:
        census: ``config_id``, ``accuracy`` and ``nnz`` of all configs that the race
            began with, trained to the end.
        finished: The configs that the race trained to the end.
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
            share = (both / hits, *wilson(both, hits))
            found.append(Recall(level, hits, both, *share, fewest, ours_fewest))
    return found


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the Wilson score interval of a share, at 95 %."""
    z2 = 1.959964**2
    middle = part + z2 / 2
    reach = sqrt(z2 * (part * (whole - part) / whole + z2 / 4))
    return (middle - reach) / (whole + z2), (middle + reach) / (whole + z2)
