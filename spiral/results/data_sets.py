"""What is shipped: the summaries of sweeps, where each came from, and other files."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pandas as pd

from spiral import spelling
from spiral.errors import StoreError
from spiral.results import summary


class DataSet(NamedTuple):
    """A shipped summary, described for somebody who wants to use or cite it."""

    name: str
    meaning: str
    rows: int
    methods: int
    seeds: int
    networks: int
    """Rows that have their mask and weights."""
    bytes: int
    grid: str
    """The shipped grid that it is of."""
    versions: str
    """Of spiral-sweep."""
    cpus: str
    """Processors that trained it; empty where packs of 0.1.0 did not record them."""


def shipped(grids: Mapping[str, str]) -> list[DataSet]:
    """Return every shipped summary, by name.

    Args:
        grids: Name of each shipped grid → its description.
    """
    return [_of(name, grid, grids) for name, grid in grids_of(grids).items()]


def grids_of(known: Iterable[str]) -> dict[str, str]:
    """Return the shipped grid that each shipped summary is of."""
    by_stem = {PurePosixPath(grid).name: grid for grid in known}
    return {name: by_stem[name] for name in summary.names()}


def others() -> dict[str, Path]:
    """Return what is shipped besides summaries: frontiers, bounds, the description."""
    folder = summary.SHIPPED.parent
    return {path.stem: path for path in sorted(folder.iterdir()) if path.is_file()}


def file(name: str) -> Path:
    """Return a shipped file: a summary, a frontier, ``bounds`` or ``croissant``.

    Raises:
        StoreError: No shipped file has this name.
    """
    found = others()
    if name in found:
        return found[name]
    if name in summary.names():
        return summary.shipped(name)
    raise StoreError(
        f"{name}: expected the name of shipped data; "
        f"{spelling.suggest(name, [*summary.names(), *found])}"
    )


def _of(name: str, grid: str, grids: Mapping[str, str]) -> DataSet:
    """Return the description of one summary."""
    file = summary.shipped(name)
    rows, facts = summary.read(file)
    weights = rows["weights"] if "weights" in rows else pd.Series(dtype=object)
    return DataSet(
        name=name,
        meaning=grids[grid],
        rows=len(rows),
        methods=rows["method"].nunique(),
        seeds=rows["seed"].nunique(),
        networks=int(weights.notna().sum()),
        bytes=file.stat().st_size,
        grid=grid,
        versions=_joined(facts.get("version") or ()),
        cpus=_joined(facts.get("cpu") or ()),
    )


def _joined(values: Iterable[Any]) -> str:
    """Return values as a list for people."""
    return ", ".join(map(str, values))
