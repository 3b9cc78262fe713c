"""The map of regimes over temperature and load, from the rows of ``one_shot``."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from spiral.errors import ConfigError
from spiral.protocol.config import OptionClasses
from spiral.report.stats.aggregate import known_at
from spiral.report.stats.frontier_notes import no_frontier
from spiral.report.stats.row_filter import of_task
from spiral.report.stats.selection import task_of
from spiral.report.studies.regimes import measure
from spiral.report.studies.regimes.measure import Points, Retrained, Thresholds
from spiral.results import columns, load
from spiral.search import best_known
from spiral.tasks import catalogue

METHOD = "one_shot"
KNOBS = ("checkpoint", "dense_batch", "dense_lr", "sam")
"""Temperatures: fewer epochs, smaller batches, larger steps and radii are hotter."""

COLD_IS_LARGE = ("checkpoint", "dense_batch")

SAME = (
    *("keep", "seed", "init_seed", "order_seed", "init", "lr", "schedule", "scope"),
    *("allocation", "epochs", "batch", "momentum", "weight_decay", "engine"),
    *("optimiser", "nesterov", "label_smoothing", "retrain_share"),
)
"""What retrainings of one pruned network have in common beside the knobs."""


@dataclass(frozen=True)
class Question:
    """What to map, and how."""

    temperature: str | None = None
    """The knob; the one that takes the most values by default."""
    width: int | None = None
    """Hidden width; the largest by default."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    split: bool = False
    """Whether the threshold of CKA is set by 2-means of the cells' values."""
    every: int = 1
    """Measure on every N-th point."""
    frontier: Path | None = None
    """The file; the shipped one by default."""
    task: str | None = None
    """The only task of the rows by default."""


class RegimeMap(NamedTuple):
    """The map, and what it was drawn from."""

    temperature: str
    width: int
    cells: pd.DataFrame
    """A line for each temperature and load. Of ``n`` dense networks the retrainings of
    some are all constant, ``collapsed``; ``lmc`` and ``cka`` are means over the others
    and the pairs of their retrainings, ``error`` over all. ``over`` is how much more
    that is than the least of the load; ``accuracy_gap`` the difference to the
    accuracy of the best network known of the size that is no wider. The ``regime`` is
    collapsed where more than half are; ``agree`` counts the dense networks whose own
    regime it is."""
    regimes: pd.DataFrame
    """For each regime: its ``cells``, medians of ``accuracy_gap`` and ``over``."""
    notes: list[str]


def draw_map(
    folders: Sequence[Path], options: OptionClasses, question: Question | None = None
) -> RegimeMap:
    """Measure the retrainings of launches and sort cells into regimes.

    Args:
        folders: Results directories with rows of ``one_shot``.
        options: Those of the methods that this process knows.
        question: What to map, and how.

    Raises:
        ConfigError: There are no such rows, those are of several tasks, or the
            temperature is unknown.
        StoreError: A folder holds no rows, or the file no frontier.
    """
    question = question or Question()
    table, notes = load.read(folders, options)
    table = of_task(table, question.task)
    ours, task = _ours(table, question.width), task_of(table)
    knob = question.temperature or max(KNOBS, key=lambda name: ours[name].nunique())
    if knob not in KNOBS:
        raise ConfigError(
            f"expected a temperature among {', '.join(KNOBS)}, got {knob!r}"
        )
    ours = _but_for(knob, ours)
    networks = load.networks(folders, ours).set_index("config_id")
    on = measure.points(catalogue.load(task), question.every)
    measured = [
        {knob: part[knob].iloc[0], "keep": part["keep"].iloc[0]}
        | _measure(part, networks, on)
        for _, part in ours.groupby([*KNOBS, *SAME], dropna=False)
        if len(part) > 1
    ]
    if not measured:
        raise ConfigError(
            "expected pruned networks that were retrained more than once, got one "
            "retraining each; give `branch` several values, as 0..2"
        )
    each = pd.DataFrame(measured)
    known = None
    if question.frontier or best_known.exists(task):
        known = best_known.load(question.frontier, task)
    else:
        notes.append(no_frontier(task))
    thresholds = _thresholds(each, knob, question)
    width = int(ours["width"].iloc[0])
    cells = _cells(each, knob, known, thresholds)
    notes = [*notes, *_notes(cells, question, thresholds)]
    return RegimeMap(knob, width, cells, _summary(cells), notes)


def changed(found: RegimeMap, thresholds: Thresholds) -> int:
    """Return how many cells would have another regime by other thresholds."""
    cells = found.cells[found.cells["regime"] != "collapsed"]
    means = cells[["lmc", "cka"]].itertuples(index=False)
    others = [measure.regime(lmc, cka, thresholds) for lmc, cka in means]
    return int((cells["regime"] != others).sum())


