"""A race: rungs that are launches of their own, each of fewer configs, trained longer.

::

    DIR/rung-1/     all configs, 5 epochs
    DIR/rung-2/     the survivors of rung 1, 15 epochs
    DIR/rung-3/     the survivors of rung 2, to the end

A rung trains from the start again. It follows from the rows before it alone, so a race
goes on wherever it was stopped.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pandas as pd

from spiral.errors import ConfigError
from spiral.methods.registry import options
from spiral.protocol import config
from spiral.results import store
from spiral.sweep.grid.grid import Grid
from spiral.sweep.status import status


def folder(out: Path, rung: int) -> Path:
    """Return where a rung is launched; the first is 1."""
    return out / f"rung-{rung}"


def check(grid: Grid, rungs: Collection[int], out: Path) -> None:
    """Raise ConfigError if a race cannot be run like this."""
    epochs = grid.configs["epochs"].min()
    if max(rungs) >= epochs:
        raise ConfigError(
            f"a rung of {max(rungs)} epochs in a training of {epochs}; the last rung "
            "trains to the end in any case"
        )
    if grid.configs["stop_epoch"].notna().any():
        raise ConfigError("a race chooses where trainings stop; leave out stop_epoch")
    first = folder(out, 1)
    if store.has_manifest(first):
        begun = set(store.read_manifest(first, columns=["config_id"])[0]["config_id"])
        if begun != set(first_rung(grid, min(rungs)).configs["config_id"]):
            raise ConfigError(
                f"{out} holds a race over other trainings or rungs; a race cannot be "
                "changed or extended, since others would go on: give another --out"
            )
    if store.has_manifest(out):
        raise ConfigError(f"{out} holds a launch that is no race; give another --out")


def stopped(configs: pd.DataFrame, epochs: int | None) -> pd.DataFrame:
    """Return configs as they are when they stop after some epochs, or at the end."""
    column = config.column(config.fields(config.Config)["stop_epoch"], [epochs])
    found = configs.assign(stop_epoch=column.repeat(len(configs)))
    return found.assign(config_id=config.identify(found, options()))


def first_rung(grid: Grid, epochs: int) -> Grid:
    """Return the grid of all configs, stopped after some epochs."""
    return replace(grid, configs=stopped(grid.configs, epochs))


def next_rung(rung: Grid, survivors: Collection[str], epochs: int | None) -> Grid:
    """Return the grid of those configs of a rung that go on, and how far."""
    stay = rung.configs["config_id"].isin(survivors)
    configs = stopped(rung.configs[stay].reset_index(drop=True), epochs)
    blocks = configs["block"].value_counts(sort=False).to_dict()
    return replace(rung, configs=configs, blocks=blocks, duplicates=0)


def finished(out: Path) -> list[Path]:
    """Return the folders of all rungs of a race.

    Raises:
        ConfigError: It is not finished.
        StoreError: There is none.
    """
    count = sum(1 for path in out.glob("rung-*") if path.is_dir())
    folders = [folder(out, rung) for rung in range(1, max(1, count) + 1)]
    last, _ = store.read_manifest(folders[-1], columns=["stop_epoch"])
    if last["stop_epoch"].notna().any() or not status(folders[-1]).complete:
        raise ConfigError(f"the race in {out} is not finished; run it again to go on")
    return folders
