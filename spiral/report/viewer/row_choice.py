"""Which rows the viewer's page shows: those asked for, the best of each size first."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from spiral.errors import ConfigError, StoreError
from spiral.results import conditions, read, summary
from spiral.results.columns import RESULTS
from spiral.tasks import catalogue


def read_rows(
    place: Path, columns: Sequence[str] | None = None, ids: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the rows of a launch, or those of a summary that have their networks.

    Args:
        place: A results directory or the file of a summary.
        columns: Which to read; null if there is none. By default all.
        ids: Only the rows of these configs.

    Raises:
        StoreError: There are no rows, or a summary is without networks.
    """
    if not place.is_file():
        return read.read(place, columns, ids)
    table, _ = summary.read(place)
    if "weights" not in table:
        raise StoreError(
            f"{place.name}: expected a summary with networks, got one without; write "
            "one by `spiral-sweep summary DIR --networks N:A`, or give the launch"
        )
    table = table[table["weights"].notna()]
    if ids is not None:
        table = table[table["config_id"].isin(ids)]
    lacking = [name for name in columns or RESULTS if name not in table]
    return table.assign(**dict.fromkeys(lacking, pd.NA))


def with_points(every: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Return the rows of tasks whose points can be had; note how many others there are.

    A file of points may be gone, or have changed since.
    """
    there = {task: _is_there(task) for task in every["task"].unique()}
    known = every[every["task"].map(there).astype(bool)]
    if len(known) < len(every):
        left = len(every) - len(known)
        notes.append(f"{left:,} rows of tasks whose points are gone are left out")
    return known


def _is_there(task: str) -> bool:
    """Return whether the points of a task can be made or read."""
    try:
        catalogue.load(task)
    except ConfigError:
        return False
    return True


def choose(known: pd.DataFrame, select: str | None, leaders: bool) -> pd.DataFrame:
    """Return the best rows of every method, width and size in turn, best first.

    Args:
        known: Rows.
        select: Only those that satisfy this condition.
        leaders: Only those that are better than all smaller ones of their kind.

    Raises:
        ConfigError: The condition is not valid.
    """
    if select is not None:
        known = known[satisfied(known, select)]
    best = known.sort_values(
        ["accuracy", "config_id"], ascending=[False, True], kind="stable"
    )
    place = best.groupby(["task", "method", "width", "nnz"]).cumcount()
    best = best.assign(place=place).sort_values("place", kind="stable")
    return leading(best) if leaders else best


def leading(best: pd.DataFrame) -> pd.DataFrame:
    """Return the rows better than all smaller ones of task, method and width."""
    rising = best[best["place"] == 0].sort_values("nnz", kind="stable")
    accuracy = rising["accuracy"].astype(float).fillna(0.0)
    places = [rising[name] for name in ("task", "method", "width")]
    before = accuracy.groupby(places).transform(
        lambda values: values.cummax().shift(fill_value=-1.0)
    )
    return best.loc[rising.index[accuracy > before]]


def satisfied(known: pd.DataFrame, select: str) -> np.ndarray:
    """Return which rows satisfy a condition.

    Raises:
        ConfigError: It cannot be understood.
    """
    columns = {
        name: known[name].fillna("").to_numpy(str)
        if known[name].dtype == "string"
        else known[name].astype("Float64").to_numpy(np.float64, na_value=np.nan)
        for name in known.columns
    }
    try:
        return np.broadcast_to(conditions.evaluate(select, columns), len(known))
    except conditions.WhereError as error:
        raise ConfigError(f"--select: {error}") from None
