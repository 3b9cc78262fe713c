"""What to know about the numbers of a comparison, in sentences."""

import numpy as np
import pandas as pd

from spiral.report.choice import FAILED, Choice
from spiral.report.groups import known_at


def of(
    choice: Choice,
    groups: pd.DataFrame,
    honest: bool,
    best_known: pd.DataFrame | None,
) -> list[str]:
    """Return what to know about the numbers of a comparison, in sentences."""
    found = ["intervals (low, high) are of 95 %; null where there are too few seeds"]
    if honest:
        found.append("settings are chosen on every other seed, the others are reported")
        empty = int((groups["n"] == 0).sum())
        if empty:
            found.append(f"{empty} groups of one seed each have none left to report")
    elif (groups["settings"] > 1).any():
        found.append(
            "settings are chosen on the seeds that are then reported, which flatters: "
            "--honest chooses on half of them"
        )
    found += _statuses(choice.rows["status"])
    if "fidelity" in choice.settings and choice.rows["fidelity"].nunique() > 1:
        found.append(
            "fidelity varies and counts as a setting, of which the better is shown: "
            "--by fidelity,method,width tells exact and zp24 apart"
        )
    if best_known is None:
        found.append(
            "there is no frontier, so no optimum, excess, shortfall or distance: "
            "`spiral-sweep frontier update` makes one"
        )
    elif _better(choice.rows, best_known):
        found.append(
            "some rows are better than the frontier: `spiral-sweep frontier update` "
            "enters them"
        )
    return found


def _better(rows: pd.DataFrame, best_known: pd.DataFrame) -> bool:
    """Return whether a row beats all networks known of as many weights as it has."""
    weights = rows["nnz"].to_numpy(np.float64, na_value=np.nan)
    return bool((known_at(weights, best_known, "any") < rows["accuracy"]).any())


def _statuses(status: pd.Series) -> list[str]:
    """Say how rows count that are not ok."""
    counts = status[status != "ok"].value_counts()
    failed = [f"{counts[s]:,} {s}" for s in FAILED if s in counts]
    found = []
    if failed:
        found.append(f"rows that failed count, with accuracy 0.5: {', '.join(failed)}")
    if "degenerate" in counts:
        found.append(f"{counts['degenerate']:,} degenerate rows count as they are")
    return found
