"""Launch a grid into a results directory: train only the packs that are missing."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

from spiral import engines, extras
from spiral.results import store
from spiral.sweep import calibration, recover, worker
from spiral.sweep import packs as plan
from spiral.sweep.grid.grid import Grid
from spiral.sweep.work import Outcome, Report, Training


@dataclass(frozen=True)
class Settings:
    """How to launch; no setting changes a row."""

    executor: str = "ray"
    address: str | None = None
    workers: int = 1
    shard: tuple[int, int] = (0, 1)
    limit: int | None = None
    gpus_per_pack: float = 1.0
    """Share of a GPU that a pack of an engine on one needs; Ray only."""
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
    named: dict[str, list[str]] = field(default_factory=dict)
    """Tasks and initial weights of the packs it trains."""
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
        MissingPackage: An engine or the executor needs one that is not installed.
        StoreError: The directory cannot be written.
    """
    executor(settings)  # raises before anything is written
    if settings.address is not None:
        from spiral.sweep.ray import process

        process.check_address(settings.address)
    names = [str(engine) for engine in pd.unique(grid.configs["engine"])]
    here = settings.address is None  # else what the nodes of the cluster have counts
    for name in names if here else ():
        engines.check(name)
    table, changed = _planned(grid, out)
    able = (name for name, entry in engines.ENGINES.items() if entry.automatic)
    if here and not all(map(engines.installed, able)):  # ``auto`` may choose one
        for name in plan.describe(table)["engine"].unique():
            engines.check(name)
    first = not store.manifest_path(out).exists()
    if changed and not _commit(out, grid, table, first):
        # Another launch wrote the first manifest meanwhile: extend that one
        return prepare(grid, out, settings)
    store.tidy(out)
    recover.widen(out)
    every = table["pack"].drop_duplicates().astype(str)  # in the order of the manifest
    missing, corrupt = recover.missing(out, every)
    for pack in store.failures(out).keys() - set(missing):
        # The rows are there: only the fsync after their rename had failed
        store.clear_failure(out, pack)
    sizes = plan.describe(table[table["pack"].isin(missing)])
    mine = _share(sizes, every, settings)
    gpu = any(name.endswith(":cuda") for name in names)
    rows = table[table["pack"].isin(mine)]
    named = {key: rows[key].unique().tolist() for key in worker.READERS}
    return Launch(out, len(table), sizes, mine, corrupt, gpu, named)


def _planned(grid: Grid, out: Path) -> tuple[pd.DataFrame, bool]:
    """Return the configs of a directory with their packs, and whether to write them.

    Packs that are planned stay as they are, so that their finished files still count:
    only configs that are new to the directory are divided into packs.
    """
    old = recover.manifest(out)
    if old is None:
        return plan.pack(grid.configs).configs, True
    recover.check_extends(grid, old, out)
    fresh = grid.configs[~recover.among(grid.configs["config_id"], old["config_id"])]
    if fresh.empty:
        return old, not store.has_manifest(out)
    return pd.concat([old, plan.pack(fresh).configs], ignore_index=True), True


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
    """Train the missing packs; record outcomes in ``launch``, tell all to ``progress``.

    Raises:
        SpiralError: The executor cannot continue; finished packs are saved.
    """

    def report(said: Outcome | Training) -> None:
        if isinstance(said, Outcome):
            _record(launch, said)
        progress(said)

    if not launch.missing:
        return
    # A Ray on this machine sees its files; those of many rows may be large
    named = launch.named if settings.address is not None else {}
    site = worker.site(launch.out, settings.method, named)
    executor(settings, launch.gpu)(site, launch.missing, settings.workers, report)
    calibration.learn(launch.packs, {each.pack: each.work for each in launch.done})


def _record(launch: Launch, outcome: Outcome) -> None:
    """Record the outcome of a pack."""
    if outcome.error is None:
        launch.done.append(outcome)
        store.clear_failure(launch.out, outcome.pack)
    else:
        launch.failed.append(outcome)
        store.write_failure(launch.out, outcome.pack, outcome.error)


def executor(settings: Settings, gpu: bool = False) -> Callable[..., None]:
    """Return the executor's ``run``; ray is imported only where it is used.

    Raises:
        MissingPackage: It needs Ray, which is not installed.
    """
    if settings.executor == "local":
        from spiral.sweep import local

        return local.run
    extras.require("ray", "executor ray", "use --executor local")
    from spiral.sweep.ray import process

    share = settings.gpus_per_pack if gpu else 0.0
    return partial(process.run, address=settings.address, gpu=share)


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
