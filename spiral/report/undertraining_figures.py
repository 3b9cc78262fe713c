"""Figures of undertraining: accuracy and entropy over the budget, a line per size."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from spiral.report import style

LINES = ("-", "-.", (0, (1, 1)), (0, (5, 1)))
"""Line styles, in the order of lines."""

PANELS = {
    "accuracy": "accuracy on all points",
    "entropy": "mean entropy of outputs (nats)",
}
MARKERS = "osD^vP"
"""Of the methods, in order; colours are sizes here."""


def draw(summary: pd.DataFrame) -> Figure:
    """Return accuracy and entropy side by side (see ``undertraining.over_budget``)."""
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(11.0, 4.2)
        panels = figure.subplots(1, len(PANELS))
        for axes, column in zip(panels, PANELS, strict=True):
            over_budget(axes, summary, column)
        panels[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    return figure


def over_budget(axes: Axes, summary: pd.DataFrame, column: str) -> None:
    """Draw medians over the epochs trained: a line per kind and size.

    Args:
        axes: Where to draw.
        summary: Rows with ``method``, ``width``, ``keep``, ``trained`` and medians;
            where it has ``smoothing``, lines of different smoothing are apart.
        column: What to draw, a key of ``PANELS``.
    """
    kinds = [name for name in ("method", "width", "smoothing") if name in summary]
    sizes = sorted(summary["keep"].dropna().unique())
    by_kind = summary.groupby(kinds, sort=False, dropna=False)
    for number, (kind, part) in enumerate(by_kind):
        name = _named(dict(zip(kinds, kind, strict=True)), summary)
        look: dict[str, Any] = {
            "linestyle": LINES[number % len(LINES)],
            "marker": MARKERS[number % len(MARKERS)],
        }
        for keep, line in part.groupby(part["keep"].fillna(0)):
            label = f"{name}, {keep or 'all'} weights"
            ordered = line.sort_values("trained")
            x, y = (ordered[c].to_numpy(float) for c in ("trained", column))
            axes.plot(x, y, label=label, color=_colour(keep, sizes), **look)
    ticks = sorted(summary["trained"].unique())
    axes.set(xscale="log", xlabel="epochs trained", ylabel=PANELS[column], xticks=ticks)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_title("median over seeds")


def _colour(keep: int, sizes: list[int]) -> Any:
    """Return the colour of a size: the larger the darker; grey for all weights (0)."""
    if not keep:
        return "#555555"
    return mpl.colormaps["viridis_r"](0.15 + 0.85 * sizes.index(keep) / len(sizes))


def _named(kind: dict[str, Any], summary: pd.DataFrame) -> str:
    """Return what a method is called beside the others."""
    parts = [str(kind["method"])]
    if summary["width"].nunique() > 1:
        parts.append(f"width {kind['width']}")
    if pd.notna(kind.get("smoothing")):
        parts.append(f"ε = {kind['smoothing']:g}")
    return ", ".join(parts)
