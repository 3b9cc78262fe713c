"""Rankings: excess weights over the best known, and versions of methods compared."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.report.figures import style
from spiral.report.figures.layout import SMALL, Sheet, counted, many, panels

LINE = 0.23
"""Inches that a method takes."""
BEYOND = 1.06
"""Where the axis ends, as a share of the largest excess tried."""


def excess(table: pd.DataFrame, note: str = "") -> Figure:
    """Return excess weights, a panel for each threshold and width.

    Methods of one threshold stand in one order, the best over the widths first.

    Args:
        table: ``method``, ``width``, ``threshold``, ``n``, ``smallest``, ``largest``,
            ``best_known``, ``best_known_protocol``, ``random_masks``, and
            ``median_excess`` with limits and ``best_excess``, as
            ``excess.excess_weights`` returns them.
        note: A sentence that ends the caption.
    """
    paints, widths = [], sorted(table["width"].unique())
    for threshold, part in table.groupby("threshold"):
        order = by_excess(part)
        for width in widths:
            some = part[part["width"] == width]
            title = f"width {width}, {100 * threshold:g} %"
            paints.append(partial(excess_ranking, table=some, order=order, title=title))
    count = table["method"].nunique()
    first, wide = (1.6 if len(widths) < 3 else 0.5), max(2.2, 6.5 / len(widths))
    sheet = Sheet(
        len(widths), wide + first / len(widths), 1.3 + LINE * count, "col", "row"
    )
    caption = (
        "Excess weights over the best known (by any means, no wider) at which the "
        f"median of the seeds reaches the accuracy ({counted(table['n'], 'seeds')}, "
        "the fewest at any size). Bars: 95 % intervals, where they exclude a size; "
        "small tick: the best seed. Open marker: more than the largest (▷) or at most "
        "the smallest (◁) size tried. Dashed: the best known of those trained as in "
        "the paper. Small cross: the best of as many random masks as the method "
        "trained (expected)."
    )
    return panels(paints, sheet, caption + note)


def by_excess(table: pd.DataFrame) -> list[str]:
    """Return methods by their mean excess; what was never reached counts as largest."""
    most = float((table["largest"] - table["best_known"]).max()) + 1
    excess = table["median_excess"].astype(float).fillna(most)
    best = table["best_excess"].astype(float).fillna(most)
    mean = pd.DataFrame({"m": table["method"], "a": excess, "b": best})
    order = mean.groupby("m").mean().sort_values(["a", "b"], kind="stable")
    return [str(name) for name in order.index]


def excess_ranking(
    axes: Axes, table: pd.DataFrame, order: Sequence[str], title: str = ""
) -> None:
    """Draw the excess weights of each method, of one threshold and width.

    Args:
        axes: Where to draw.
        table: As :func:`excess` has it.
        order: Methods, the topmost first.
        title: Text above.
    """
    columns = ["median_excess", "median_excess_low", "median_excess_high"]
    known = table.set_index(table["method"].astype(str))
    tried = (known[["smallest", "largest"]].sub(known["best_known"], axis=0)).astype(
        float
    )
    end = float(tried["largest"].max()) * BEYOND
    numbers = known[[*columns, "best_excess"]].astype(float)
    for place, method in enumerate(order):
        if method not in known.index or known.at[method, "n"] == 0:
            continue
        value, low, high, best = numbers.loc[method]
        least, most = tried.loc[method]
        if not np.isnan([low, high]).all():  # else no size is excluded
            ends = least if np.isnan(low) else low, high
            _bar(axes, place, ends, (most, end), style.colour(method))
        if not np.isnan(best):
            axes.plot([best], [place], "|", color=style.colour(method), markersize=7)
        _mark(axes, place, value, (least, most), method)
    _random_masks(axes, known, order)
    over = _yardsticks(axes, table)
    names = [style.plain(name) for name in order]
    axes.set_yticks(range(len(order)), names)
    axes.set(xlabel="excess weights", title=f"{title}\n{over}".strip())
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")


def _random_masks(axes: Axes, known: pd.DataFrame, order: Sequence[str]) -> None:
    """Draw what the best of as many random masks needs, beside each method's mark."""
    random = (known["random_masks"] - known["best_known"]).reindex(order)
    found = random.astype(float).to_numpy()
    places = np.flatnonzero(~np.isnan(found))
    # Below the marks, which they would hide where both are the largest size tried
    look: dict[str, Any] = {"color": "0.4", "markersize": 4}
    axes.plot(found[places], places + 0.27, "x", **look)


