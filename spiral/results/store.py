"""The results directory: one Parquet file per pack, complete or absent.

::

    DIR/
      results/pack-<id>.parquet     rows; readers see nothing else
      _spiral/manifest.parquet      every config and the pack it belongs to
      _spiral/failed/<id>.json      packs given up, with the last error
      _spiral/tmp/                  unfinished files

``pandas.read_parquet(DIR)`` works at any time: names that start with ``_`` are ignored.
Every file carries a seal that shows any change of its bytes (see ``sealed``). DIR may
be in a bucket (see ``buckets``): then each file is an object, put whole, and nothing is
unfinished.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from spiral import __version__
from spiral.errors import CorruptPack, StoreError
from spiral.protocol.config import DTYPES
from spiral.results import atomic, buckets, packed, sealed
from spiral.results.packed import SCHEMA_VERSION

DAY = 86_400.0  # seconds; no launch takes as long to write one file
ARROW = {
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bool: pa.bool_(),
}
NULLABLE = {ARROW[kind]: pd.api.types.pandas_dtype(DTYPES[kind]) for kind in ARROW}
NULLABLE[pa.large_string()] = NULLABLE[pa.string()]


PLANNED = ("block", "pack")
"""Columns of a manifest besides those of its configs."""

OWN_NAMES = ("results", "_spiral")
"""Everything this module puts into a results directory."""


def results_folder(out: Path) -> Path:
    """Return the folder of the packs' files."""
    return out / "results"


def pack_path(out: Path, pack: str) -> Path:
    """Return the file of one pack."""
    return results_folder(out) / f"pack-{pack}.parquet"


def pack_of(path: Path) -> str:
    """Return the pack whose file has this name."""
    return path.stem.removeprefix("pack-")


def manifest_path(out: Path) -> Path:
    """Return the file of the manifest."""
    return out / "_spiral" / "manifest.parquet"


def has_manifest(out: Path) -> bool:
    """Return whether there is a manifest.

    An empty one does not count: a launch died after claiming the name (see ``atomic``).
    """
    path = manifest_path(out)
    return path.exists() and path.stat().st_size > 0


def scratch(out: Path) -> Path:
    """Return the folder of unfinished files."""
    return out / "_spiral" / "tmp"


def _failure_path(out: Path, pack: str) -> Path:
    return out / "_spiral" / "failed" / f"{pack}.json"


