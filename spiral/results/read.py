"""Read the rows of launches."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spiral.errors import ConfigError, CorruptPack, StoreError
from spiral.results import buckets, sealed, store, versions
from spiral.results import columns as rows

MEASURED = (
    *("status", "accuracy", "task_points", "task_chance"),
    *("nnz", "effective_nnz", "connected", "steps"),
)
"""Results that comparisons use; masks are read when needed, weights never."""


def read(
    out: Path, columns: Sequence[str] | None = None, ids: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the rows of one launch: those of its manifest's packs, each config once.

    Args:
        out: The results directory.
        columns: Which to read; null if no file has one. By default all in the files.
        ids: Only the rows of these configs.

    Raises:
        StoreError: There are no rows yet.
        CorruptPack: A file cannot be read; `spiral-sweep verify` lists all such files.
    """
    return _joined(out, columns, _parts(out, columns, ids))


def read_with_version(out: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return the rows of :func:`read` with the ``version`` that trained each.

    Args:
        out: The results directory.
        columns: Which to read.
    """
    parts = _parts(out, columns)
    found = [part.version for part in parts]
    table = _joined(out, columns, parts)
    if len({*found}) == 1:
        return table.assign(version=found[0])
    lengths = [len(part.table) for part in parts]
    return table.assign(version=np.repeat(np.array(found, object), lengths))


class _Part(NamedTuple):
    """What is read of one file."""

    schema: pa.Schema
    """Of the file."""
    table: pa.Table
    version: str | None
    """Of spiral-sweep that wrote it, if recorded."""


def _parts(
    out: Path, columns: Sequence[str] | None, ids: Sequence[str] | None = None
) -> list[_Part]:
    """Return the parts of a launch, in the order of their files.

    Files are read in threads: most of the time Arrow decodes columns, without Python.
    """
    files = _files(out, ids)
    if not files:
        raise StoreError(f"{out} has no rows yet; run `spiral-sweep launch` first")
    wanted = None if ids is None else pa.array([*ids], pa.string())
    try:
        with ThreadPoolExecutor(buckets.threads(out)) as pool:
            return [*pool.map(lambda file: _part(file, columns, wanted), files)]
    except (CorruptPack, pa.ArrowException, OSError) as error:
        raise _unreadable(out, error) from None


def _part(file: Path, columns: Sequence[str] | None, ids: pa.Array | None) -> _Part:
    """Return what is wanted of a file."""
    data = file.read_bytes()
    sealed.prove(data, str(file))  # a flipped byte is an error, never a number
    source = pq.ParquetFile(pa.BufferReader(data))
    schema = source.schema_arrow
    if not versions.readable(schema):
        raise CorruptPack(f"{file} does not have the columns of a result file")
    known = None if columns is None else _having_values(source.metadata, columns)
    if ids is None:
        table = source.read(known, use_threads=False)
    else:
        table = source.read(known and [*{*known, "config_id"}], use_threads=False)
        table = table.filter(pc.is_in(table["config_id"], ids))
    footer = json.loads((schema.metadata or {}).get(sealed.FOOTER, b"{}"))
    version = footer.get("version")
    return _Part(schema, table, None if version is None else str(version))


def _having_values(file: pq.FileMetaData, names: Sequence[str]) -> list[str]:
    """Return which of some columns have a value in a file.

    Of 170 columns of configs most are options of other methods: to decode that they are
    empty takes longer than to read the others.
    """
    columns = file.schema.to_arrow_schema().names
    groups = [file.row_group(number) for number in range(file.num_row_groups)]
    place = {
        file.schema.column(i).path.split(".")[0]: i for i in range(file.num_columns)
    }
    found = []
    for name in names:
        if name in columns:
            parts = [group.column(place[name]) for group in groups]
            if not all(_empty(part.statistics, part.num_values) for part in parts):
                found.append(name)
    return found


def _empty(statistics: pq.Statistics | None, count: int) -> bool:
    """Return whether a part of a column is known to have no value."""
    if statistics is None or not statistics.has_null_count:
        return False
    return statistics.null_count == count


def _joined(
    out: Path, columns: Sequence[str] | None, parts: list[_Part]
) -> pd.DataFrame:
    """Return parts as one table, in which files of earlier versions lack nothing."""
    try:
        schema = _with(out, columns, [part.schema for part in parts])
        tables = [part.table for part in parts]
        table = pa.concat_tables(tables, promote_options="default")
    except pa.ArrowException as error:
        raise _unreadable(out, error) from None
    found = table.replace_schema_metadata(None).to_pandas(
        types_mapper=store.NULLABLE.get
    )
    if columns is None:
        return found[schema.names]
    for name in columns:
        if name not in found:
            dtype = store.NULLABLE.get(schema.field(name).type, "object")
            found[name] = pd.Series(pd.NA, found.index, dtype)
    return found[[*columns]]


def _unreadable(out: Path, error: Exception) -> CorruptPack:
    """Return the error of a launch with a damaged file."""
    return CorruptPack(
        f"{out}: a result file cannot be read ({error}); "
        f"`spiral-sweep verify {out}` names it"
    )


def epochs(rows: pd.DataFrame) -> pd.Series:
    """Return the epochs that rows trained in all.

    Args:
        rows: With ``steps``, ``task_points`` and ``batch``.
    """
    found: pd.Series = rows["steps"] / (rows["task_points"] // rows["batch"])
    return found


def _files(out: Path, ids: Sequence[str] | None) -> list[Path]:
    """Return the files of packs: only those with some ids, if any has."""
    names = ["pack"] if ids is None else ["pack", "config_id"]
    manifest, _ = store.read_manifest(out, columns=names)
    here = {store.pack_of(path): path for path in store.pack_files(out)}
    every = {*manifest["pack"].unique()}
    if ids is not None:
        asked = {*manifest.loc[manifest["config_id"].isin([*ids]), "pack"].unique()}
        every = asked & here.keys() or every
    return [path for pack, path in here.items() if pack in every]


def _with(
    out: Path, columns: Sequence[str] | None, found: list[pa.Schema]
) -> pa.Schema:
    """Return the joint schema of files, with requested columns that none has."""
    schema = pa.unify_schemas(found)
    known = pa.unify_schemas([rows.schema({}), _options(out)])
    for name in columns or ():
        if name not in schema.names and name in known.names:
            schema = schema.append(known.field(name))
    return schema


def options(out: Path) -> list[str]:
    """Return the options of methods that a launch planned.

    If a later version trained the rest, its rows may have more options. These have
    their defaults, which ``versions.complete`` fills in for all rows.
    """
    return _options(out).names


def _options(out: Path) -> pa.Schema:
    """Return the columns of a manifest that are options of methods."""
    try:
        found = pq.read_schema(buckets.footed(store.manifest_path(out)))
    except (pa.ArrowException, OSError):
        return pa.schema([])  # reading the rows will raise the error
    return pa.schema([found.field(name) for name in rows.options_among(found.names)])


def find(out: Path, which: str) -> pd.Series:
    """Return one row.

    Args:
        out: The results directory.
        which: The beginning of a config id; or ``METHOD``, or ``METHOD@KEEP``, for the
            row of highest accuracy among these.

    Raises:
        ConfigError: No row or several rows match.
    """
    known = read(out, ["config_id", "method", "keep", "accuracy"])
    method, _, keep = which.partition("@")
    if method in set(known["method"]):
        matches = known[known["method"] == method]
        if keep:
            matches = matches[matches["keep"].astype("string").fillna("") == keep]
        matches = matches.sort_values("accuracy", kind="stable").tail(1)
    else:
        matches = known[known["config_id"].str.startswith(which)]
    if len(matches) != 1:
        raise ConfigError(
            f"{len(matches)} rows of {out} match {which!r}; give a config_id such as "
            f"{known['config_id'].iloc[0]!r}, or METHOD@KEEP such as gmp@26"
        )
    return read(out, ids=matches["config_id"]).iloc[0]
