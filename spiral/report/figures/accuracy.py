"""Accuracy over size and width: numbers to Axes, and Axes to figures.

The functions of this module and of its siblings that draw read no files and compute no
statistics.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.report.figures import style
from spiral.report.figures.layout import Sheet, counted, line, panels
from spiral.report.stats.selection import GIVEN
from spiral.search.best_known import Kind

Known = Mapping[Kind, pd.Series]
"""The best accuracy known of each kind, by size or by width."""

KNOWN: dict[Kind, tuple[str, str]] = {
    "any": ("best known", "-"),
    "protocol": ("best known, trained as in the paper", ":"),
}
"""The name and the line of the best known of each kind."""

LIMITS = ("median_low", "median_high")

CROWD = 4
"""Methods up to which the best seed has its own line."""


def accuracy(summary: pd.DataFrame, known: Mapping[int, Known] | None = None) -> Figure:
    """Return accuracy over the weights kept, a panel for each width.

    Args:
        summary: Rows with ``method``, ``width``, ``keep`` (null: a level line),
            ``median``, its limits, ``best``, ``n`` and ``settings``.
        known: For each width the best accuracy known by size, of networks that fit.
    """
    paints = [
        partial(
            accuracy_over_keep,
            summary=part,
            known=(known or {}).get(int(str(width))),
            title=f"width {width}",
        )
        for width, part in summary.groupby("width")
    ]
    one = len(paints) == 1
    sheet = Sheet(1, 6.5, 4.2) if one else Sheet(min(3, len(paints)), 3.3, 2.5)
    dotted = "; dotted: best seed" if _few(summary) else ""
    caption = f"Median over seeds{dotted}. {_settings(summary)}"
    if known:
        caption += " Best known: by any means, in networks no wider."
    return panels(paints, sheet, caption)


def accuracy_over_keep(
    axes: Axes, summary: pd.DataFrame, known: Known | None = None, title: str = ""
) -> None:
    """Draw the median accuracy of each method over the weights kept, of one width.

    Bars are limits of the median. The best seed is dotted if there are few methods.

    Args:
        axes: Where to draw.
        summary: As :func:`accuracy` has it.
        known: The best accuracy known by size, of each kind.
        title: Text above.
    """
    pruned = summary[summary["keep"].notna()].sort_values("keep")
    for method in style.ordered(summary["method"]):
        part = pruned[pruned["method"] == method]
        if len(part):
            line(axes, part, "keep", "median", LIMITS)
            if _few(summary):
                x, best = part["keep"].to_numpy(float), part["best"].to_numpy(float)
                axes.plot(x, best, ":", color=style.colour(method), linewidth=1)
        level = summary[summary["keep"].isna() & (summary["method"] == method)]
        for value in level["median"]:
            colour = style.colour(method)
            axes.axhline(value, color=colour, linestyle="--", label=style.plain(method))
    for kind, series in (known or {}).items():
        label, dashes = KNOWN[kind]
        frontier(axes, series, pruned["keep"], label, dashes)
    axes.set(xlabel="weights kept", ylabel="accuracy", title=title)
    axes.set_ylim(0.48, 1.02)


def frontier(
    axes: Axes, known: pd.Series, sizes: pd.Series, label: str, dashes: str = "-"
) -> None:
    """Draw the best accuracy known as steps, over the range of sizes that methods have.

    Args:
        axes: Where to draw.
        known: Accuracy by size, ascending.
        sizes: Those of methods.
        label: What is known.
        dashes: The style of the line.
    """
    if sizes.empty:
        return
    first, last = int(sizes.min()), int(sizes.max())
    inside = known[(known.index >= first) & (known.index <= last)]
    before = known[known.index <= first].tail(1).to_numpy()
    steps = dict.fromkeys([first] * len(before), float(before.sum())) | dict(inside)
    if steps:
        steps.setdefault(last, max(steps.values()))
        look = _best(label, dashes)
        axes.step([*steps], [*steps.values()], where="post", zorder=3, **look)


def over_width(
    summary: pd.DataFrame, levels: Mapping[int, Known], note: str = ""
) -> Figure:
    """Return accuracy over width, a panel for each size.

    Args:
        summary: As :func:`accuracy` has it, of some sizes.
        levels: For each size the best accuracy known by width, of networks that fit.
        note: A sentence that ends the caption.
    """
    widths = sorted({int(width) for width in summary["width"]})
    paints = [
        partial(
            accuracy_over_width,
            summary=part,
            widths=widths,
            levels=levels.get(int(keep), {}),
        )
        for keep, part in summary.groupby("keep")
    ]
    caption = f"Median over seeds. {_settings(summary)}{note}"
    return panels(paints, Sheet(3, 3.3, 2.6), caption)


def accuracy_over_width(
    axes: Axes,
    summary: pd.DataFrame,
    widths: Sequence[int],
    levels: Known | None = None,
) -> None:
    """Draw the median accuracy of each method over width, of one size.

    Args:
        axes: Where to draw.
        summary: As :func:`accuracy` has it, of one size.
        widths: Ticks: the first, and powers of two.
        levels: The best accuracy known of this size by width, of each kind.
    """
    for method in style.ordered(summary["method"]):
        part = summary[summary["method"] == method].sort_values("width")
        line(axes, part, "width", "median", LIMITS)
    for kind, series in (levels or {}).items():
        (label, dashes), level = KNOWN[kind], series.dropna()
        if len(level):
            axes.plot(level.index, level.to_numpy(), **_best(label, dashes))
    axes.set_xscale("log", base=2)
    shown = [w for w in widths if w & (w - 1) == 0 or w == widths[0]]
    axes.set_xticks(shown, [str(width) for width in shown])
    axes.set_xticks([], minor=True)
    title = f"{int(summary['keep'].iloc[0])} weights"
    axes.set(xlabel="width of the hidden layers", ylabel="accuracy", title=title)
    axes.set_ylim(0.48, 1.02)


def _best(label: str, dashes: str) -> dict[str, Any]:
    """Return how a line of the best known looks, for ``Axes.plot``."""
    look = {"color": style.INK, "linewidth": 1.4}
    return {**look, "linestyle": dashes, "label": label}


def _few(summary: pd.DataFrame) -> bool:
    """Return whether there are few methods."""
    return bool(summary["method"].nunique() <= CROWD)


def _settings(summary: pd.DataFrame) -> str:
    """Return how many seeds a point has, and which setting it shows."""
    count = counted(summary["n"], "seeds")
    text = f"Each point: {count}"
    if summary["median_low"].notna().any():
        text += ", bars are 95 % intervals of the median"
    given = summary["method"].isin(GIVEN)
    most = int(summary["settings"].mask(given, 1).max())
    if most > 1:
        text += f", cross-fitted over up to {most:,} settings"
    return f"{text}. Failures count as 0.5."
