"""The frontier: the best known network for each number of weights and of parameters.

Every entry contains the float32 weights that prove its accuracy. ``protocol`` entries
were trained at settings of Zhang & Papyan (SGD, 50 epochs, batch 128), by whatever
pruner, ``any`` entries by any means; a query for ``any`` includes both.

The package ships a frontier. Networks of the user that improve on it are saved in a
separate file of the user; reading merges both, so that an update of the package and the
user's finds do not hide each other. Each task has a frontier, and files of its own;
that of a planted task begins with the network that labelled its points.
"""

import os
import shlex
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from spiral import homes, results
from spiral.errors import StoreError
from spiral.model import mlp
from spiral.protocol import identity
from spiral.search import arc, frontier_file
from spiral.search.frontier_file import CURVE, SCHEMA
from spiral.search.network import Network, reduced, score
from spiral.search.shape import read
from spiral.tasks import catalogue
from spiral.tasks.task import Task

Kind = Literal["protocol", "any"]
Size = Literal["nnz", "nnz_params"]

NAME = "frontier.parquet"
SHIPPED = Path(results.__file__).parent / "shipped" / NAME

THRESHOLDS = (0.95, 0.995)
"""The accuracies of the paper."""

IDENTITY = ("kind", "matrices", "accuracy", "loss")
"""Columns that identify a network of a frontier."""

PROVED = ("shape", "nnz", "nnz_params", "correct", "correct_float32", "accuracy")
"""Columns that are computed from mask and weights."""


def file_name(task: str) -> str:
    """Return the name of the file of a task's frontier."""
    if task == catalogue.DEFAULT:
        return NAME
    return f"frontier-{identity.words(task)}.parquet"


def shipped(task: str) -> Path:
    """Return where the frontier of a task is shipped, if it is."""
    return SHIPPED if task == catalogue.DEFAULT else SHIPPED.with_name(file_name(task))


def load(path: Path | None = None, task: str = catalogue.DEFAULT) -> pd.DataFrame:
    """Return a frontier, one row per network.

    Args:
        path: Its file; by default the shipped one, merged with the user's own finds.
        task: Whose frontier.

    Raises:
        StoreError: The file is missing, cannot be read, or is of another task.
    """
    if path is not None:
        return _read(path, task)
    parts = _built_in(task) + [_read(file, task) for file in _own(task)]
    if not parts:
        raise StoreError(
            f"expected best known networks for task {task}, got none: run "
            f"`spiral-sweep search evolve --task {shlex.quote(task)}` and "
            "`spiral-sweep frontier update`"
        )
    return parts[0] if len(parts) == 1 else merge(parts)


def exists(task: str) -> bool:
    """Return whether there is a frontier of a task."""
    return shipped(task).exists() or bool(_own(task)) or not planted(task).empty


def finds(table: pd.DataFrame, task: str = catalogue.DEFAULT) -> pd.DataFrame:
    """Return the networks of a frontier that the package does not have."""
    parts = _built_in(task)
    if not parts:
        return table
    built_in = pd.MultiIndex.from_frame(pd.concat(parts)[[*IDENTITY]])
    known = pd.MultiIndex.from_frame(table[[*IDENTITY]]).isin(built_in)
    return table[~known].reset_index(drop=True)


def _built_in(task: str) -> list[pd.DataFrame]:
    """Return what the package knows: a shipped frontier, and a planted network."""
    here = task == catalogue.DEFAULT or shipped(task).exists()
    parts = [_read(shipped(task), task)] if here else []
    teacher = planted(task)
    return [*parts, teacher.copy()] if len(teacher) else parts


def _own(task: str) -> list[Path]:
    """Return the file of the user's own finds, if there is one."""
    folder = homes.data()
    own = folder and folder / file_name(task)
    # False for unreadable folders, too
    return [own] if own is not None and os.path.exists(own) else []


@cache
def planted(task: str) -> pd.DataFrame:
    """Return the network that labelled the points of a task as an entry, if one did."""
    found = []
    is_file = identity.content(task) != task
    if task != catalogue.DEFAULT and not is_file:  # these need not be loaded
        here = catalogue.load(task)
        if here.planted is not None:
            mask, params = here.planted
            network = reduced(mask, params, mlp.width_of(len(params)))
            if network is not None:
                found = [entry(network, "any", "", "planted", here)]
    return pd.DataFrame(found, columns=SCHEMA.names)


def _read(path: Path, task: str) -> pd.DataFrame:
    """Return the frontier in a file, with the columns of this version."""
    found = frontier_file.read(path, task)
    if CURVE in found:
        return found
    of = catalogue.load(task)
    lengths = [arc.accuracy(network_of(row), of) for row in found.to_dict("records")]
    return found.assign(**{CURVE: lengths})


def save(table: pd.DataFrame, path: Path, task: str = catalogue.DEFAULT) -> None:
    """Write the frontier of a task atomically; a crash leaves the old one."""
    frontier_file.write(table, path, task)


