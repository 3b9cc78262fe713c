"""Accuracy on the curve itself, beside that on its points (see ``search.arc``).

A network may be wrong between two neighbouring points and still have every point right.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from spiral.report.stats.selection import Choice, codes
from spiral.results.columns import params_of
from spiral.search import arc
from spiral.search import best_known as frontier
from spiral.tasks.task import Task

ReadNetworks = Callable[[pd.DataFrame], pd.DataFrame]
"""Takes rows, returns them with ``mask`` and ``weights``."""

MOST = 100
"""Lines of which networks are read: each takes some 20 ms."""

SHOWN = 5e-7
"""The least loss that the six digits of a note show; sums of lengths have smaller
rounding errors."""

KINDS: tuple[frontier.Kind, ...] = ("any", "protocol")


def of_lines(
    choice: Choice,
    groups: pd.DataFrame,
    excess: pd.DataFrame,
    read_networks: ReadNetworks | None,
) -> pd.DataFrame:
    """Return the network that ``any`` counts for each line of excess weights.

    Of several the most accurate one.

    Args:
        choice: Rows and groups.
        groups: Their summary (``aggregate.summarise``).
        excess: As ``excess.excess_weights`` returns it.
        read_networks: Reads the networks of rows, if they are to be measured.

    Returns:
        ``any_config_id``, ``any_accuracy`` on the points and ``any_arc_accuracy`` on
        the curve; null where no row reaches the threshold, and without networks or of
        more than ``MOST`` lines, or where the points of the task lie on no curve.
    """
    found = pd.DataFrame({"any_config_id": pd.array([None] * len(excess), "string")})
    found[["any_accuracy", "any_arc_accuracy"]] = np.nan
    task = arc.along(choice.task)
    if task is None or read_networks is None or len(excess) > MOST:
        return found
    if excess["any"].isna().all():
        return found
    best = _counted(choice, groups, excess)
    once = read_networks(best.drop_duplicates("config_id"))
    every = once.to_dict("records")
    lengths = {row["config_id"]: _accuracy(row, task) for row in every}
    lines = best["line"].to_numpy()
    found.loc[lines, "any_config_id"] = best["config_id"].to_numpy()
    found.loc[lines, "any_accuracy"] = best["accuracy"].to_numpy(np.float64)
    on_curve = best["config_id"].map(lengths).to_numpy(np.float64)
    found.loc[lines, "any_arc_accuracy"] = on_curve
    return found


def _counted(
    choice: Choice, groups: pd.DataFrame, excess: pd.DataFrame
) -> pd.DataFrame:
    """Return the most accurate row that ``any`` counts, and the number of its line."""
    owner, _ = codes(groups, choice.by)
    shown = choice.rows[["config_id", "folder", "width", "nnz", "accuracy"]]
    rows = shown.assign(owner=owner[choice.rows["group"]])
    rows = rows.sort_values("accuracy", ascending=False, kind="stable")
    lines = excess[["threshold", "any"]].assign(
        owner=excess.groupby("threshold").cumcount(), line=range(len(excess))
    )
    met = lines.merge(rows, left_on=["owner", "any"], right_on=["owner", "nnz"])
    return met[met["accuracy"] >= met["threshold"]].drop_duplicates("line")


def of_best_known(
    choice: Choice, thresholds: Sequence[float], best_known: pd.DataFrame
) -> pd.DataFrame:
    """Return the networks of a frontier that groups are compared with, each once.

    Those are the smallest that reach each threshold, of both kinds, among those no
    wider than the rows are.
    """
    parts = []
    for width in sorted(choice.rows["width"].unique().tolist()):
        fitting = frontier.within(best_known, width)
        for kind in KINDS:
            leaders = frontier.leaders(fitting, kind)
            sizes = [frontier.fewest(fitting, level, kind) for level in thresholds]
            parts.append(leaders[leaders["nnz"].isin([size for size in sizes if size])])
    every = pd.concat(parts, ignore_index=True)
    return every.drop_duplicates([*frontier.IDENTITY], ignore_index=True)


def note(
    of: str,
    points: Float[np.ndarray, " N"],
    curve: Float[np.ndarray, " N"],
) -> list[str]:
    """Return how many networks are less accurate on the curve, in a sentence.

    Args:
        of: Which networks, as ``best known networks``.
        points: Their accuracy on the points.
        curve: The same on the curve.
    """
    known = ~np.isnan(curve)  # of other tasks than curves there is none
    points, lost = points[known], (points - curve)[known]
    if not len(lost):
        return []
    where = int(np.argmax(lost))
    less = int((lost >= SHOWN).sum())
    text = f"{less} of {len(lost)} {of} are less accurate on the curve than on its "
    text += "points (by length, which counts what lies between points, too)"
    if less:
        text += f", by up to {lost[where]:.6f} (at {points[where]:.6f} on the points)"
    return [text]


def _accuracy(row: dict[str, object], task: Task) -> float:
    """Return the accuracy on the curve of a result row."""
    _, params = params_of(row)
    return arc.accuracy_of(params, int(str(row["width"])), task)
