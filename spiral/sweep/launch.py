"""Launch a grid into a results directory: train only the packs that are missing."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool

from spiral import engines
from spiral.errors import ConfigError, CorruptPack
from spiral.methods.registry import options
from spiral.results import columns, store
from spiral.sweep import calibration, pack_progress, signals
from spiral.sweep import packs as plan
from spiral.sweep.grid.grid import Grid
from spiral.sweep.worker import Outcome, Report, Site


@dataclass(frozen=True)
class Settings:
    """How to launch; no setting changes a row."""

    executor: str = "ray"
    address: str | None = None
    workers: int = 1
    shard: tuple[int, int] = (0, 1)
    limit: int | None = None
    method: str | None = None
    """Source of a user's method (see ``methods.plugin``)."""


@dataclass
class Launch:
    """A prepared launch."""

    out: Path
    configs: int
    """Configs of the grid."""
    packs: pd.DataFrame
    """Every pack without rows: ``pack``, ``networks``, ``seconds``, ``engine``."""
    missing: list[str]
    """Packs this launch trains, the longest first."""
    corrupt: list[str]
    """Messages about damaged result files, whose packs are trained again."""
    gpu: bool = False
    done: list[Outcome] = field(default_factory=list)
    failed: list[Outcome] = field(default_factory=list)


def cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare(grid: Grid, out: Path, settings: Settings) -> Launch:
    """Check all settings, then write the manifest and find the missing packs.

    Nothing is written before every check has passed, so that a refused launch leaves no
    trace.

    Raises:
        ConfigError: The directory has other contents or results of another grid, or no
            cluster answers at the address.
        EngineUnavailable: An engine's device is missing.
        StoreError: The directory cannot be written.
    """
    if settings.address is not None:
        from spiral.sweep import ray_process

        ray_process.check_address(settings.address)
    old = _existing(out)
    fresh = grid.configs
    if old is not None:
        _check_extends(grid, old["config_id"], out)
        fresh = fresh[~_among(fresh["config_id"], old["config_id"])]
    packs = plan.pack(fresh) if len(fresh) else None
    names = [str(e) for e in pd.unique(grid.configs["engine"])]
    for name in names:
        engines.check_device(name)
    everything = [t for t in (old, packs and packs.configs) if t is not None]
    table = pd.concat(everything, ignore_index=True)
    first = not store.manifest_path(out).exists()
    lacking = packs is not None or not store.has_manifest(out)
    if lacking and not _commit(out, grid, table, first):
        # Another launch wrote the first manifest meanwhile: extend that one
        return prepare(grid, out, settings)
    store.tidy(out)
    every = table["pack"].drop_duplicates().astype(str)
    missing, corrupt = find_missing(out, every)
    for pack in store.failures(out).keys() - set(missing):
        # The rows are there: only the fsync after their rename had failed
        store.clear_failure(out, pack)
    sizes = plan.describe(table[table["pack"].isin(missing)])
    mine = _share(sizes, every, settings)
    gpu = any(name.endswith(":cuda") for name in names)
    return Launch(out, len(table), sizes, mine, corrupt, gpu)


def _commit(out: Path, grid: Grid, table: pd.DataFrame, first: bool) -> bool:
    """Write the manifest; return False if another launch has just written the first."""
    counts = {"blocks": grid.blocks, "duplicates": grid.duplicates}
    facts = {"grid": grid.name, **counts}
    try:
        store.write_manifest(out, table, facts, first=first)
    except FileExistsError:
        return False
    return True


