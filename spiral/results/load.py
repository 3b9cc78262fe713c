"""The rows of several launches as one table, each config once."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from spiral.methods import registry
from spiral.protocol import config
from spiral.results import columns as rows
from spiral.results import read as results
from spiral.results import summary
from spiral.results.read import MEASURED

MADE = ("source", "version")
"""How rows were made: the launch or summary they are from, and spiral-sweep's version.
They may make groups; otherwise rows of several stand together."""


class Gathered(NamedTuple):
    """The rows of launches, and what to know about them."""

    rows: pd.DataFrame
    """Config columns, ``config_id``, ``MEASURED`` and more; ``folder`` (a number),
    ``source`` (its name) and ``version`` (of spiral-sweep, where rows tell)."""
    notes: list[str]


def read(folders: Sequence[Path], more: Sequence[str] = ()) -> Gathered:
    """Return what a comparison needs of the rows of launches.

    A config that several launches trained counts once, as the first of them has it.

    Args:
        folders: Results directories, or files that hold the summary of one.
        more: Results beside ``MEASURED``; null where a summary leaves them out.

    Raises:
        StoreError: One of them holds no rows yet.
        CorruptPack: A file cannot be read.
    """
    parts = [
        _read(place, more).assign(folder=n, source=_name(place))
        for n, place in enumerate(folders)
    ]
    if len(parts) == 1:
        return Gathered(parts[0], [])
    every = _configs_first(pd.concat(parts, ignore_index=True))
    again = every["config_id"].duplicated()
    values = ["config_id", "status", "accuracy"]
    differ = int((again & ~every.duplicated(values)).sum())
    notes = []
    if again.any():
        notes.append(
            f"{again.sum():,} rows are in several folders and count once, as in the "
            f"first; {differ:,} of them differ there in status or accuracy"
        )
    return Gathered(every[~again].reset_index(drop=True), notes)


def _read(place: Path, more: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a launch or of a summary."""
    wanted = [*MEASURED, *more]
    if len(place.parts) == 1 and not place.exists():
        place = summary.shipped(str(place))
    if place.is_file():
        table, facts = summary.read(place)
        configs = [name for name in table if name not in rows.RESULTS]
        version = ", ".join(map(str, facts.get("version") or [])) or None
        return table.reindex(columns=[*configs, *wanted]).assign(version=version)
    own = results.own_options(place)
    columns = ["config_id", *rows.config_fields(), *own, *wanted]
    return completed(results.read_with_version(place, columns))


def _name(place: Path) -> str:
    """Return what people call a launch or a summary."""
    return place.stem if place.parent == summary.SHIPPED else str(place)


def _configs_first(table: pd.DataFrame) -> pd.DataFrame:
    """Put columns that only some launches have before the results."""
    last = [n for n in table if n in rows.RESULTS or n in ("folder", *MADE)]
    return table[[*(name for name in table if name not in last), *last]]


def masks(folders: Sequence[Path], chosen: pd.DataFrame) -> pd.Series:
    """Return the masks of some rows of :func:`read`, by ``config_id``.

    Args:
        folders: The same folders.
        chosen: Rows with ``config_id`` and ``folder``.
    """
    every: pd.Series = _more(folders, chosen, ["mask"])["mask"]
    return every


def networks(folders: Sequence[Path], chosen: pd.DataFrame) -> pd.DataFrame:
    """Return some rows of :func:`read`, in their order, with masks and weights.

    Args:
        folders: The same folders.
        chosen: Rows with ``config_id`` and ``folder``.
    """
    return chosen.join(_more(folders, chosen, ["mask", "weights"]), on="config_id")


def _more(
    folders: Sequence[Path], chosen: pd.DataFrame, columns: list[str]
) -> pd.DataFrame:
    """Return further columns of some rows, by ``config_id``."""
    parts = [
        results.read(folders[number], ["config_id", *columns], ids=part["config_id"])
        for number, part in chosen.groupby("folder")
    ]
    return pd.concat(parts).set_index("config_id")


def completed(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows with what files of earlier versions lack.

    A new option has a default that changes nothing, so that is what they had.
    """
    method, names = pd.factorize(table["method"])
    common = config.fields(config.Config)
    known = [common | config.fields(registry.options_of(name)) for name in names]
    for name in rows.config_fields():
        defaults = [own[name].default if name in own else None for own in known]
        having = np.array([default is not None for default in defaults])
        lacking = table[name].isna().to_numpy() & having[method]
        for code in np.unique(method[lacking]):
            table.loc[lacking & (method == code), name] = defaults[code]
    reached = table["effective_nnz"] > 0
    table["connected"] = table["connected"].astype("boolean").fillna(reached)
    return table
