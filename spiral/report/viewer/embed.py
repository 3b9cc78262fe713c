"""Which networks the viewer's page carries, and what it knows about each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from spiral.errors import ConfigError
from spiral.model import initial, masks, mlp
from spiral.protocol import config
from spiral.protocol.config import OptionClasses
from spiral.report.viewer import row_choice
from spiral.results import columns as rows
from spiral.results import read, versions
from spiral.search import best_known, network, network_files
from spiral.search.network_files import Saved
from spiral.tasks import catalogue

Source = tuple[str, int, int]
"""Arguments of ``initial.params``: where initial parameters are from."""

ID_DIGITS = 12
COLUMNS = ("config_id", "loss", *read.MEASURED)
KINDS = ("any", "protocol")
START_WIDTH = 8
"""Of the network to train where no row is shown; it fits a phone's screen."""

RECIPE: dict[str, Any] = {
    "lr": 0.1,
    "schedule": "cosine",
    "epochs": 50,
    "batch": 128,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "seed": None,
    "init_seed": None,
    "order_seed": 0,
}
"""How the page trains a network whose training is unknown."""


class Embedded(NamedTuple):
    """One network of the page."""

    facts: dict[str, Any]
    """Its columns: plain values, null where there is none."""
    mask: np.ndarray
    """bool [P]."""
    kept: np.ndarray
    """The kept parameters, float32."""


class Found(NamedTuple):
    """The rows that were chosen."""

    networks: list[Embedded]
    initial: list[np.ndarray]
    """Initial parameters that are not drawn from a seed; fact ``init`` is an index."""
    notes: list[str]


def of_frontier() -> list[Embedded]:
    """Return the networks of the default task's frontier, each with its own id."""
    return of_entries(best_known.load(), catalogue.DEFAULT)


def of_task(task: str, others: Sequence[Embedded]) -> list[Embedded]:
    """Return the leaders of the frontier of a further task, or a network to start from.

    Leaders alone, as there may be many tasks. Where no row is shown, there is a network
    to train.

    Args:
        task: Not the default one.
        others: The networks that the page has anyway.
    """
    found = []
    if best_known.exists(task):
        known = best_known.load(task=task)
        some = [best_known.leaders(known[known["kind"] == kind]) for kind in KINDS]
        found = of_entries(pd.concat(some, ignore_index=True), task)
    alone = all(network.facts["task"] != task for network in others)
    return [*found, untrained(task)] if alone else found


def untrained(task: str) -> Embedded:
    """Return a dense network with drawn weights: a start where none is known."""
    params = initial.params(initial.DEFAULT, 0, START_WIDTH)
    mask = np.ones(len(params), bool)
    weights = int(mlp.is_weight(START_WIDTH).sum())
    facts = {
        "id": f"{task}:untrained",
        "task": task,
        "config_id": "",
        "method": "untrained",
        "kind": None,
        "width": START_WIDTH,
        "nnz": weights,
        "nnz_params": len(params),
        "effective_nnz": weights,
        "accuracy": None,
        "loss": None,
        "status": "untrained",
        "about": f"width {START_WIDTH}, drawn weights: train it, or prune it",
        "init": None,
        **RECIPE,
        "init_seed": 0,
    }
    return Embedded(facts, mask, params)


def of_entries(known: pd.DataFrame, task: str) -> list[Embedded]:
    """Return the networks of a frontier, each with an id of its own."""
    # A size has several networks: the best of each width, and the best on the curve
    best_first = known.sort_values(
        ["accuracy", "loss"], ascending=[False, True], kind="stable"
    )
    place = best_first.groupby(["kind", "nnz", "nnz_params"]).cumcount()
    entries = zip(known.to_dict("records"), place.sort_index(), strict=True)
    return [of_entry(entry, int(number), task) for entry, number in entries]


def of_entry(
    entry: Mapping[Any, Any], number: int = 0, task: str = catalogue.DEFAULT
) -> Embedded:
    """Return one network of a frontier.

    Args:
        entry: Its row.
        number: How many of its kind and size are better.
        task: Whose frontier.
    """
    before = "" if task == catalogue.DEFAULT else f"{task}:"
    mask, params, width = network.unpacked(entry["matrices"], entry["params"])
    facts = {
        "id": f"{before}{entry['kind']}-{entry['nnz']}-{entry['nnz_params']}"
        + (f"-{1 + number}" if number else ""),
        "task": task,
        "config_id": entry["config_id"],
        "method": "frontier",
        "kind": entry["kind"],
        "width": width,
        "nnz": entry["nnz"],
        "nnz_params": len(entry["params"]),
        "effective_nnz": entry["nnz"],
        "accuracy": entry["accuracy"],
        "loss": entry["loss"],
        "status": "ok",
        "about": f"shape {entry['shape'].replace(',', '-')}, found by {entry['found']}",
        "init": None,
        **RECIPE,
    }
    return Embedded(facts, mask, params[mask])


