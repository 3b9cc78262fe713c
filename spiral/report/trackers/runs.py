"""Rows as runs of a tracker: parameters, metrics and tags."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from spiral.protocol.config import OptionClasses
from spiral.results import columns
from spiral.results.read import MEASURED

SEEDS = ("seed", "replicate", "init_seed", "order_seed")
"""Fields in which the configs of a group differ."""

METRICS = ("accuracy", "loss", "nnz", "effective_nnz", "connected", "steps")
MORE = [name for name in METRICS if name not in MEASURED]
"""Results to read besides those that comparisons use."""


class Run(NamedTuple):
    """A run of a tracker."""

    key: str
    """The id of its config, or a digest of what the configs of a group share."""
    digest: str
    """Changes if the configs of the run change."""
    name: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]


def of_configs(rows: pd.DataFrame, options: OptionClasses) -> Iterator[Run]:
    """Yield a run for each config.

    Args:
        rows: Those of ``load.read``, with :data:`MORE`.
        options: Those of the methods that this process knows.
    """
    names = [name for name in columns.config_fields(options) if name in rows]
    for row in rows.to_dict("records"):
        key, params = str(row["config_id"]), _texts(row, names)
        tags = _texts(row, ["status", "source", "version"])
        name = f"{_name(params)} seed {row['seed']}"
        yield Run(key, key, name, params, _numbers(row), tags)


def of_groups(rows: pd.DataFrame, options: OptionClasses) -> Iterator[Run]:
    """Yield a run for the configs that differ in seeds only, with their medians.

    Args:
        rows: Those of ``load.read``, with :data:`MORE`.
        options: Those of the methods that this process knows.
    """
    fields = columns.config_fields(options)
    names = [name for name in fields if name in rows and name not in SEEDS]
    for _, some in rows.groupby(names, dropna=False, sort=False, observed=True):
        params = _texts(some.iloc[0].to_dict(), names)
        counts = some["status"].value_counts()
        tags = {f"status.{status}": str(count) for status, count in counts.items()}
        yield Run(
            _digest(*sorted(f"{name}={text}" for name, text in params.items())),
            _digest(*sorted(some["config_id"].astype(str))),
            _name(params),
            params,
            _medians(some),
            tags | _texts(some.iloc[0].to_dict(), ["source", "version"]),
        )


EACH: dict[str, Callable[[pd.DataFrame, OptionClasses], Iterator[Run]]] = {
    "config": of_configs,
    "group": of_groups,
}
"""What a run can be."""


def _name(params: dict[str, str]) -> str:
    """Return a name for people, as gmp@44."""
    size = f"@{params['keep']}" if "keep" in params else ""
    return f"{params['method']}{size} width {params['width']}"


def _texts(row: dict[Any, Any], names: list[str]) -> dict[str, str]:
    """Return the values of some columns that have one."""
    return {name: str(row[name]) for name in names if pd.notna(row.get(name))}


def _numbers(row: dict[Any, Any]) -> dict[str, float]:
    """Return the finite results of a row."""
    found = {n: float(row[n]) for n in METRICS if pd.notna(row.get(n))}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _medians(rows: pd.DataFrame) -> dict[str, float]:
    """Return the medians of the finite results of rows, and how many rows there are."""
    found = {"n": float(len(rows))}
    for name in METRICS:
        numbers = rows.get(name, pd.Series(dtype=float)).astype("Float64")
        numbers = numbers.dropna().to_numpy(np.float64)
        finite = numbers[np.isfinite(numbers)]
        if len(finite):
            found[name] = float(np.median(finite))
    accuracy = rows["accuracy"].dropna()
    if len(accuracy):
        found |= {"accuracy_min": float(accuracy.min())}
        found |= {"accuracy_max": float(accuracy.max())}
    return found


def _digest(*texts: str) -> str:
    """Return a short digest of texts."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:24]
