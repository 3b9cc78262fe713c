"""Figures of one network, of a search or of the frontier: which numbers each shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from spiral.errors import ConfigError
from spiral.protocol.methods import Methods
from spiral.report.figures import layout, maps, search
from spiral.report.figures import undertraining as undertraining_figures
from spiral.report.figures.networks import Drawn
from spiral.report.stats import success as success_rates
from spiral.report.stats import undertraining
from spiral.report.stats.row_filter import Where, of_task
from spiral.report.stats.selection import TASK
from spiral.results import columns, read
from spiral.search import best_known, network
from spiral.search.certify import record
from spiral.tasks import catalogue

LEVELS = (0.8, 0.9, 0.95)
"""Accuracies of the figure of success rates."""


def budget(folders: Sequence[Path], methods: Methods, where: Where) -> Figure:
    """Return accuracy and entropy over the epochs trained."""
    return undertraining_figures.draw(undertraining.of_folders(folders, methods, where))


def boundary(out: Path, config_id: str) -> Figure:
    """Return the decision map of one network."""
    one = _network(out, config_id)
    every = maps.stride(catalogue.load(one.task).points)
    caption = (
        "Decision map of n = 1 network. Shade: probability of class 1; line: where "
        f"both classes are equally likely; dots: one data point in {every}."
    )
    return layout.draw(
        lambda axes: maps.boundary(axes, one, one.title),
        5.5,
        5.8,
        caption,
    )


def neurons(out: Path, config_id: str) -> Figure:
    """Return one network as a graph of maps."""
    return search.inside([_network(out, config_id)])


def success(out: Path, levels: Sequence[float] = (), task: str | None = None) -> Figure:
    """Return the share of trainings that reach each accuracy, over the mask's size.

    Args:
        out: The results directory.
        levels: Accuracies.
        task: Which rows; by default those of the only task.
    """
    found = read.read(out, [*success_rates.COLUMNS, TASK])
    rows = of_task(found.fillna({TASK: catalogue.DEFAULT}), task)
    shares = success_rates.over_nnz(rows, levels or LEVELS)
    caption = (
        f"Share of n = {len(rows):,} trainings of given masks that reach an accuracy, "
        "by the weights of the mask; bands: 95 % intervals."
    )
    return layout.draw(lambda axes: search.success(axes, shares), caption=caption)


def frontier(
    path: Path | None, by: best_known.Size, task: str = catalogue.DEFAULT
) -> Figure:
    """Return the best accuracy known over size."""
    table = best_known.load(path, task)
    best = {kind: best_known.best(table, kind, by) for kind in search.KINDS}
    caption = (
        f"Best accuracy of n = {len(table):,} networks of the frontier with at most "
        "each size. Grey lines: the paper's thresholds."
    )
    brackets = _brackets(table, task) if by == "nnz" else {}
    if brackets:
        caption += (
            " Bars: from the proven to the best known number of weights; the smallest "
            "lies between."
        )
    return layout.draw(
        lambda axes: search.frontier(axes, best, by, best_known.THRESHOLDS, brackets),
        caption=caption,
    )


def _brackets(table: pd.DataFrame, task: str) -> dict[float, tuple[int, int]]:
    """Return the proven and the best known weights of each threshold that has both."""
    found = {}
    for level in best_known.THRESHOLDS:
        low = record.at_least(level, task=task)
        high = best_known.fewest(table, level)
        if low and high:
            found[level] = (low, high)
    return found


def networks(
    path: Path | None,
    nnz: Sequence[int] = (),
    neurons: bool = False,
    task: str = catalogue.DEFAULT,
) -> Figure:
    """Return networks of the frontier as graphs.

    Args:
        path: The frontier; the shipped one by default.
        nnz: Sizes; the smallest that reaches each threshold by default.
        neurons: Whether to show where each neuron is active, in place of the
            decision map.
        task: Whose frontier.

    Raises:
        ConfigError: The frontier has no network of these sizes.
    """
    table = best_known.load(path, task)
    leaders = best_known.leaders(table)
    fewest = [best_known.fewest(table, level) for level in best_known.THRESHOLDS]
    chosen = leaders[leaders["nnz"].isin(nnz or [size for size in fewest if size])]
    if chosen.empty:
        known = ", ".join(map(str, leaders["nnz"]))
        raise ConfigError(
            f"expected sizes of networks on the frontier ({known}), got "
            f"{', '.join(map(str, nnz)) or 'none'}"
        )
    drawn = [of_entry(entry, task) for entry in chosen.to_dict("records")]
    return search.inside(drawn) if neurons else search.gallery(drawn)


def of_entry(entry: Mapping[Any, Any], task: str = catalogue.DEFAULT) -> Drawn:
    """Return a network of the frontier of a task to draw."""
    return Drawn(
        f"{entry['nnz']} weights, {entry['nnz_params']} parameters\n"
        f"accuracy {entry['accuracy']:.4f}",
        *network.unpacked(entry["matrices"], np.asarray(entry["params"])),
        task,
    )


def _network(out: Path, config_id: str) -> Drawn:
    """Return one network of a results directory to draw."""
    row = read.find(out, config_id)
    title = (
        f"{row['method']}, width {row['width']}: {row['nnz']} weights "
        f"({row['effective_nnz']} on a path), accuracy {row['accuracy']:.4f}"
    )
    task = row.get("task", catalogue.DEFAULT)
    return Drawn(title, *columns.params_of(row), int(row["width"]), str(task))
