"""The tables of a page: those that people read of a comparison."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spiral.report.html import commands
from spiral.report.stats.compare import Comparison
from spiral.report.stats.selection import SIZE
from spiral.report.text import comparison, document

MOST = 2_000
"""Lines of a table that the page shows; the command prints all."""


class Table(NamedTuple):
    """A table as the page has it."""

    name: str
    title: str
    footnotes: dict[str, str]
    """The meaning of columns."""
    columns: list[str]
    lines: list[list[str]]
    total: int
    """Lines of the whole table."""
    command: str


def of(found: Comparison, folders: Sequence[Path]) -> list[Table]:
    """Return the tables that have lines, of ``pairwise`` those over all sizes."""
    listed = []
    tables = comparison.tables(found)
    tables["pairwise"] = _over_all(tables["pairwise"])
    for name, table in tables.items():
        if table.shown is None or table.shown.empty:
            continue
        shown = document.cells(table.shown)
        listed.append(
            Table(
                name,
                table.title,
                table.footnotes(),
                [*map(str, shown)],
                shown.head(MOST).astype(str).to_numpy().tolist(),
                len(shown),
                commands.table(name, folders, found.question),
            )
        )
    return listed


def _over_all(table: document.Table) -> document.Table:
    """Return the pairwise comparisons over all sizes, with limits in one column."""
    if table.content.empty:
        return table
    whole = table.content[table.content[SIZE].isna()]
    shown = whole.drop(columns=[SIZE, "low", "high"])
    ends = zip(whole["low"], whole["high"], strict=True)
    place = [*shown].index("probability") + 1
    shown.insert(place, "interval", [document.interval(*limits, 2) for limits in ends])
    return table._replace(title=f"{table.title}, over all sizes", shown=shown)