def of_kind(table: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Return the networks of a kind; ``any`` includes all."""
    return table if kind == "any" else table[table["kind"] == "protocol"]


def fewest(
    table: pd.DataFrame, threshold: float, kind: Kind = "any", by: Size = "nnz"
) -> int | None:
    """Return the fewest weights (or parameters) that reach an accuracy, if any do."""
    networks = of_kind(table, kind)
    reaching = networks.loc[networks["accuracy"] >= threshold, by]
    return None if reaching.empty else int(reaching.min())


def best(table: pd.DataFrame, kind: Kind = "any", by: Size = "nnz") -> pd.Series:
    """Return the best known accuracy at each number of weights (or parameters)."""
    each = of_kind(table, kind).groupby(by)["accuracy"].max().sort_index()
    return each.cummax()


def leaders(table: pd.DataFrame, kind: Kind = "any", by: Size = "nnz") -> pd.DataFrame:
    """Return the networks that are better than every smaller one, smallest first."""
    order = of_kind(table, kind).sort_values(
        [by, "accuracy", "loss"], ascending=[True, False, True], kind="stable"
    )
    before = order["accuracy"].cummax().shift(fill_value=-1.0)
    return order[order["accuracy"] > before].reset_index(drop=True)


def within(table: pd.DataFrame, width: int) -> pd.DataFrame:
    """Return the networks of a frontier that fit in a hidden width."""
    return table[_widths(table) <= width]


def _widths(table: pd.DataFrame) -> pd.Series:
    """Return the units of the widest hidden layer."""
    return table["shape"].map(lambda shape: max(map(int, shape.split(","))))


KEPT = (("nnz",), ("nnz_params",), ("nnz", "width"), ("nnz", "second"))
"""Sizes and classes of shapes for which the best network is kept: by weights, by
parameters, by weights and width, by weights and units in layer 2."""


def merge(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Merge frontiers: the best network of each kind, size and class of shapes.

    Best by accuracy on the points, and best by accuracy on the curve. The lower loss
    breaks ties.
    """
    every = pd.concat([*tables], ignore_index=True)
    second = every["shape"].str.split(",").str[1]
    classed = every.assign(width=_widths(every), second=second)
    places: set[int] = set()
    for measure in ("accuracy", CURVE):
        if every[measure].isna().all():  # a task without curves
            continue
        order = classed.sort_values(
            [measure, "loss"], ascending=[False, True], kind="stable"
        )
        for keys in KEPT:
            places.update(order.drop_duplicates(["kind", *keys]).index)
    kept = every.loc[sorted(places)]
    order = ["kind", "nnz", "nnz_params", "accuracy", "loss"]
    return kept.sort_values(order, kind="stable").reset_index(drop=True)


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Return whether two frontiers contain the same networks."""
    return one[[*IDENTITY]].equals(other[[*IDENTITY]])


def entry(
    network: Network, kind: Kind, config_id: str, found: str, task: Task
) -> dict[str, Any]:
    """Return a row of the frontier: a network with its evaluation on a task.

    The accuracy is the lower of float64 and float32, so that no entry owes a point to
    rounding in one of them.
    """
    double = score(network.matrices, network.params, np.float64, task)
    single = score(network.matrices, network.params, np.float32, task)
    return {
        "kind": kind,
        "shape": ",".join(map(str, network.shape)),
        "matrices": network.matrices,
        "nnz": network.matrices.count("1"),
        "nnz_params": len(network.params),
        "correct": double.correct,
        "correct_float32": single.correct,
        "accuracy": min(double.correct, single.correct) / task.points,
        "loss": double.loss,
        "params": network.params,
        "config_id": config_id,
        "found": found,
        CURVE: arc.accuracy(network, task),
    }


def network_of(entry: Mapping[Any, Any]) -> Network:
    """Return the network of a row of the frontier.

    Raises:
        ValueError: Its mask cannot be parsed.
    """
    shape, _ = read(entry["matrices"])
    return Network(shape, entry["matrices"], np.asarray(entry["params"], np.float32))


def mistakes(table: pd.DataFrame, task: str = catalogue.DEFAULT) -> list[str]:
    """Evaluate every network again and return a message per mismatch."""
    found, of = [], catalogue.load(task)
    for number, row in enumerate(table.to_dict("records")):
        name = f"network {number} ({row['nnz']} weights, {row['shape']})"
        try:
            words = row["kind"], row["config_id"], row["found"]
            again = entry(network_of(row), *words, of)
        except ValueError as error:
            found.append(f"{name}: {error}")
            continue
        for key in PROVED:
            if again[key] != row[key]:
                found.append(f"{name}: expected {key} {row[key]}, got {again[key]}")
        for key in ("loss", CURVE):
            if not np.isclose(again[key], row[key], rtol=1e-9, equal_nan=True):
                found.append(f"{name}: expected {key} {row[key]}, got {again[key]}")
    return found
