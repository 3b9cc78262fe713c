"""A document: tables, what their columns mean, and notes; rendered for people or JSON.

Every command that reports numbers makes one :class:`Document`. People get the columns
they need, the meaning of those columns as footnotes, then the notes; JSON has all
columns of all tables.
"""

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

WIDE = 88
"""Characters of a line of prose."""


class Table(NamedTuple):
    """One table: in full, and as people read it."""

    title: str
    content: pd.DataFrame
    """Everything, as JSON has it."""
    shown: pd.DataFrame | None = None
    """The columns and lines for people; None if only JSON has the table."""
    definitions: Mapping[str, str] = {}
    """The meaning of columns shown that a newcomer could not guess."""

    def footnotes(self) -> dict[str, str]:
        """Return the meaning of each column that is shown."""
        shown = [] if self.shown is None else [*self.shown]
        return {n: text for n, text in self.definitions.items() if n in shown}


@dataclass(frozen=True)
class Document:
    """What a command has found."""

    tables: Mapping[str, Table]
    notes: Sequence[str] = ()
    headline: str = ""
    """The result in a sentence, if one sentence can hold it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What JSON has beside the tables."""

    def __str__(self) -> str:
        """Return it for people, all tables that are for them."""
        return render(self)


def render(document: Document, names: Sequence[str] | None = None) -> str:
    """Return a document for people.

    Args:
        document: What was found.
        names: Which of its tables, in this order; by default all that are for people.
    """
    parts = [textwrap.fill(document.headline, WIDE) + "\n"] if document.headline else []
    every = [n for n, table in document.tables.items() if table.shown is not None]
    for name in every if names is None else names:
        parts.append(_table(name, document.tables[name]) + "\n")
    parts += [wrapped("note", note) for note in document.notes]
    return "\n".join(parts)


def as_json(document: Document) -> dict[str, Any]:
    """Return all of a document, for JSON."""
    tables = document.tables
    return {
        **document.facts,
        "notes": [*document.notes],
        "definitions": {name: {**tables[name].definitions} for name in tables},
        **{name: records(table.content) for name, table in tables.items()},
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table for JSON: an object for each line, null for missing values."""
    lines: list[dict[str, Any]] = json.loads(
        table.to_json(orient="records", double_precision=15)
    )
    return lines


def as_text(table: pd.DataFrame) -> str:
    """Return a table for people."""
    return cells(table).to_string(index=False)


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return cells for people: floats with four digits, a dash for missing values."""
    found = table.astype(object).where(table.notna(), "-")
    for name in found:
        found[name] = [f"{v:.4g}" if isinstance(v, float) else v for v in found[name]]
    return found


def interval(low: float, high: float, digits: int = 3) -> str:
    """Return an interval as a cell; a dash if there is none."""
    return "-" if pd.isna(low) else f"{low:.{digits}f}–{high:.{digits}f}"


def wrapped(name: str, text: str, indent: str = "") -> str:
    """Return a named remark in lines that fit, the second and later ones indented."""
    start = f"{indent}{name}: "
    later = indent + "  "
    return textwrap.fill(text, WIDE, initial_indent=start, subsequent_indent=later)


def _table(name: str, table: Table) -> str:
    """Return a table under its title, its columns explained below."""
    if table.shown is None or table.shown.empty:
        return f"{name}: no lines"
    notes = [wrapped(column, text, "  ") for column, text in table.footnotes().items()]
    title = f"{name}: {table.title}"
    return "\n".join([textwrap.fill(title, WIDE), as_text(table.shown), *notes])
