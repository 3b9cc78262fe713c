"""Figures of undertraining: accuracy and entropy over the budget, a line per size."""

from collections.abc import Iterable
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from spiral.report.figures import style
from spiral.report.figures.layout import counted, explain

PANELS = {
    "accuracy": "median accuracy",
    "entropy": "median entropy (nats)",
}
"""Rows of the figure."""

KINDS = ("method", "width", "smoothing")
"""What its columns differ in."""


def draw(summary: pd.DataFrame) -> Figure:
    """Return accuracy over entropy, a column for each kind of pruned networks.

    Args:
        summary: What ``undertraining.over_budget`` found, medians over seeds. Dense
            networks stand beside the pruned ones of their width and smoothing, in grey;
            alone, they have columns.
    """
    kinds = [name for name in KINDS if name in summary]
    pruned = summary[summary["keep"].notna()]
    parts = (summary if pruned.empty else pruned).groupby(
        kinds, sort=False, dropna=False
    )
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(1.5 + 2.2 * len(parts), 4.6)
        panels = figure.subplots(
            2, len(parts), sharex=True, sharey="row", squeeze=False
        )
        for column, (kind, part) in zip(panels.T, parts, strict=True):
            column[0].set_title(_named(dict(zip(kinds, kind, strict=True)), summary))
            column[-1].set_xlabel("epochs trained")
            dense = _beside(part, summary[summary["keep"].isna()])
            for axes, name in zip(column, PANELS, strict=True):
                if len(pruned):
                    over_budget(axes, dense, name, summary)
                over_budget(axes, part, name, summary)
        for axes, label in zip(panels[:, 0], PANELS.values(), strict=True):
            axes.set_ylabel(label)
        _legend(figure, panels.flat)
        explain(figure, _caption(summary), legend=False)
    return figure


def _caption(summary: pd.DataFrame) -> str:
    """Return what is plotted, and n."""
    text = (
        "Accuracy and entropy of the outputs over the epochs trained, a line for each "
        f"size: medians over {counted(summary['n'], 'seeds')}, settings cross-fitted"
    )
    return f"{text}; ε: label smoothing." if "smoothing" in summary else f"{text}."


def _beside(part: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Return the dense networks that compare with pruned ones of a kind."""
    same = whole["width"] == part["width"].iloc[0]
    if "smoothing" in whole:
        ours = part["smoothing"].fillna(0.0).iloc[0]
        same &= whole["smoothing"].fillna(0.0) == ours
    return whole[same]


def over_budget(
    axes: Axes, part: pd.DataFrame, column: str, summary: pd.DataFrame
) -> None:
    """Draw medians over the epochs trained: a line per size.

    Args:
        axes: Where to draw.
        part: Rows of one kind with ``keep``, ``trained`` and medians.
        column: What to draw, a key of ``PANELS``.
        summary: All rows, for colours and ticks.
    """
    sizes = sorted(summary["keep"].dropna().unique())
    for keep, line in part.groupby(part["keep"].fillna(0)):
        ordered = line.sort_values("trained")
        x, y = (ordered[c].to_numpy(float) for c in ("trained", column))
        look = {"color": _colour(keep, sizes), "zorder": 2 if keep else 1}
        axes.plot(x, y, marker="o", markersize=4, label=f"{keep or 'dense'}", **look)
    axes.set(xscale="log", xticks=sorted(summary["trained"].unique()))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _legend(figure: Figure, panels: Iterable[Axes]) -> None:
    """Add one legend of colours and sizes, the largest first as lines often are."""
    found = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    order = sorted(found, key=lambda label: -int(label) if label.isdecimal() else -1e9)
    figure.legend(
        [found[label] for label in order],
        order,
        title="weights",
        loc="outside right center",
    )


def _colour(keep: int, sizes: list[int]) -> Any:
    """Return the colour of a size: the larger the darker; grey for all weights (0)."""
    if not keep:
        return "#555555"
    return mpl.colormaps["viridis_r"](0.15 + 0.85 * sizes.index(keep) / len(sizes))


def _named(kind: dict[str, Any], summary: pd.DataFrame) -> str:
    """Return the title of a kind of networks."""
    parts = [str(kind["method"])]
    if summary["width"].nunique() > 1:
        parts.append(f"width {kind['width']}")
    if pd.notna(kind.get("smoothing")):
        parts.append(f"ε = {kind['smoothing']:g}")
    return "\n".join(parts)