def _yardsticks(axes: Axes, table: pd.DataFrame) -> str:
    """Draw lines at both best known sizes; return the sizes in words."""
    if table.empty:  # nothing to measure methods by
        axes.text(
            0.5,
            0.5,
            "no network this narrow\nis known to reach it",
            transform=axes.transAxes,
            horizontalalignment="center",
            fontsize=SMALL,
        )
        return ""
    axes.axvline(0, color=style.INK, linewidth=1.2)
    fewest, trained = table[["best_known", "best_known_protocol"]].iloc[0]
    if pd.isna(trained):
        return f"over {fewest}"
    axes.axvline(trained - fewest, color=style.INK, linewidth=1, linestyle="--")
    return f"over {fewest} (dashed: {trained})"


def fidelity(table: pd.DataFrame, widths: Sequence[int]) -> Figure:
    """Return the probability of improvement of one version of each method over another.

    Args:
        table: ``method``, ``width``, ``keep`` (null: over all sizes), ``a``, ``b``,
            ``probability`` with limits, ``n`` and ``pairs``, as ``pairwise.pairwise``
            returns them.
        widths: A panel for each.
    """
    order = style.ordered(table["method"])
    paints = [
        partial(versions, table=table[table["width"] == width], order=order)
        for width in widths
    ]
    over_all = table[table["keep"].isna()]
    a, b = over_all["a"].iloc[0], over_all["b"].iloc[0]
    caption = (
        f"Probability that {a} is better than {b} with equal seeds, weights and "
        f"batches, a tie counting half ({counted(over_all['n'], 'seeds')} in "
        f"{many(over_all['pairs'], 'pairs')}); bars: 95 % "
        "intervals over all sizes; small dots: each size."
    )
    columns = min(4, len(paints))
    wide = max(2.4, 6.5 / columns)
    return panels(paints, Sheet(columns, wide, 1.0 + LINE * len(order)), caption)


def versions(axes: Axes, table: pd.DataFrame, order: Sequence[str]) -> None:
    """Draw the probability of improvement of each method's version, of one width.

    Args:
        axes: Where to draw.
        table: As :func:`fidelity` has it.
        order: Methods, the topmost first.
    """
    a, b = table["a"].iloc[0], table["b"].iloc[0]
    axes.axvline(0.5, color=style.INK, linewidth=1)
    for place, method in enumerate(order):
        colour, marker = style.colour(method), style.marker(method)
        part = table[table["method"] == method]
        sized = part.loc[part["keep"].notna(), "probability"].to_numpy(float)
        below = np.full(len(sized), place + 0.28)
        axes.plot(sized, below, ".", color=colour, markersize=3, alpha=0.7)
        for line in part[part["keep"].isna()].to_dict("records"):
            axes.hlines(place, line["low"], line["high"], color=colour, linewidth=2)
            axes.plot([line["probability"]], [place], marker, color=colour)
    axes.set_yticks(range(len(order)), [style.plain(name) for name in order])
    label, title = f"P({a} better than {b})", f"width {table['width'].iloc[0]}"
    axes.set(xlim=(-0.03, 1.03), xlabel=label, title=title)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")


def _bar(
    axes: Axes,
    place: int,
    limits: tuple[float, float],
    ends: tuple[float, float],
    colour: str,
) -> None:
    """Draw an interval; one without an upper limit goes on with dots."""
    (low, high), (most, end) = limits, ends
    low = most if np.isnan(low) else low
    look: dict[str, Any] = {"color": colour, "alpha": 0.45}
    axes.hlines(place, low, most if np.isnan(high) else high, linewidth=3, **look)
    if np.isnan(high):
        axes.hlines(place, most, end, linestyles=":", linewidth=2, **look)


def _mark(
    axes: Axes, place: int, value: float, tried: tuple[float, float], method: str
) -> None:
    """Draw a method's marker, or an open arrow at the end of what was tried."""
    least, most = tried
    marker, open_ = style.marker(method), False
    if np.isnan(value):
        value, marker, open_ = most, ">", True
    elif value <= least:
        marker, open_ = "<", True
    colour = style.colour(method)
    face = "white" if open_ else colour
    axes.plot(
        [value], [place], marker, color=colour, markerfacecolor=face, clip_on=False
    )
