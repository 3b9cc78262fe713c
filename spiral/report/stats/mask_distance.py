"""Distance of the masks of each group to the best known masks, on a sample."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int

from spiral.model import masks, mlp
from spiral.report.stats.aggregate import sizes
from spiral.report.stats.mask_metric import Distance, nearest
from spiral.report.stats.selection import Choice, codes
from spiral.search import best_known as frontier
from spiral.search import shape

SAMPLE = 100
"""Masks compared unless more are asked for: that takes a second or two."""

EACH = 10
"""The most of these in one line of the table."""

ReadMasks = Callable[[pd.DataFrame], pd.Series]
"""Takes rows, returns their masks in bits by ``config_id``."""

COLUMNS = ["weights", "n", "hamming", "hamming_least", "jaccard", "exact"]


def distances(
    choice: Choice,
    groups: pd.DataFrame,
    thresholds: Sequence[float],
    best_known: pd.DataFrame,
    read_masks: ReadMasks,
    each: int | None = None,
) -> pd.DataFrame:
    """Return how far masks are from the nearest best known mask of each threshold.

    Compared are networks about as large as the best known one: those of the smallest
    size of a group that is no smaller (or else of its largest), in the order of seeds.

    Args:
        choice: Rows and groups.
        groups: Their summary (``aggregate.summarise``).
        thresholds: Accuracies.
        best_known: A frontier; masks are compared with its smallest networks.
        read_masks: Reads the masks of rows.
        each: How many networks of each line; by default as many as make 100 in all, at
            most 10, and none if there are over 100 lines.

    Returns:
        The group (of all sizes), ``threshold``, ``weights`` and ``n`` of the networks;
        ``hamming`` (median, and the ``_least``) and ``jaccard`` (median) distance to
        the nearest best known mask, and the share of ``exact`` ones: the others are
        upper bounds.
    """
    owner, owners = codes(groups, choice.by)
    targets = {t: smallest_masks(best_known, t) for t in thresholds}
    if each is None:
        each = min(EACH, SAMPLE // (len(owners) * len(thresholds)))
    names = [*choice.by, "threshold", *COLUMNS]
    known = [t for t in thresholds if targets[t]]
    if each == 0 or not known:
        return pd.DataFrame(columns=names)
    picked = [
        _sample(
            choice, _at_size(owner, groups, int(targets[t][0][1].sum())), each
        ).assign(threshold=t)
        for t in known
    ]
    chosen = pd.concat(picked, ignore_index=True)
    if chosen.empty:
        return pd.DataFrame(columns=names)
    bits = read_masks(chosen.drop_duplicates("config_id"))
    found = [
        _distance(bits[name], int(width), targets[t])
        for name, width, t in zip(
            chosen["config_id"], chosen["width"], chosen["threshold"], strict=True
        )
    ]
    table = chosen.assign(owner=owner[chosen["group"]], **_columns(found))
    return _summary(table, groups, owners)[names]


def smallest_masks(
    best_known: pd.DataFrame, threshold: float
) -> list[tuple[shape.Shape, np.ndarray]]:
    """Return the masks of the smallest networks known to reach an accuracy."""
    fewest = frontier.fewest(best_known, threshold)
    reaching = best_known["accuracy"] >= threshold
    texts = best_known.loc[reaching & (best_known["nnz"] == fewest), "matrices"]
    return [shape.read(text) for text in dict.fromkeys(texts)]


def _at_size(
    owner: Int[np.ndarray, " G"], groups: pd.DataFrame, fewest: int
) -> Int[np.ndarray, " O"]:
    """Return the line of each owner about as large as the best known."""
    weights = sizes(groups)
    smaller = weights < fewest
    order = np.lexsort((np.where(smaller, -weights, weights), smaller, owner))
    order = order[groups["n"].to_numpy()[order] > 0]
    _, first = np.unique(owner[order], return_index=True)
    return order[first]


def _sample(choice: Choice, lines: Int[np.ndarray, " O"], each: int) -> pd.DataFrame:
    """Return the first reported rows of each line."""
    wanted = choice.reported & np.isin(choice.rows["group"].to_numpy(), lines)
    rows = choice.rows[wanted].sort_values(["group", "seed_code"], kind="stable")
    return rows.groupby("group").head(each)


def _distance(
    bits: bytes, width: int, targets: list[tuple[shape.Shape, np.ndarray]]
) -> Distance:
    """Return the distance of one row."""
    return nearest(masks.from_bits(bits, mlp.param_count(width)), width, targets)


def _columns(found: list[Distance]) -> dict[str, list[float]]:
    """Return distances as columns."""
    return {name: [float(getattr(d, name)) for d in found] for name in Distance._fields}


def _summary(
    table: pd.DataFrame, groups: pd.DataFrame, owners: pd.DataFrame
) -> pd.DataFrame:
    """Return one line for each owner and threshold."""
    each = table.groupby(["threshold", "owner", "group"], sort=True)
    found = each.agg(
        n=("hamming", "size"),
        hamming=("hamming", "median"),
        hamming_least=("hamming", "min"),
        jaccard=("jaccard", "median"),
        exact=("exact", "mean"),
    ).reset_index()
    found["weights"] = groups["weights"].array[found["group"]]
    return owners.iloc[found["owner"]].reset_index(drop=True).join(found)
