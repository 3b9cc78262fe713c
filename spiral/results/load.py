"""The rows of several launches as one table, each config once."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from spiral import spelling
from spiral.errors import StoreError
from spiral.protocol import config, identity
from spiral.protocol.config import OptionClasses
from spiral.results import columns as rows
from spiral.results import read as results
from spiral.results import summary, versions
from spiral.results.read import MEASURED
from spiral.results.summary import ALL, Only


class Loaded(NamedTuple):
    """The rows of launches, and notes on them."""

    rows: pd.DataFrame
    """Config columns with the options of the methods that there are, ``config_id``,
    ``MEASURED`` and more; ``folder`` (a number), ``source`` (its name) and ``version``
    (of spiral-sweep, if recorded)."""
    notes: list[str]


def read(
    folders: Sequence[Path],
    options: OptionClasses,
    more: Sequence[str] = (),
    only: Only = ALL,
) -> Loaded:
    """Return the columns of rows of launches that comparisons use.

    A config that several launches trained counts once, with the row of the first.

    Args:
        folders: Results directories, or summary files.
        options: Those of the methods that this process knows; their defaults complete
            files of earlier versions.
        more: Results besides ``MEASURED``; null where a summary does not have them.
        only: Columns and values; rows of summaries with others are left out, since
            reading all of the largest takes seconds. Launches are read whole.

    Raises:
        StoreError: One of them has no rows yet.
        CorruptPack: A file cannot be read.
    """
    parts = [
        _read(place, options, more, only).assign(folder=n, source=_name(place))
        for n, place in enumerate(folders)
    ]
    if len(parts) == 1:
        return Loaded(parts[0], [])
    every = _configs_first(pd.concat(parts, ignore_index=True))
    again = every["config_id"].duplicated()
    if not again.any():
        return Loaded(every, [])
    values = ["config_id", "status", "accuracy"]
    differ = int((again & ~every.duplicated(values)).sum())
    note = (
        f"{again.sum():,} rows are in several folders and count once, as in the "
        f"first; {differ:,} of them differ in status or accuracy"
    )
    return Loaded(every[~again].reset_index(drop=True), [note])


def _read(
    place: Path, options: OptionClasses, more: Sequence[str], only: Only
) -> pd.DataFrame:
    """Return the rows of a launch or of a summary."""
    if not place.exists():
        raise StoreError(
            f"{place}: expected a results directory, a summary file or the name of a "
            f"shipped summary; {spelling.suggest(str(place), summary.names())}"
        )
    wanted = [*MEASURED, *more]
    if place.is_file():
        found = _summary(place, options, only)
        ids = identity.identify(found, options)  # a summary has none
        found["config_id"] = pd.array(ids, "string")
    else:
        common = config.fields(config.Config)
        asked = ["config_id", *common, *results.options(place), *wanted]
        found = _completed(results.read_with_version(place, asked), options)
    return _in_order(found, options, wanted)


def at_width(file: Path, options: OptionClasses, width: int) -> pd.DataFrame:
    """Return the rows of one summary at one width, as :func:`read` does, without ids.

    Args:
        file: A summary.
        options: Those of the methods that this process knows.
        width: Of the rows.

    Raises:
        StoreError: There is no such file, or it is not a summary.
        CorruptPack: It is damaged.
    """
    found = _summary(file, options, {"width": [width]}).assign(
        folder=0, source=_name(file)
    )
    return _in_order(found, options, MEASURED).drop(columns="config_id")


def _summary(file: Path, options: OptionClasses, only: Only) -> pd.DataFrame:
    """Return the completed rows of a summary, with the version that trained them."""
    found, facts = summary.read(file, only)
    version = " and ".join(map(str, facts.get("version") or [])) or None
    return _completed(found.assign(version=version), options)


def _completed(table: pd.DataFrame, options: OptionClasses) -> pd.DataFrame:
    """Return rows with all options of their methods: those of others take seconds."""
    return versions.complete(table, _of_methods(table, options))


def _of_methods(table: pd.DataFrame, options: OptionClasses) -> OptionClasses:
    """Return the options of the methods in a table."""
    return {name: options[name] for name in table["method"].unique() if name in options}


def _in_order(
    table: pd.DataFrame, options: OptionClasses, wanted: Sequence[str]
) -> pd.DataFrame:
    """Return the columns of configs in their usual order, then some results.

    An option that is empty is left out unless it is of one of the methods.
    """
    fields = rows.config_fields(options)
    unknown = [n for n in table if n not in {"config_id", *fields, *rows.RESULTS}]
    own = [name for name in unknown if name not in rows.ADDED_BY_LOAD]
    made = [name for name in unknown if name in rows.ADDED_BY_LOAD]
    theirs = rows.config_fields(_of_methods(table, options))
    known = [
        name
        for name in fields
        if name in table and (name in theirs or table[name].notna().any())
    ]
    return table.reindex(columns=["config_id", *known, *own, *wanted, *made])


def _name(place: Path) -> str:
    """Return the name of a launch or a summary for people."""
    return place.stem if place.parent == summary.SHIPPED else str(place)


def _configs_first(table: pd.DataFrame) -> pd.DataFrame:
    """Put columns that only some launches have before the results."""
    last = [n for n in table if n in rows.RESULTS or n in rows.ADDED_BY_LOAD]
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
    parts = []
    for number, part in chosen.groupby("folder"):
        place, names = folders[number], ["config_id", *columns]
        if place.is_file():  # of a summary, only hits have networks
            found = summary.read(place)[0].reindex(columns=names)
            parts.append(found[found["config_id"].isin(part["config_id"])])
        else:
            parts.append(results.read(place, names, ids=part["config_id"]))
    return pd.concat(parts).set_index("config_id")
