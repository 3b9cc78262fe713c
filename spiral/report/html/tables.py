"""The tables of a page: what people read of a comparison, in text."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from spiral.report.html import commands
from spiral.report.stats.compare import Comparison
from spiral.report.stats.selection import SIZE
from spiral.report.text import comparison

MOST = 2_000
"""Lines of a table that a page has; the command prints the others."""

TITLES = {
    "gaps": "Weights over the optimum",
    "groups": "Accuracy at every size",
    "pairs": "Which of two is better",
    "masks": "What masks are worth without their weights",
    "distances": "Distance to the optimal masks",
}


class Table(NamedTuple):
    """A table as the page has it."""

    name: str
    title: str
    definition: str
    columns: list[str]
    lines: list[list[str]]
    total: int
    """Lines of the whole table."""
    command: str


def of(found: Comparison, folders: Sequence[Path]) -> list[Table]:
    """Return the tables that have lines.

    Of pairs these are the lines over all sizes, which one can read.
    """
    by = [*found.question.by]
    listed = []
    for name, title in TITLES.items():
        content = found.tables[name]
        definition = comparison.DEFINITIONS[name]
        if name == "pairs" and len(content):
            content = _over_all(content)
            definition += "; here over all sizes, the command has each"
        if content.empty:
            continue
        shown = comparison.cells(
            content if name == "pairs" else comparison.shown(name, found, by)
        )
        lines = shown.head(MOST).astype(str).to_numpy().tolist()
        command = commands.table(name, folders, found.question)
        columns = [*map(str, shown)]
        listed.append(
            Table(name, title, definition, columns, lines, len(shown), command)
        )
    return listed


def _over_all(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs over all sizes, with limits in one column."""
    shown = pairs[pairs[SIZE].isna()].drop(columns=[SIZE, "low", "high"])
    some = pairs.loc[shown.index]
    ends = zip(some["low"], some["high"], strict=True)
    place = [*shown].index("probability") + 1
    shown.insert(place, "interval", [f"{low:.2f}–{high:.2f}" for low, high in ends])
    return shown
