"""Result rows that may enter the frontier: the best of every size, as entries."""

from typing import Any

import pandas as pd

from spiral.protocol import identity
from spiral.results import columns
from spiral.search.best_known import Kind, entry
from spiral.search.frontier_file import SCHEMA
from spiral.search.network import reduced
from spiral.tasks import catalogue, cubist
from spiral.tasks.task import Task

PROTOCOL: dict[str, tuple[Any, ...]] = {
    "epochs": (50,),
    "batch": (128,),
    "momentum": (0.9,),
    "weight_decay": (5e-4,),
    "lr": (0.05, 0.1, 0.2),
    "init": ("default",),
    "optimiser": ("sgd",),
    "nesterov": (False,),
    "label_smoothing": (0.0,),
    "smoothing": (0.0,),  # that of AC/DC++
}
"""Values of a row that was trained by the paper's protocol."""

LATER = ("init", "optimiser", "nesterov", "label_smoothing", "smoothing")
"""Columns that are missing or null in rows that were trained by the protocol: those of
earlier versions, and of methods without the option."""

SIZES = ("effective_nnz", "nnz_params")
FIRST = {"task": catalogue.DEFAULT, "task_points": cubist.POINTS}
"""What rows have from before there were other tasks."""
NEEDED = ("config_id", "status", "accuracy", "steps", *SIZES, *PROTOCOL, *FIRST)
"""Columns needed to select rows."""


def promising(results: pd.DataFrame, each: int = 3) -> pd.Index:
    """Return the candidate rows for the frontier: the best of every size.

    Args:
        results: Rows with the columns ``NEEDED``.
        each: Number of rows per size.
    """
    usable = results["status"].isin(["ok", "degenerate", "infeasible"])
    good = results[usable].assign(protocol=in_protocol(results)[usable])
    good = good.sort_values("accuracy", ascending=False, kind="stable")
    parts = [good.groupby(["protocol", by]).head(each) for by in SIZES]
    return pd.concat(parts).index.unique()


def in_protocol(results: pd.DataFrame) -> pd.Series:
    """Return which rows were trained from random weights by the paper's protocol."""
    first = {name: PROTOCOL[name][0] for name in LATER} | FIRST
    known = results.assign(**{n: v for n, v in first.items() if n not in results})
    known = known[[*PROTOCOL, "steps", "task_points"]].fillna(first)
    same: pd.Series = known[[*PROTOCOL]].isin(PROTOCOL).all(axis=1)
    whole = known["steps"] == known["epochs"] * (known["task_points"] // known["batch"])
    return same & whole.fillna(False).astype(bool)


def of_task(results: pd.DataFrame, task: str) -> pd.DataFrame:
    """Return the rows of a task, wherever its file lay."""
    names = results["task"].fillna(FIRST["task"])
    return results[names.map(identity.content) == identity.content(task)]


def from_rows(results: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return the entries of result rows of a task, reduced to the units they use."""
    found = []
    as_in_the_paper = in_protocol(results)
    for number, row in results.iterrows():
        network = reduced(*columns.params_of(row), int(row["width"]))
        if network is not None:
            kind: Kind = "protocol" if as_in_the_paper[number] else "any"
            text = f"{row['method']}, lr {row['lr']}, {row['schedule']}"
            found.append(entry(network, kind, row["config_id"], text, task))
    return pd.DataFrame(found, columns=SCHEMA.names)
