"""Tables of several tasks: gaps of pruners on each, and how far their ranks agree."""

from functools import cache

import pandas as pd

from spiral.methods import registry
from spiral.report.stats import transfer
from spiral.report.stats.compare import Question
from spiral.report.text.document import interval
from spiral.results import summary
from spiral.search import best_known
from spiral.search.certify import record
from spiral.tasks import catalogue
from tests.golden.findings import Lines

NAME = "tasks"


@cache
def found() -> transfer.Transfer:
    """Return what the shipped rows of several tasks say."""
    folders = [summary.shipped(NAME)]
    return transfer.of_folders(folders, registry.known(), Question())


def gaps() -> Lines:
    """Return the gap of each method on each task, the best method first on average."""
    table = found().gaps
    cells = table.assign(
        text=[
            f"{row['gap']:.2f} ({interval(row['gap_low'], row['gap_high'], 2)})"
            for row in table.to_dict("records")
        ]
    )
    order = table.groupby("method")["gap"].mean().sort_values().index
    wide = cells.pivot(index="task", columns="method", values="text")
    tasks = [*dict.fromkeys(table["task"])]
    fewest = table.groupby("task")["fewest"].first()
    head = ["task", "best known", *(f"`{name}`" for name in order)]
    return head, [
        [f"`{task}`", str(int(fewest[task])), *wide.loc[task, order].fillna("–")]
        for task in tasks
    ]


def ranks() -> Lines:
    """Return how the ranks on each task agree with those on the default one."""
    table = found().agreement
    first = catalogue.DEFAULT
    lines = table[(table["a"] == first) | (table["b"] == first)]
    head = ["task", "τ (95 % interval)", "methods"]
    return head, [_agreement(row) for row in lines.to_dict("records")]


def _agreement(row: dict[str, object]) -> list[str]:
    """Return the line of one task."""
    other = row["b"] if row["a"] == catalogue.DEFAULT else row["a"]
    limits = pd.Series(row)[["low", "high"]].astype(float)
    text = f"{row['tau']:.2f} ({interval(limits['low'], limits['high'], 2)})"
    return [f"`{other}`", text, str(row["methods"])]


TURNS = ("1", "1.5", "2", "2.5", "3")
LEVELS = (0.95, 0.995, 1.0)


def bounds() -> Lines:
    """Return the proven and the best known number of weights over the turns."""
    head = ["turns", "0.95", "0.995", "every point right"]
    lines = []
    for turns in TURNS:
        task = catalogue.canonical(f"cubist(turns={turns})")
        known = best_known.load(best_known.shipped(task), task)
        cells = [
            f"{record.at_least(level, task=task) or '?'} to "
            f"{best_known.fewest(known, level) or '?'}"
            for level in LEVELS
        ]
        lines.append([turns, *cells])
    return head, lines