def tidy(out: Path) -> None:
    """Remove unfinished files that killed launches left more than a day ago."""
    if isinstance(out, buckets.InBucket):  # it has whole objects only
        return
    for path in scratch(out).glob("*.tmp"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > DAY:
                path.unlink()


# ---- packs


def commit_pack(out: Path, pack: str, data: bytes, before: bytes | None = None) -> None:
    """Commit the file of one pack: write it, read it back, give it its name.

    Args:
        out: The results directory.
        pack: The pack.
        data: Its file.
        before: Its earlier file, if it is to be put back in a bucket.

    Raises:
        StoreError: It cannot be written; an earlier file of this pack is untouched. A
            bucket may have taken it and failed to give it back.
        CorruptPack: What was read back differs from what was written; an earlier file
            is untouched, in a bucket it is gone unless given as ``before``.
    """
    atomic.replace_atomically(
        pack_path(out, pack),
        data,
        scratch(out),
        lambda path: _check(path, pack),
        before=before,
    )


def read_pack(
    path: Path, columns: Sequence[str] | None = None
) -> tuple[pa.Table, dict[str, Any]]:
    """Read one pack and verify every byte of its file.

    Args:
        path: The file.
        columns: Those to return besides ``config_id``; all by default.

    Raises:
        CorruptPack: The file is truncated, damaged or misnamed.
    """
    wanted = None if columns is None else ["config_id", *columns]
    return _check(path, pack_of(path), columns=wanted)


def _check(path: Path, pack: str, **part: Any) -> tuple[pa.Table, dict[str, Any]]:
    """Read a pack's file and check that its name is the digest of its configs."""
    if _is_special(path):
        raise CorruptPack(f"{path}: expected a plain file; move it elsewhere")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CorruptPack(f"{path}: cannot be read ({error.strerror})") from None
    return packed.from_bytes(data, pack, str(path), **part)


def _is_special(path: Path) -> bool:
    """Return whether something other than a plain file has this name."""
    if isinstance(path, buckets.InBucket):
        return False
    return path.exists() and not path.is_file()


def visible_files(out: Path) -> Iterator[Path]:
    """Yield every file that readers of the results folder see, sorted by name."""
    for path in _files_below(results_folder(out)):
        if not path.name.startswith(("_", ".")):
            yield path


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and its subfolders, sorted by name."""
    if isinstance(folder, buckets.InBucket):  # its listing has objects only
        yield from folder.files()
    elif folder.is_dir():
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def pack_files(out: Path) -> Iterator[Path]:
    """Yield the files that have the place and name of a pack, sorted by name."""
    for path in visible_files(out):
        if path == pack_path(out, pack_of(path)):
            yield path


def present(out: Path, packs: Iterable[str]) -> list[str]:
    """Return which of some packs have a file, from names alone."""
    if isinstance(out, buckets.InBucket):  # one listing instead of a request for each
        here = {pack_of(path) for path in pack_files(out)}
        return [pack for pack in packs if pack in here]
    return [pack for pack in packs if pack_path(out, pack).exists()]


# ---- manifest


def write_manifest(
    out: Path, configs: pd.DataFrame, facts: Mapping[str, Any], *, first: bool = False
) -> None:
    """Commit the list of configs and their packs, and facts about the grid.

    Args:
        out: The results directory.
        configs: All configs, with the columns ``PLANNED``.
        facts: Facts about the grid, for the footer.
        first: Only create the manifest: of two first launches, one must not overwrite
            the configs of the other.

    Raises:
        FileExistsError: ``first``, and another launch has written one meanwhile.
        StoreError: It cannot be written.
    """
    table = pa.Table.from_pandas(configs, preserve_index=False)
    footer = {**facts, "schema": SCHEMA_VERSION, "version": __version__}
    data = sealed.to_bytes(table, footer)
    atomic.replace_atomically(manifest_path(out), data, scratch(out), first=first)


def read_manifest(
    out: Path, columns: list[str] | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the manifest.

    Raises:
        StoreError: There is none.
        CorruptPack: It is damaged.
    """
    path = manifest_path(out)
    if not path.exists():
        if out.is_file():
            raise StoreError(
                f"{out}: expected a results directory, got a file; a summary has "
                "neither masks nor weights, so give the folder of the launch"
            )
        raise StoreError(
            f"{out}: expected a results directory, got a folder without "
            f"{path.relative_to(out)}; give the --out of `spiral-sweep launch`"
        )
    try:
        table, footer = sealed.from_bytes(path.read_bytes(), path.name, columns=columns)
        names = {"config_id", "pack"}
        for name in sorted(names if columns is None else names.intersection(columns)):
            if NULLABLE.get(table.schema.field(name).type) != NULLABLE[pa.string()]:
                raise CorruptPack(f"column {name} is not text")
    except (CorruptPack, OSError, KeyError) as error:
        raise CorruptPack(
            f"{path}: cannot be read ({error}). Remove it and launch the grid again: "
            "the manifest is rebuilt from the results"
        ) from None
    return table.to_pandas(types_mapper=NULLABLE.get), footer


def configs_of(manifest: bytes, pack: str) -> pd.DataFrame:
    """Return the configs of a pack in the bytes of a manifest; no rows if it has none.

    Raises:
        CorruptPack: The bytes have changed.
    """
    filters = [("pack", "=", pack)]
    table, _ = sealed.from_bytes(manifest, "the manifest", filters=filters)
    return table.to_pandas(types_mapper=NULLABLE.get)


# ---- failures


def write_failure(out: Path, pack: str, error: str) -> None:
    """Record that a pack was given up."""
    text = json.dumps({"pack": pack, "error": error}, indent=1)
    atomic.replace_atomically(_failure_path(out, pack), text.encode(), scratch(out))


def clear_failure(out: Path, pack: str) -> None:
    """Remove the record of a failure; one that cannot be removed does no harm."""
    with suppress(OSError, StoreError):
        _failure_path(out, pack).unlink()


def failures(out: Path) -> dict[str, str]:
    """Return the packs given up, with the last error of each."""
    found = {}
    for path in sorted((out / "_spiral" / "failed").glob("*.json")):
        try:
            found[path.stem] = str(json.loads(path.read_bytes())["error"])
        except (ValueError, KeyError, TypeError, OSError):
            found[path.stem] = "its record cannot be read"
    return found
