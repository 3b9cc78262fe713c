"""What to know about the numbers of a comparison, in sentences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from spiral.report.stats import differences
from spiral.report.stats.aggregate import known_at
from spiral.report.stats.differences import Condition
from spiral.report.stats.intervals import LEAST_MEDIAN
from spiral.report.stats.selection import FAILED, Choice
from spiral.results.columns import meanings

INTERVALS = (
    f"intervals are of 95 %; there is none (-) for a median of fewer than "
    f"{LEAST_MEDIAN} seeds, nor where the seeds rule out none of the sizes tried"
)


def of(
    choice: Choice,
    groups: pd.DataFrame,
    honest: bool,
    best_known: pd.DataFrame | None,
    differ: Sequence[Condition] | None = None,
) -> list[str]:
    """Return what to know about the numbers of a comparison, in sentences.

    Args:
        choice: Rows and groups.
        groups: What ``aggregate.summarise`` makes of them.
        honest: Whether settings are chosen on seeds that are not reported.
        best_known: A frontier, if there is one.
        differ: What differs beyond what was asked, if known already.
    """
    differ = differences.of(choice) if differ is None else differ
    found = [INTERVALS]
    if honest:
        found.append("settings are chosen on every other seed, the others are reported")
        empty = int((groups["n"] == 0).sum())
        if empty:
            found.append(f"{empty} groups of one seed each have none left to report")
    elif (groups["settings"] > 1).any():
        names = differences.settings(differ)
        found.append(
            f"settings{names and f' ({names})'} are chosen on the seeds that are then "
            "reported, which flatters: --honest chooses on half of them"
        )
    found += differences.pooled(choice, differ)
    status = choice.rows["status"]
    found += [*statuses(status), *_meanings(status)]
    return [*found, *frontier(choice, best_known)]


def of_ranking(
    choice: Choice, method: str, best_known: pd.DataFrame | None
) -> list[str]:
    """Return what to know about a ranking: one's own failures apart from others'.

    Args:
        choice: Rows and groups of all methods.
        method: Which is one's own.
        best_known: A frontier, if there is one.
    """
    differ = differences.of(choice, besides=["source"])  # that of others is shipped
    status, own = choice.rows["status"], choice.rows["method"] == method
    return [
        INTERVALS,
        *differences.unlike(differ),
        *differences.pooled(choice, differ, ways=False),
        *statuses(status[own], method),
        *statuses(status[~own], "the other methods"),
        *_meanings(status),
        *frontier(choice, best_known),
    ]


def frontier(choice: Choice, best_known: pd.DataFrame | None) -> list[str]:
    """Say what is to know of the best networks known."""
    if best_known is None:
        return [
            "there is no frontier, so no optimum, excess, shortfall or distance: "
            "`spiral-sweep frontier update` makes one"
        ]
    if _better(choice.rows, best_known):
        return [
            "some rows are better than the frontier: `spiral-sweep frontier update` "
            "enters them"
        ]
    return []


def _better(rows: pd.DataFrame, best_known: pd.DataFrame) -> bool:
    """Return whether a row beats all networks known of as many weights as it has."""
    weights = rows["nnz"].to_numpy(np.float64, na_value=np.nan)
    return bool((known_at(weights, best_known, "any") < rows["accuracy"]).any())


def _meanings(status: pd.Series) -> list[str]:
    """Return one sentence of what the statuses mean that rows have."""
    told = meanings({*status})
    return ["; ".join(told)] if told else []


def statuses(status: pd.Series, of: str = "") -> list[str]:
    """Say how rows count that are not ok.

    Args:
        status: Of each row.
        of: Whose rows they are, if there are others: ``mine``.
    """
    counts = status[status != "ok"].value_counts()
    whole = f"(of {len(status):,}{of and f' of {of}'})"
    failed = [f"{counts[name]:,} {name}" for name in FAILED if name in counts]
    found = []
    if failed:
        words = ", ".join(failed)
        found.append(f"rows that failed count, with accuracy 0.5: {words} {whole}")
    if "degenerate" in counts:
        number = counts["degenerate"]
        found.append(f"{number:,} degenerate rows count as they are {whole}")
    return found
