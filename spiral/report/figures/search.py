"""Figures of the search: frontier, success over size, galleries of networks."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.report.figures import style
from spiral.report.figures.layout import explain
from spiral.report.figures.maps import boundary, layers
from spiral.report.figures.networks import Drawn, graph, neurons, tallest
from spiral.search.best_known import Kind

KINDS: dict[Kind, tuple[str, str, str]] = {
    "any": ("by any means", "#D55E00", "-"),
    "protocol": ("trained as in the paper", "#0072B2", "--"),
}

PAPER = ((30, 0.95), (45, 0.995))
"""Approximate parameters of the sparsest networks of Zhang & Papyan (2024), and the
accuracy that they reach."""


def frontier(
    axes: Axes,
    best: Mapping[Kind, pd.Series],
    size: str,
    thresholds: Sequence[float],
    brackets: Mapping[float, tuple[int, int]] | None = None,
) -> None:
    """Draw the best accuracy known over size, with the thresholds.

    Args:
        axes: Where to draw.
        best: For ``any`` and ``protocol``, accuracy by size.
        size: ``nnz`` or ``nnz_params``; with parameters the paper's are marked.
        thresholds: Accuracies for level lines.
        brackets: For accuracies the proven and the best known number of weights.
    """
    for kind, series in best.items():
        label, colour, line = KINDS[kind]
        steps: dict[str, Any] = {"where": "post", "color": colour, "linestyle": line}
        axes.step(series.index, series.to_numpy(), label=label, **steps)
        axes.plot(series.index, series.to_numpy(), ".", color=colour, markersize=3)
    for level in thresholds:
        axes.axhline(level, color=style.PALE, linewidth=1)
    if size == "nnz_params":
        x, y = zip(*PAPER, strict=True)
        axes.plot(x, y, "k*", markersize=10, label="Zhang & Papyan 2024 (about)")
    for level, ends in (brackets or {}).items():
        axes.hlines(level, *ends, color=style.INK, linewidth=3, alpha=0.35)
        axes.plot(ends, [level, level], "|", color=style.INK)
    name = "weights" if size == "nnz" else "weights and biases"
    axes.set(xlabel=name, ylabel="best accuracy known")
    axes.legend(loc="lower right", fontsize=8)


def success(axes: Axes, shares: pd.DataFrame) -> None:
    """Draw the share of trainings that reach each level over the weights of the mask.

    Args:
        axes: Where to draw.
        shares: Rows with ``level``, ``nnz``, ``hits``, ``n``, ``low`` and ``high`` (an
            interval for the share).
    """
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.85, shares["level"].nunique()))
    for colour, (level, part) in zip(colours, shares.groupby("level"), strict=True):
        x, share = part["nnz"].to_numpy(), (part["hits"] / part["n"]).to_numpy()
        label = f"accuracy ≥ {level} ({int(part['hits'].sum()):,} hits)"
        some = share > 0
        axes.plot(x[some], share[some], "o-", color=colour, markersize=3, label=label)
        low, high = part["low"].to_numpy(), part["high"].to_numpy()
        axes.fill_between(x, np.maximum(low, 1e-7), high, color=colour, alpha=0.15)
    axes.set_yscale("log")
    total = int(shares.drop_duplicates("nnz")["n"].sum())
    axes.set(xlabel="weights of the mask", ylabel=f"share of {total:,} trainings")
    axes.legend(loc="best", fontsize=8)


EDGES = (
    "Weights: orange positive, blue negative, the wider the larger. Grey: not on a "
    "path from input to output, or next to a unit that is never active."
)


def gallery(networks: Sequence[Drawn]) -> Figure:
    """Return networks as graphs, each above its decision boundary."""
    columns = len(networks)
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(3.4 * columns, 5.6)
        rows = figure.subplots(2, columns, squeeze=False, height_ratios=[2, 3])
        for above, below, network in zip(*rows, networks, strict=True):
            graph(above, network)
            boundary(below, network)
            below.get_legend().remove()
        explain(figure, EDGES)
    return figure


def inside(networks: Sequence[Drawn]) -> Figure:
    """Return networks below each other, as graphs of maps of their neurons."""
    heights = [tallest(network) for network in networks]
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(8.0, sum(heights) + 0.3)
        axes = figure.subplots(len(networks), squeeze=False, height_ratios=heights)
        for place, network in zip(axes[:, 0], networks, strict=True):
            neurons(place, network, layers(network))
        explain(figure, EDGES)
    return figure
