"""Successive halving: one launch per rung, each of fewer configs trained for longer.

::

    DIR/rung-1/     all configs, 5 epochs
    DIR/rung-2/     the survivors of rung 1, 15 epochs
    DIR/rung-3/     the survivors of rung 2, to the end

A rung trains from scratch: its rows are then equal to those of an exhaustive launch, at
the cost of the epochs repeated. A rung follows from the rows of the previous one alone,
so an interrupted search continues where it stopped.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pandas as pd

from spiral.errors import ConfigError
from spiral.methods.registry import options
from spiral.protocol import config, identity
from spiral.results import store
from spiral.sweep.grid.grid import Grid
from spiral.sweep.status import status


def folder(out: Path, rung: int) -> Path:
    """Return the results directory of a rung; the first is number 1."""
    return out / f"rung-{rung}"


def check(grid: Grid, rungs: Collection[int], out: Path) -> None:
    """Raise ConfigError if successive halving cannot run with these settings."""
    epochs = grid.configs["epochs"].min()
    if max(rungs) >= epochs:
        raise ConfigError(
            f"--rungs: expected fewer than the {epochs} epochs of a training, got "
            f"{max(rungs)}; leave it out, as the last rung trains to the end anyway"
        )
    if grid.configs["stop_epoch"].notna().any():
        raise ConfigError(
            "stop_epoch: not allowed with --halving, which sets it; leave it out"
        )
    first = folder(out, 1)
    if store.has_manifest(first):
        begun = set(store.read_manifest(first, columns=["config_id"])[0]["config_id"])
        if begun != set(first_rung(grid, min(rungs)).configs["config_id"]):
            raise ConfigError(
                f"--out {out}: expected the same trainings and first rung, got a "
                "search over others; changing them changes which survive: give another "
                "--out"
            )
    if store.has_manifest(out):
        raise ConfigError(
            f"--out {out}: expected a directory of successive halving, got a plain "
            "launch; give another --out"
        )


def stopped(configs: pd.DataFrame, epochs: int | None) -> pd.DataFrame:
    """Return configs that stop after some epochs; None trains to the end."""
    column = config.column(config.fields(config.Config)["stop_epoch"], [epochs])
    found = configs.assign(stop_epoch=column.repeat(len(configs)))
    return found.assign(config_id=identity.identify(found, options()))


def first_rung(grid: Grid, epochs: int) -> Grid:
    """Return the grid of all configs, stopped after the first rung's epochs."""
    return replace(grid, configs=stopped(grid.configs, epochs))


def next_rung(rung: Grid, survivors: Collection[str], epochs: int | None) -> Grid:
    """Return the grid of the survivors, stopped after the next rung's epochs."""
    stay = rung.configs["config_id"].isin(survivors)
    configs = stopped(rung.configs[stay].reset_index(drop=True), epochs)
    blocks = configs["block"].value_counts(sort=False).to_dict()
    return replace(rung, configs=configs, blocks=blocks, duplicates=0)


def finished(out: Path) -> list[Path]:
    """Return the folders of all rungs of a finished search.

    Raises:
        ConfigError: The search is not finished.
        StoreError: The directory has no rungs.
    """
    count = sum(1 for path in out.glob("rung-*") if path.is_dir())
    folders = [folder(out, rung) for rung in range(1, max(1, count) + 1)]
    last, _ = store.read_manifest(folders[-1], columns=["stop_epoch"])
    if last["stop_epoch"].notna().any() or not status(folders[-1]).complete:
        raise ConfigError(
            f"{out}: expected a finished search; run its command again to continue"
        )
    return folders