def run(launch: Launch, settings: Settings, progress: Report) -> None:
    """Train the missing packs; record outcomes in ``launch`` and ``progress``.

    Raises:
        SpiralError: The executor cannot continue; finished packs are saved.
    """

    def report(outcome: Outcome) -> None:
        if outcome.error is None:
            launch.done.append(outcome)
            store.clear_failure(launch.out, outcome.pack)
        else:
            launch.failed.append(outcome)
            store.write_failure(launch.out, outcome.pack, outcome.error)
        progress(outcome)

    if not launch.missing:
        return
    site = Site(launch.out, settings.method)
    clear = partial(pack_progress.clear, launch.out, launch.missing)
    clear()
    # Undone in reverse order: the executor kills the workers before their files go
    with signals.undoing(clear):
        executor(launch, settings)(site, launch.missing, settings.workers, report)
    calibration.learn(launch.packs, {each.pack: each.work for each in launch.done})


def executor(launch: Launch, settings: Settings) -> Callable[..., None]:
    """Return the executor's ``run``; ray is imported only where it is used."""
    if settings.executor == "local":
        from spiral.sweep import local

        return local.run
    from spiral.sweep import ray_process

    return partial(ray_process.run, address=settings.address, gpu=launch.gpu)


def find_missing(out: Path, packs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the packs without valid rows, and a message for each damaged file.

    Reading no column still checks a file's seal: a pack counts as done only if all of
    its bytes are intact.
    """
    missing, corrupt = [], []
    for pack in packs:
        try:
            store.read_pack(store.pack_path(out, pack), columns=[])
        except FileNotFoundError:
            missing.append(pack)
        except CorruptPack as error:
            missing.append(pack)
            corrupt.append(str(error))
    return missing, corrupt


def _existing(out: Path) -> pd.DataFrame | None:
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
        known = columns.complete(store.read_manifest(out)[0], options())
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
        if store.pack_id(ids) != pack:
            raise CorruptPack(
                f"{store.manifest_path(out)}: expected the digest of its configs as "
                f"pack id, got {str(pack)[:40]!r}. Remove the manifest and launch the "
                "grid again: the manifest is rebuilt from the results"
            )


def _from_results(out: Path) -> pd.DataFrame | None:
    """Rebuild the manifest from the packs present, if it was lost."""
    found = []
    for path in store.pack_files(out):
        try:
            table, footer = store.read_pack(path)
        except CorruptPack:
            continue  # the grid plans its configs again
        configs = table.drop_columns(
            [n for n in columns.RESULTS if n in table.column_names]
        )
        frame = configs.to_pandas(types_mapper=store.NULLABLE.get)
        found.append(frame.assign(pack=footer["pack"], block="recovered"))
    if not found:
        return None
    return columns.complete(pd.concat(found, ignore_index=True), options())


def _among(ids: pd.Series, known: pd.Series) -> Bool[np.ndarray, " N"]:
    """Return which ids are known (Arrow takes 0.2 s for half a million, pandas 2 s)."""
    text = pa.large_string()
    found = pc.is_in(pa.array(ids, text), value_set=pa.array(known, text))
    return np.asarray(found, bool)


def _check_extends(grid: Grid, known: pd.Series, out: Path) -> None:
    """Raise ConfigError if the directory has configs that the grid lacks."""
    lost = known[~_among(known, grid.configs["config_id"])]
    if len(lost):
        raise ConfigError(
            f"--out {out} has results of {len(known):,} configs, of which "
            f"{len(lost):,} are not in grid {grid.name!r} (e.g. {lost.min()}). A "
            "launch may extend a grid but not change it: give another --out, or the "
            "same --set and --engine as before"
        )


def _share(missing: pd.DataFrame, every: pd.Series, settings: Settings) -> list[str]:
    """Return the missing packs of this shard, the longest first, up to the limit.

    The longest first, so that no worker starts a long pack when the others run out of
    work. Shards are cut from all packs, not from the missing ones: so machines that
    look at different times still cut the same shards.
    """
    index, count = settings.shard
    mine = missing[missing["pack"].isin(every.iloc[index::count])]
    ordered = mine.sort_values("seconds", ascending=False, kind="stable")["pack"]
    return ordered.tolist()[: settings.limit]
