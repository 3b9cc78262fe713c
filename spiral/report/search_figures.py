"""Figures of the search: frontier, success over size, networks as graphs."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral import masks, mlp
from spiral.report import figures, style
from spiral.search.frontier import Kind

KINDS: dict[Kind, tuple[str, str, str]] = {
    "any": ("by any means", "#D55E00", "-"),
    "protocol": ("trained as in the paper", "#0072B2", "--"),
}

PAPER = ((30, 0.95), (45, 0.995))
"""About how many parameters the sparsest networks of Zhang & Papyan (2024) have, and
the accuracy that they reach."""

SIGNS = ("#D55E00", "#0072B2")  # negative, positive
GREY = "#BBBBBB"
INPUTS = ("x₁", "x₂")


class Drawn(NamedTuple):
    """A network to draw."""

    title: str
    mask: Bool[np.ndarray, " P"]
    params: Float[np.ndarray, " P"]
    width: int


def frontier(
    axes: Axes, best: Mapping[Kind, pd.Series], size: str, thresholds: Sequence[float]
) -> None:
    """Draw the best accuracy known over size, with the thresholds.

    Args:
        axes: Where to draw.
        best: For ``any`` and ``protocol``, accuracy by size.
        size: ``nnz`` or ``nnz_params``; with parameters the paper's are marked.
        thresholds: Accuracies for level lines.
    """
    for kind, series in best.items():
        label, colour, line = KINDS[kind]
        steps: dict[str, Any] = {"where": "post", "color": colour, "linestyle": line}
        axes.step(series.index, series.to_numpy(), label=label, **steps)
        axes.plot(series.index, series.to_numpy(), ".", color=colour, markersize=3)
    for level in thresholds:
        axes.axhline(level, color=GREY, linewidth=1)
    if size == "nnz_params":
        x, y = zip(*PAPER, strict=True)
        axes.plot(x, y, "k*", markersize=10, label="Zhang & Papyan 2024 (about)")
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


def graph(axes: Axes, network: Drawn) -> None:
    """Draw a network: width of an edge by |w|, colour by sign, dead parts grey."""
    weights = [w for w, _ in mlp.matrices(network.params, network.width)]
    kept = [w for w, _ in mlp.matrices(network.mask, network.width)]
    flat = masks.on_path(network.mask[None], network.width)[0]
    useful = [
        flat[layer.columns].reshape(layer.outputs, layer.inputs)
        for layer in mlp.layers(network.width)
    ]
    units = _units(kept)
    places = [_heights(len(layer)) for layer in units]
    largest = max(float(np.abs(network.params).max()), 1e-30)
    for number, (w, k, u) in enumerate(zip(weights, kept, useful, strict=True)):
        for j, after in enumerate(units[number + 1]):
            for i, before in enumerate(units[number]):
                if k[after, before]:
                    value = w[after, before]
                    colour = SIGNS[int(value > 0)] if u[after, before] else GREY
                    ends = places[number][i], places[number + 1][j]
                    thick = 0.4 + 3.6 * abs(value) / largest
                    axes.plot([number, number + 1], ends, color=colour, lw=thick)
    for number, layer in enumerate(places):
        axes.plot([number] * len(layer), layer, "o", color="black", markersize=6)
    for place, name in zip(places[0], INPUTS, strict=True):
        axes.annotate(name, (-0.12, place), ha="right", va="center")
    tallest = max(layer[0] for layer in places) + 0.2
    axes.set(xlim=(-0.5, 4.3), ylim=(-tallest, tallest), title=network.title)
    axes.axis("off")


def gallery(networks: Sequence[Drawn]) -> Figure:
    """Return networks as graphs, each above its decision boundary."""
    columns = len(networks)
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(3.4 * columns, 5.6)
        rows = figure.subplots(2, columns, squeeze=False, height_ratios=[2, 3])
        for above, below, network in zip(*rows, networks, strict=True):
            graph(above, network)
            figures.boundary(below, network.params, network.width)
            if network is not networks[0]:
                below.get_legend().remove()
    return figure


def _units(kept: Sequence[Bool[np.ndarray, "out in"]]) -> list[np.ndarray]:
    """Return the units of every layer that have a weight, in or out."""
    hidden = [
        np.flatnonzero(before.any(axis=1) | after.any(axis=0))
        for before, after in pairwise(kept)
    ]
    return [np.arange(mlp.INPUTS), *hidden, np.arange(1)]


def _heights(count: int) -> Float[np.ndarray, " count"]:
    """Return places of units, top first."""
    return np.linspace(0.5, -0.5, count) * 2 * (count - 1) / max(count, 4)
