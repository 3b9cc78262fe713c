"""Distance of the masks of each group to the best known masks, on a sample."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from spiral.model import masks, mlp
from spiral.report.stats.aggregate import sizes, widths
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

    Compared are networks about as large as the best known one that is no wider: those
    of the smallest size of a group that is no smaller (or else of its largest), in the
    order of seeds.

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
    wide = pd.Series(widths(choice)).groupby(owner).max().to_numpy(np.int64)
    rivals = {
        (t, int(width)): smallest_masks(frontier.within(best_known, int(width)), t)
        for t in thresholds
        for width in choice.rows["width"].unique()
    }
    if each is None:
        each = min(EACH, SAMPLE // (len(owners) * len(thresholds)))
    names = [*choice.by, "threshold", *COLUMNS]
    if each == 0:
        return pd.DataFrame(columns=names)
    picked = []
    for t in thresholds:
        fewest = np.array([_weights(rivals[t, width]) for width in wide.tolist()])
        lines = _at_size(owner, groups, fewest[owner])
        picked.append(_sample(choice, lines, each).assign(threshold=t))
    chosen = pd.concat(picked, ignore_index=True)
    keys = zip(chosen["threshold"], chosen["width"], strict=True)
    chosen = chosen[[bool(rivals[key]) for key in keys]].reset_index(drop=True)
    if chosen.empty:
        return pd.DataFrame(columns=names)
    bits = read_masks(chosen.drop_duplicates("config_id"))
    found = [
        _distance(bits[name], int(width), rivals[t, int(width)])
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


def _weights(masks: list[tuple[shape.Shape, np.ndarray]]) -> float:
    """Return the weights of the smallest masks, which have equally many."""
    return float(masks[0][1].sum()) if masks else np.nan


def _at_size(
    owner: Int[np.ndarray, " G"],
    groups: pd.DataFrame,
    fewest: Float[np.ndarray, " G"],
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
    rows = choice.rows[wanted].sort_values(["group", "fold"], kind="stable")
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
