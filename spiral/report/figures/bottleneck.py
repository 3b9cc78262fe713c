"""Networks with one unit in layer 2: maps of that unit, and the output over it."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.errors import ConfigError
from spiral.report.figures import layout, maps, style
from spiral.report.figures.files import of_entry
from spiral.report.figures.networks import Drawn
from spiral.report.stats.bottleneck import Bottleneck, bottleneck
from spiral.search import best_known
from spiral.tasks import catalogue

BINS = 120


def draw(
    path: Path | None, nnz: Sequence[int] = (), task: str = catalogue.DEFAULT
) -> Figure:
    """Return, for each network, the map of its unit and the output over its value.

    Args:
        path: The frontier; the shipped one by default.
        nnz: Sizes; by default the smallest that reaches each threshold.
        task: Whose frontier.

    Raises:
        ConfigError: No network of these sizes has one unit in layer 2.
    """
    table = best_known.load(path, task)
    single = table[table["shape"].str.split(",").str[1] == "1"]
    leaders = best_known.leaders(single)
    fewest = [best_known.fewest(single, level) for level in best_known.THRESHOLDS]
    chosen = leaders[leaders["nnz"].isin(nnz or [size for size in fewest if size])]
    if chosen.empty:
        known = ", ".join(map(str, leaders["nnz"])) or "none"
        raise ConfigError(
            "expected sizes of networks with one unit in the second hidden layer "
            f"({known}), got {', '.join(map(str, nnz)) or 'none'}"
        )
    entries = chosen.to_dict("records")
    caption = (
        f"n = {len(entries)} networks of the frontier with one unit in layer 2. Left: "
        "lines of equal value of that unit, dashed where a unit of layer 1 switches "
        "on, with data. Right: how many points have each value, by class, and the "
        "network's output over it; grey lines: where the class changes."
    )
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(8.0, 3.6 * len(entries) + 0.7)
        every = figure.subplots(len(entries), 2, squeeze=False)
        for (left, right), entry in zip(every, entries, strict=True):
            drawn = of_entry(entry, task)
            _levels(left, drawn)
            found = bottleneck(best_known.network_of(entry), catalogue.load(task))
            _output(right, found)
        layout.explain(figure, caption)
    return figure


def _levels(axes: Axes, network: Drawn) -> None:
    """Draw lines of equal value of the unit, and the kinks of layer 1."""
    first, second = maps.layers(network)[1:3]
    across, up = maps.ticks(network.task)
    lines = {"colors": style.PALE, "linewidths": 0.8, "linestyles": "solid"}
    axes.contour(across, up, second[0], levels=24, **lines)
    for unit in first:
        if unit.min() < 0 < unit.max():
            axes.contour(
                across,
                up,
                unit,
                levels=[0.0],
                colors=style.INK,
                linestyles="dashed",
                linewidths=1.0,
            )
    maps.dots(axes, network.task)
    axes.set(title=style.plain(network.title), xticks=[], yticks=[])


def _output(axes: Axes, found: Bottleneck) -> None:
    """Draw the histogram of each class and the output over the unit's value."""
    edges = np.linspace(found.grid[0], found.grid[-1], BINS)
    for label, colour in enumerate(style.CLASSES):
        axes.hist(
            found.scalar[found.label == label],
            edges.tolist(),
            color=colour,
            alpha=0.6,
            label=f"points of class {label}",
        )
    for value in found.thresholds:
        axes.axvline(value, color=style.PALE, linewidth=1.0)
    axes.set(xlabel="value of the unit in layer 2", ylabel="points")
    beside = axes.twinx()
    beside.plot(found.grid, found.output, color=style.INK, linewidth=1.2)
    beside.axhline(0.0, color=style.INK, linewidth=0.4)
    high = float(np.abs(found.output).max())
    beside.set(ylabel="output (logit)", ylim=(-1.1 * high, 1.1 * high))