def _ours(table: pd.DataFrame, width: int | None) -> pd.DataFrame:
    """Return the rows of one width, knobs that were left out filled in."""
    ours = table[table["method"] == METHOD]
    if width is None and len(ours):
        width = int(ours["width"].max())
    ours = ours[(ours["width"] == width) & (ours["status"] != "diverged")]
    if ours.empty:
        raise ConfigError(
            f"expected rows of method {METHOD}"
            + (f" of width {width}" if width else "")
            + ", got none; `spiral-sweep launch seeds/regimes` trains some"
        )
    return ours.assign(
        checkpoint=ours["checkpoint"].fillna(ours["epochs"]),
        dense_batch=ours["dense_batch"].fillna(ours["batch"]),
        dense_lr=ours["dense_lr"].fillna(ours["lr"]),
    ).reset_index(drop=True)


def _but_for(knob: str, ours: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose other knobs are as cold as the retraining."""
    usual = {
        "checkpoint": ours["epochs"],
        "dense_batch": ours["batch"],
        "dense_lr": ours["lr"],
        "sam": 0.0,
    }
    others = [ours[name] == usual[name] for name in KNOBS if name != knob]
    plain = np.logical_and.reduce(others)
    # A knob left out and the same value written out are two configs of one network,
    # which would make a pair with itself: connected and alike.
    once = ours[plain].drop_duplicates([*KNOBS, *SAME, "branch"])
    return once.reset_index(drop=True)


def _measure(
    part: pd.DataFrame, networks: pd.DataFrame, on: Points
) -> dict[str, float]:
    """Return the numbers of the retrainings of one pruned network."""
    retrained = []
    for config_id in part["config_id"]:
        row = networks.loc[config_id].to_dict()
        mask, params = columns.params_of(row)
        retrained.append(Retrained(params, mask, int(row["width"])))
    found = measure.pairs(retrained, on)
    known = [pair for pair in found if not np.isnan(pair.cka)]
    lmc, cka = np.mean(known, axis=0).tolist() if known else (np.nan, np.nan)
    return {
        "lmc": lmc,
        "cka": cka,
        "error": float(1 - part["accuracy"].mean()),
        "nnz": float(part["nnz"].median()),
        "width": float(part["width"].iloc[0]),
    }


def _thresholds(each: pd.DataFrame, knob: str, question: Question) -> Thresholds:
    """Return the thresholds asked for, or those of the data."""
    if not question.split:
        return question.thresholds
    means = each.groupby([knob, "keep"])["cka"].mean().to_numpy(np.float64)
    return replace(question.thresholds, alike=measure.border(means))


def _cells(
    measured: pd.DataFrame,
    knob: str,
    known: pd.DataFrame | None,
    thresholds: Thresholds,
) -> pd.DataFrame:
    """Return a line for each temperature and load, from cold to hot."""
    own = [
        measure.regime(lmc, cka, thresholds)
        for lmc, cka in measured[["lmc", "cka"]].itertuples(index=False)
    ]
    found = []
    for (heat, keep), part in measured.assign(own=own).groupby([knob, "keep"]):
        means = part[["lmc", "cka", "error", "nnz", "width"]].mean()
        collapsed = int(part["cka"].isna().sum())
        name = "collapsed"
        if 2 * collapsed <= len(part):
            name = measure.regime(means["lmc"], means["cka"], thresholds)
        facts = {knob: heat, "keep": int(keep), "regime": name, "n": len(part)}
        agree = int((part["own"] == name).sum())
        counts = {"agree": agree, "collapsed": collapsed}
        found.append(facts | means.to_dict() | counts)
    cells = pd.DataFrame(found)
    sizes, widths = (cells.pop(name).to_numpy() for name in ("nnz", "width"))
    best = np.full(len(sizes), np.nan)
    if known is not None:
        best = known_at(sizes, widths, known, "any")
    cells["over"] = cells["error"] - cells.groupby("keep")["error"].transform("min")
    cells["accuracy_gap"] = best - (1 - cells["error"])
    cold_first = knob not in COLD_IS_LARGE
    return cells.sort_values(
        [knob, "keep"], ascending=[cold_first, True], ignore_index=True
    )


def _summary(cells: pd.DataFrame) -> pd.DataFrame:
    """Return a line for each regime that occurs, the smallest accuracy gap first."""
    grouped = cells.groupby("regime")
    table = grouped[["accuracy_gap", "over"]].median()
    table.insert(0, "cells", grouped.size())
    return table.sort_values("accuracy_gap").reset_index()


def _notes(
    cells: pd.DataFrame, question: Question, thresholds: Thresholds
) -> list[str]:
    """Return notes on a map."""
    barrier, alike = thresholds.barrier, thresholds.alike
    source = (
        "the threshold of cka follows from the data"
        if question.split
        else "the paper gives no thresholds; these are this project's"
    )
    notes = [
        f"regime I: lmc below {barrier:g}; otherwise II-A: cka below {alike:.3g}, and "
        f"II-B: cka of {alike:.3g} or more; {source}",
        "cka does not distinguish an output from its inverse; read it with lmc",
    ]
    if cells["collapsed"].any():
        notes.append(
            f"{cells['collapsed'].sum()} pruned networks have constant outputs and "
            "no cka"
        )
    if question.every > 1:
        notes.append(f"lmc and cka are measured on one point in {question.every}")
    return notes
