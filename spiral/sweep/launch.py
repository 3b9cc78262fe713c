"""Launch a grid into a results directory: only what is missing, however it stopped."""

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
    """How to launch; none of it changes a row."""

    executor: str = "ray"
    address: str | None = None
    workers: int = 1
    shard: tuple[int, int] = (0, 1)
    limit: int | None = None
    method: str | None = None
    """Where a method of the user's own comes from (see ``methods.plugin``)."""


@dataclass
class Launch:
    """A prepared launch."""

    out: Path
    configs: int
    """Configs of the grid."""
    packs: pd.DataFrame
    """Every pack that lacks rows: ``pack``, ``networks``, ``seconds``, ``engine``."""
    missing: list[str]
    """Packs this launch will train, the longest first."""
    corrupt: list[str]
    """Messages about result files that must be redone."""
    gpu: bool = False
    done: list[Outcome] = field(default_factory=list)
    failed: list[Outcome] = field(default_factory=list)


def cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare(grid: Grid, out: Path, settings: Settings) -> Launch:
    """Check everything, then write the manifest and find what is missing.

    Raises:
        ConfigError: The directory holds something else, or another grid's results; or
            no cluster answers at the address.
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
        return prepare(grid, out, settings)  # another launch was quicker: extend it
    store.tidy(out)
    every = table["pack"].drop_duplicates().astype(str)
    missing, corrupt = find_missing(out, every)
    for pack in store.failures(out).keys() - set(missing):
        store.clear_failure(out, pack)  # committed, though its last fsync failed
    sizes = plan.describe(table[table["pack"].isin(missing)])
    mine = _share(sizes, every, settings)
    gpu = any(name.endswith(":cuda") for name in names)
    return Launch(out, len(table), sizes, mine, corrupt, gpu)


def _commit(out: Path, grid: Grid, table: pd.DataFrame, first: bool) -> bool:
    """Write the manifest; return False if there is one that should not be there."""
    counts = {"blocks": grid.blocks, "duplicates": grid.duplicates}
    facts = {"grid": grid.name, **counts}
    try:
        store.write_manifest(out, table, facts, first=first)
    except FileExistsError:
        return False
    return True


def run(launch: Launch, settings: Settings, progress: Report) -> None:
    """Train the missing packs; outcomes go to ``launch`` and ``progress`` as they come.

    Raises:
        SpiralError: The executor cannot go on; what was trained is saved.
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
    forget = partial(pack_progress.forget, launch.out, launch.missing)
    forget()
    with signals.undoing(forget):  # after the workers, which the executor ends first
        executor(launch, settings)(site, launch.missing, settings.workers, report)
    calibration.learn(launch.packs, {each.pack: each.work for each in launch.done})


def executor(launch: Launch, settings: Settings) -> Callable[..., None]:
    """Return the function that trains packs."""
    if settings.executor == "local":
        from spiral.sweep import local

        return local.run
    from spiral.sweep import ray_process

    return partial(ray_process.run, address=settings.address, gpu=launch.gpu)


def find_missing(out: Path, packs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the packs without valid rows, and a message for each damaged file."""
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
        ConfigError: The path is not a directory, or one with other things in it.
    """
    if not out.exists():
        return None
    if not out.is_dir():
        raise ConfigError(f"--out {out} is a file; give a folder")
    if store.has_manifest(out):
        known = columns.complete(store.read_manifest(out)[0], options())
        _check_names(known, out)
        return known
    foreign = sorted(p.name for p in out.iterdir() if p.name not in store.OWN_NAMES)
    if foreign:
        raise ConfigError(
            f"--out {out} holds other things ({', '.join(foreign[:3])}) and no launch; "
            "give a new or empty folder"
        )
    return _from_results(out)


def _check_names(configs: pd.DataFrame, out: Path) -> None:
    """Raise CorruptPack unless every pack is named for its configs.

    Names become file names, so a manifest made up elsewhere could lead out of ``out``.
    """
    for pack, ids in configs.groupby("pack", sort=False)["config_id"]:
        if store.pack_id(ids) != pack:
            raise CorruptPack(
                f"{store.manifest_path(out)}: {str(pack)[:40]!r} is not the name of "
                "its configs. Remove the manifest and launch the grid again: it is "
                "made anew from the results"
            )


def _from_results(out: Path) -> pd.DataFrame | None:
    """Return the configs of the packs there are, where the manifest was lost."""
    found = []
    for path in store.pack_files(out):
        try:
            table, footer = store.read_pack(path)
        except CorruptPack:
            continue  # its configs are planned anew
        configs = table.drop_columns(
            [n for n in columns.RESULTS if n in table.column_names]
        )
        frame = configs.to_pandas(types_mapper=store.NULLABLE.get)
        found.append(frame.assign(pack=footer["pack"], block="recovered"))
    if not found:
        return None
    return columns.complete(pd.concat(found, ignore_index=True), options())


def _among(ids: pd.Series, known: pd.Series) -> Bool[np.ndarray, " N"]:
    """Return which ids are among some (half a million: 0.2 s; ``isin`` takes 2)."""
    text = pa.large_string()
    found = pc.is_in(pa.array(ids, text), value_set=pa.array(known, text))
    return np.asarray(found, bool)


def _check_extends(grid: Grid, known: pd.Series, out: Path) -> None:
    """Raise ConfigError if the directory has configs that the grid lacks."""
    lost = known[~_among(known, grid.configs["config_id"])]
    if len(lost):
        raise ConfigError(
            f"{out} holds {len(known):,} configs of which {len(lost):,} are not in "
            f"grid {grid.name!r} (e.g. {lost.min()}). A grid may be extended, not "
            "changed: launch it into another --out, or give the same --set and "
            "--engine as before"
        )


def _share(missing: pd.DataFrame, every: pd.Series, settings: Settings) -> list[str]:
    """Return the missing packs of this shard, the longest first, up to the limit.

    Shards are cut from all packs, so that they agree whatever is done already.
    """
    index, count = settings.shard
    mine = missing[missing["pack"].isin(every.iloc[index::count])]
    ordered = mine.sort_values("seconds", ascending=False, kind="stable")["pack"]
    return ordered.tolist()[: settings.limit]
