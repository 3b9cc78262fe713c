"""Tests of spiral.report: rows with known answers."""

import pandas as pd

from spiral.methods import registry
from spiral.report.figures import style
from spiral.results.columns import RESULTS
from spiral.search.shape import read

METHODS = registry.known()
"""As commands hand them to what reads rows."""

style.register(registry.looks())

PLAIN = {
    "method": "gmp",
    "task": "cubist",
    "width": 16,
    "keep": 20,
    "lr": 0.1,
    "schedule": "cosine",
    "seed": 0,
    "status": "ok",
    "accuracy": 0.9,
    "task_points": 49_982,
    "task_chance": 0.5,
    "steps": 19_500,
}
TYPES = {
    "method": "string",
    "task": "string",
    "width": "Int64",
    "keep": "Int64",
    "lr": "Float64",
    "schedule": "string",
    "seed": "Int64",
    "status": "string",
    "accuracy": "Float64",
    "task_points": "Int64",
    "task_chance": "Float64",
    "nnz": "Int64",
    "effective_nnz": "Int64",
    "connected": "boolean",
    "steps": "Int64",
}
"""As ``read.read`` has them."""


def row(**values):
    """Return one row; weights are those asked for, all of them on a path."""
    found = PLAIN | values
    found.setdefault("nnz", 560 if found["keep"] is None else found["keep"])
    found.setdefault("effective_nnz", found["nnz"])
    found.setdefault("connected", found["effective_nnz"] > 0)
    return found


def seeds(accuracies, **values):
    """Return rows of one config that differ in seed."""
    return [row(seed=s, accuracy=a, **values) for s, a in enumerate(accuracies)]


def table(*rows):
    """Return rows as a table, each with its id; results follow options."""
    frame = pd.DataFrame([*rows])
    results = [name for name in frame if name in RESULTS]
    frame = frame[[*frame.columns.drop(results), *results]]
    known = {name: kind for name, kind in TYPES.items() if name in frame}
    ids = [f"{number:032x}" for number in range(len(frame))]
    return frame.astype(known).assign(config_id=pd.array(ids, "string"), folder=0)


def only(frame):
    """Return the one line of a table."""
    (line,) = frame.to_dict("records")
    return line


def frontier(*entries):
    """Return a frontier of (kind, weights, accuracy[, matrices])."""
    columns = ["kind", "nnz", "accuracy", "matrices"]
    lines = [(*entry, "10,01/11/1/1")[:4] for entry in entries]
    found = pd.DataFrame(lines, columns=columns)
    shapes = [",".join(map(str, read(text)[0])) for text in found["matrices"]]
    return found.assign(shape=shapes, arc_accuracy=found["accuracy"], loss=0.1)
