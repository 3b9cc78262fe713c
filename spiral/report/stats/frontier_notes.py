"""Notes on the frontier of a comparison: there is none, or rows are beyond it."""

import shlex

import numpy as np
import pandas as pd

from spiral.report.stats.aggregate import known_at
from spiral.report.stats.selection import Choice


def of(choice: Choice, best_known: pd.DataFrame | None) -> list[str]:
    """Return notes on the frontier."""
    if best_known is None:
        return [
            f"{no_frontier(choice.task)}; without them there are neither excess "
            "weights, accuracy gaps nor distances"
        ]
    if _better(choice.rows, best_known):
        return [
            "some rows are better than the frontier; `spiral-sweep frontier update` "
            "adds them"
        ]
    return []


def no_frontier(task: str) -> str:
    """Return that a task has no frontier, and how to make one."""
    return (
        f"there are no best known networks for task {task}: run `spiral-sweep search "
        f"evolve --task {shlex.quote(task)}` and `spiral-sweep frontier update`"
    )


def _better(rows: pd.DataFrame, best_known: pd.DataFrame) -> bool:
    """Return whether a row is better than all networks known of its size."""
    weights, widths = (
        rows[name].to_numpy(np.float64, na_value=np.nan) for name in ("nnz", "width")
    )
    known = known_at(weights, widths, best_known, "any")
    return bool((known < rows["accuracy"]).any())
