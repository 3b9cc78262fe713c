"""Read the rows of launches."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from spiral.errors import ConfigError, CorruptPack, StoreError
from spiral.results import columns as rows
from spiral.results import sealed, store, versions

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
    files = _files(out, ids)
    if not files:
        raise StoreError(f"{out} has no rows yet; run `spiral-sweep launch` first")
    try:
        for file in files:  # a flipped byte is an error, never a number
            sealed.prove(file.read_bytes(), str(file))
        schemas = {file: pq.read_schema(file) for file in files}
        for file, found in schemas.items():
            if not versions.readable(found):
                raise CorruptPack(f"{file} does not have the columns of a result file")
        schema = _with(out, columns, [*schemas.values()])
        # Older files lack newer columns: the schema is that of all
        dataset = ds.dataset([*map(str, files)], schema=schema)
        some = pa.array([*(ids if ids is not None else ())], pa.string())
        wanted = None if ids is None else ds.field("config_id").isin(some)
        table = dataset.to_table(None if columns is None else [*columns], filter=wanted)
    except (CorruptPack, pa.ArrowException, OSError) as error:
        raise CorruptPack(
            f"{out}: a result file cannot be read ({error}); "
            f"`spiral-sweep verify {out}` names it"
        ) from None
    return table.to_pandas(types_mapper=store.NULLABLE.get)


def read_with_version(out: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return the rows of :func:`read` with the ``version`` that trained each.

    Args:
        out: The results directory.
        columns: Which to read, ``config_id`` among them.
    """
    table = read(out, columns)
    found = {store.pack_of(file): _version(file) for file in _files(out, None)}
    if len({*found.values()}) == 1:  # nearly always: saves reading the manifest
        return table.assign(version=next(iter(found.values())))
    manifest, _ = store.read_manifest(out, columns=["config_id", "pack"])
    packs = manifest.set_index("config_id")["pack"]
    return table.assign(version=table["config_id"].map(packs).map(found))


def _version(file: Path) -> str | None:
    """Return the version of spiral-sweep that wrote a result file, if recorded."""
    metadata = pq.read_schema(file).metadata or {}
    version = json.loads(metadata.get(sealed.FOOTER, b"{}")).get("version")
    return None if version is None else str(version)


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
    every = set(manifest["pack"])
    if ids is not None:
        asked = set(manifest.loc[manifest["config_id"].isin([*ids]), "pack"])
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
        found = pq.read_schema(store.manifest_path(out))
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