def of_folders(
    folders: Sequence[Path],
    options: OptionClasses,
    select: str | None,
    leaders: bool,
    limit: int,
) -> Found:
    """Return the networks of launches, summaries and files, each config once."""
    found, places = Found([], [], []), dict[Source, int | None]()
    seen: set[str] = set()
    for folder in folders:
        if network_files.is_one(folder):
            task = catalogue.load(catalogue.DEFAULT)
            saved = network_files.read(folder, task)
            start = len(found.networks)
            found.networks.extend(of_saved(s, start + n) for n, s in enumerate(saved))
            found.notes.append(f"{len(saved):,} networks of {folder.name}")
            continue
        common = config.fields(config.Config)
        columns = [*dict.fromkeys([*common, *read.options(folder), *COLUMNS])]
        every = versions.complete(row_choice.read_rows(folder, columns), options)
        known = row_choice.with_points(every, found.notes)
        chosen = row_choice.choose(known, select, leaders)
        chosen = chosen[~chosen["config_id"].isin(seen)].head(limit - len(seen))
        seen.update(chosen["config_id"])
        found.notes.append(f"{len(chosen):,} of {len(known):,} rows of {folder.name}")
        if chosen.empty:
            continue
        ids = chosen["config_id"].tolist()
        whole = versions.complete(row_choice.read_rows(folder, ids=ids), options)
        for _, row in whole.iterrows():
            init = index_of(row, places, found.initial)
            found.networks.append(of_row(row, init, options))
    if folders and not found.networks:
        raise ConfigError(
            f"expected rows that satisfy --select {select!r}, got none; `spiral-sweep "
            "compare` lists the rows there are"
        )
    return found


def of_saved(saved: Saved, number: int) -> Embedded:
    """Return a network of a file, under a number that makes its id unique."""
    mask, params = saved.mask, saved.params
    kept = params[mask]
    facts = {
        "id": f"file-{1 + number}",
        "task": catalogue.DEFAULT,
        "config_id": saved.config_id,
        "method": "file",
        "kind": None,
        "width": saved.width,
        "nnz": saved.matrices.count("1"),
        "nnz_params": len(kept),
        "effective_nnz": int(masks.on_path(mask[None], saved.width).sum()),
        "accuracy": saved.accuracy,
        "loss": saved.loss,
        "status": "ok",
        "about": f"{saved.name}, {saved.made or 'as it was'}, by {saved.origin}",
        "init": None,
        **RECIPE,
    }
    return Embedded(facts, mask, kept)


def of_row(row: pd.Series, init: int | None, options: OptionClasses) -> Embedded:
    """Return the network of a row; ``init`` is the index of its initial parameters."""
    mask, params = rows.params_of(row)
    drawn = _drawn(row)
    facts = {
        "id": row["config_id"][:ID_DIGITS],
        "task": row["task"],
        "config_id": row["config_id"],
        "method": row["method"],
        "kind": None,
        "width": int(row["width"]),
        "nnz": int(row["nnz"]),
        "nnz_params": int(mask.sum()),
        "effective_nnz": int(row["effective_nnz"]),
        "accuracy": _finite(row["accuracy"]),
        "loss": _finite(row["loss"]),
        "status": row["status"],
        "about": about(row, options),
        "init": init,
        **{name: _plain(row[name]) for name in RECIPE},
        "init_seed": int(row["init_seed"]) if drawn else None,
    }
    return Embedded(facts, mask, params[mask])


def about(row: pd.Series, options: OptionClasses) -> str:
    """Return in words what distinguishes a row: recipe, seed, options."""
    words = [f"width {row['width']}", f"seed {row['seed']}"]
    words += [f"lr {row['lr']}", row["schedule"]]
    own = options.get(row["method"], config.Options)
    for name, field in config.fields(own).items():
        value = _plain(row[name])
        if value is not None and value != field.default:
            words.append(f"{name} {value}")
    return ", ".join(words)


def index_of(
    row: pd.Series,
    places: dict[Source, int | None],
    known: list[np.ndarray],
) -> int | None:
    """Return the index among ``known`` of what a row began with, or add it.

    None where the page draws it itself, from the seed, or a file is gone.
    """
    if _drawn(row):
        return None
    seed = int(row["init_seed"]) if initial.drawn(row["init"]) else 0
    key = row["init"], seed, int(row["width"])
    if key not in places:
        try:
            known.append(initial.params(*key))
            places[key] = len(known) - 1
        except ConfigError:
            places[key] = None
    return places[key]


def _drawn(row: pd.Series) -> bool:
    """Return whether the page can draw a row's initial parameters from its seed."""
    return pd.isna(row["init"]) or row["init"] == initial.DEFAULT


def _plain(value: Any) -> Any:
    """Return a column's value as Python has it."""
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _finite(value: Any) -> float | None:
    """Return a number, or None for what JSON cannot represent."""
    return float(value) if pd.notna(value) and np.isfinite(value) else None
