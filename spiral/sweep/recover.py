"""What a results directory has already: its manifest, configs and finished packs.

A launch continues from files alone. A lost manifest is rebuilt from the results, a
damaged pack is trained again, and whatever cannot be continued is refused before
anything is written.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Bool

from spiral.errors import ConfigError, CorruptPack
from spiral.methods.registry import options
from spiral.results import (
    buckets,
    columns,
    old_defaults,
    packed,
    sealed,
    store,
    versions,
)
from spiral.sweep.grid.grid import Grid


def manifest(out: Path) -> pd.DataFrame | None:
    """Return the manifest of an earlier launch into this directory, if any.

    Raises:
        ConfigError: The path is not a directory, or has other contents.
    """
    if not out.exists():
        return None
    if not out.is_dir():
        raise ConfigError(
            f"--out {out}: expected a directory, got a file; give another path"
        )
    if store.has_manifest(out):
        known = versions.complete(store.read_manifest(out)[0], options())
        _check_names(known, out)
        return known
    foreign = sorted(p.name for p in out.iterdir() if p.name not in store.OWN_NAMES)
    if foreign:
        raise ConfigError(
            f"--out {out} is not empty and is not a results directory (it contains "
            f"{', '.join(foreign[:3])}); give a new or empty directory"
        )
    return _from_results(out)


def _check_names(configs: pd.DataFrame, out: Path) -> None:
    """Raise CorruptPack unless the id of every pack is the digest of its configs.

    Ids become file names, so a forged manifest could point outside ``out``.
    """
    for pack, ids in configs.groupby("pack", sort=False)["config_id"]:
        if packed.pack_id(ids) != pack:
            raise CorruptPack(
                f"{store.manifest_path(out)}: expected the digest of its configs as "
                f"pack id, got {str(pack)[:40]!r}. Remove the manifest and launch the "
                "grid again: the manifest is rebuilt from the results"
            )


def _from_results(out: Path) -> pd.DataFrame | None:
    """Rebuild the manifest from the packs present, if it was lost."""
    found = []
    for table, footer in buckets.mapped(out, _rows, store.pack_files(out)):
        if table is None:
            continue  # its configs are new to the directory: the grid plans them again
        configs = table.drop_columns(
            [n for n in columns.RESULTS if n in table.column_names]
        )
        frame = configs.to_pandas(types_mapper=store.NULLABLE.get)
        found.append(frame.assign(pack=footer["pack"], block="recovered"))
    if not found:
        return None
    return versions.complete(pd.concat(found, ignore_index=True), options())


def _rows(path: Path) -> tuple[pa.Table | None, dict[str, Any]]:
    """Return a pack and its footer, without rows if it is damaged."""
    try:
        return store.read_pack(path)
    except CorruptPack:
        return None, {}


def check_extends(grid: Grid, known: pd.DataFrame, out: Path) -> None:
    """Raise ConfigError if the directory has configs that the grid lacks.

    Args:
        grid: The grid of this launch.
        known: The configs of the directory.
        out: The directory.
    """
    lost = known[~among(known["config_id"], grid.configs["config_id"])]
    if len(lost):
        raise ConfigError(
            f"--out {out} has results of {len(known):,} configs, of which "
            f"{len(lost):,} are not in grid {grid.name!r} (e.g. "
            f"{lost['config_id'].min()}). A launch may extend a grid but not change "
            "it: give another --out, or the same --set and --engine as before"
            + expanded_differently(grid.configs, lost)
        )


def expanded_differently(configs: pd.DataFrame, lost: pd.DataFrame) -> str:
    """Return which defaults changed since configs were planned; empty if none did.

    Args:
        configs: The grid as it expands now.
        lost: Configs that a directory has and the grid lacks.
    """
    still = {old[:2] for old in old_defaults.of(configs, options())}
    found = [old for old in old_defaults.of(lost, options()) if old[:2] not in still]
    if not found:
        return ""
    values = ", ".join(
        f"{old.option}: {old.was} for {old.method} ({old.now} now)" for old in found
    )
    return (
        ". The grid leaves out options whose defaults were others then: to continue "
        f"the launch, write them into its blocks, {values}"
    )


def widen(out: Path) -> None:
    """Give every pack the columns that packs of this launch will have.

    Readers that know nothing of spiral-sweep take the columns of whichever file comes
    first, and drop or refuse those that only others have. So when a directory gets new
    options or results, by a later version or a user's method, the packs that it has
    are written again with nulls in them. Damaged ones are left to :func:`missing`.

    Raises:
        StoreError: One cannot be written.
        CorruptPack: One was read back otherwise than written; it is as before.
    """
    manifest = buckets.footed(store.manifest_path(out))
    wanted = columns.schema(options(), pq.read_schema(manifest))
    for _ in buckets.mapped(out, partial(_widen, out, wanted), store.pack_files(out)):
        pass


def _widen(out: Path, wanted: pa.Schema, path: Path) -> None:
    """Give one pack some columns, unless it has them or cannot be read."""
    try:
        if pq.read_schema(buckets.footed(path)).remove_metadata().equals(wanted):
            return
        table, footer = store.read_pack(path)
        before = path.read_bytes()
    except (CorruptPack, pa.ArrowException, OSError):
        return
    wide = columns.widened(table, wanted)
    if wide is not None:
        data = sealed.to_bytes(wide, footer)
        store.commit_pack(out, store.pack_of(path), data, before)


def among(ids: pd.Series, known: pd.Series) -> Bool[np.ndarray, " N"]:
    """Return which ids are known (Arrow takes 0.2 s for half a million, pandas 2 s)."""
    text = pa.large_string()
    found = pc.is_in(pa.array(ids, text), value_set=pa.array(known, text))
    return np.asarray(found, bool)


def missing(out: Path, packs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the packs without valid rows, and a message for each damaged file.

    Reading no column still checks a file's seal: a pack counts as done only if all of
    its bytes are intact.
    """
    here = store.present(out, packs)
    found = buckets.mapped(out, partial(_fault, out), here)
    faults = dict(zip(here, found, strict=True))
    lacking = [pack for pack in packs if faults.get(pack, "") is not None]
    return lacking, [*filter(None, faults.values())]


def _fault(out: Path, pack: str) -> str | None:
    """Return what is wrong with a pack: nothing (None), absent (empty) or damaged."""
    try:
        store.read_pack(store.pack_path(out, pack), columns=[])
    except FileNotFoundError:
        return ""
    except CorruptPack as error:
        return str(error)
    return None
