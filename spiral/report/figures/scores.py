"""Scores: normalised gaps with ranks, their profiles, and what they cost."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.errors import ConfigError
from spiral.report.figures import style
from spiral.report.figures.layout import (
    SMALL,
    Sheet,
    add,
    counted,
    look,
    panels,
    some,
)
from spiral.report.figures.rows import ABREAST, Source, only
from spiral.report.stats import normalised_gap, scores
from spiral.report.stats.selection import GIVEN, codes
from spiral.report.text.scores import rank
from spiral.results import read

LINE = 0.2
"""Inches that a method takes."""
NAMED = 6
"""Methods of a width whose profiles have colours."""
ASIDE = 1.5
"""How much further right the last of several methods that cost the same stands."""
GRID = np.linspace(0, 1, 201)
"""Gaps at which profiles are drawn."""


def ranks(source: Source, widths: Sequence[int] = ()) -> Figure:
    """Return gaps with intervals and the limits of ranks, a panel for each width."""
    table = _scored(source, widths)
    paints = [
        partial(gaps_in_order, table=part, title=f"width {width}")
        for width, part in table.groupby("width")
    ]
    most = int(table.groupby("width").size().max())
    wide, tall = max(3.2, 6.5 / len(paints)), 1.1 + LINE * most
    sheet = Sheet(len(paints), wide, tall, share_y=False)
    caption = (
        "Normalised gap to the best known networks (0: as good; 1: chance), "
        f"{_over(table)}; bars: 95 % intervals over seeds "
        f"({counted(table['n'], 'seeds')}). "
        "At the right the limits of each rank, which hold all at once with 95 % "
        "confidence (Holm): methods whose limits do not overlap are separated."
    )
    return add(panels(paints, sheet, caption), source.differ)


def gaps_in_order(axes: Axes, table: pd.DataFrame, title: str = "") -> None:
    """Draw the gap and the rank of each method of one width, the smallest gap first.

    Args:
        axes: Where to draw.
        table: ``method``, ``gap`` with limits, ``rank_low`` and ``rank_high``.
        title: Text above.
    """
    order = table.sort_values("gap", kind="stable").to_dict("records")
    for place, line in enumerate(order):
        name = str(line["method"])
        axes.hlines(place, line["gap_low"], line["gap_high"], color=style.colour(name))
        axes.plot([line["gap"]], [place], **look(name))
        limits = rank(line["rank_low"], line["rank_high"])
        axes.text(1.04, place, limits, fontsize=SMALL, verticalalignment="center")
    axes.set_yticks(range(len(order)), [style.plain(line["method"]) for line in order])
    axes.set(xlim=(min(0.0, table["gap_low"].min()), 1.2), title=title)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set(xlabel="normalised gap G", ylim=(len(order) - 0.4, -0.6))
    axes.grid(visible=False, axis="y")


def profile(source: Source, widths: Sequence[int] = ()) -> Figure:
    """Return the share of networks within each gap, over all sizes."""
    known = source.frontier()
    lacks = normalised_gap.lacks(source.choice, known)
    _, lines = codes(source.choice.groups, source.choice.by)
    table = lacks.join(lines["method"], on="line")
    table = table[~table["method"].isin(["dense", *GIVEN])]
    if table.empty:
        raise ConfigError("expected rows of pruners, got none")
    shown = only(table, "width", widths or some(table["width"], ABREAST))
    networks = shown.groupby(["width", "method"]).size()
    caption = (
        "Performance profiles: share of the networks of all sizes and seeds "
        f"({counted(networks, 'networks')} of each method and width) that lack at most "
        "a share of what the best known network of their size has over chance; the "
        f"{NAMED} methods of each width with the smallest mean have colours. A line "
        "above another at every gap is the better method, whatever the threshold."
    )
    return add(_by_width(profiles, shown, 3.0, caption), source.differ)


def profiles(axes: Axes, table: pd.DataFrame, title: str = "") -> None:
    """Draw the profile of each method of one width.

    Args:
        axes: Where to draw.
        table: ``method`` and ``lack`` of each network.
        title: Text above.

    Source: performance profiles are those of Dolan & Moré, Mathematical Programming
    2002, as Agarwal et al. 2021 (arXiv:2108.13264) plot them over scores.
    """
    clamped = table["lack"].clip(upper=1).groupby(table["method"]).mean()
    for place, method in enumerate(clamped.sort_values(kind="stable").index):
        lack = np.sort(table.loc[table["method"] == method, "lack"].to_numpy(float))
        share = np.searchsorted(lack, GRID, side="right") / len(lack)
        named = place < NAMED
        colour = style.colour(str(method)) if named else "0.85"
        label = style.plain(method) if named else None
        more = {"color": colour, "linewidth": 1.4, "zorder": 3 if named else 1}
        axes.step(GRID, share, where="post", label=label, **more)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), title=title)
    axes.set(xlabel="gap of a network, at most", ylabel="share of networks")


def cost(source: Source, widths: Sequence[int] = ()) -> Figure:
    """Return the gap over the epochs that one network costs, a panel for each width."""
    rows = source.choice.rows[source.choice.reported]
    epochs = read.epochs(rows).groupby([rows["method"], rows["width"]]).median()
    table = _scored(source, widths)
    table = table.join(epochs.rename("epochs"), on=["method", "width"])
    caption = (
        "Normalised gap over the epochs that a network takes, all its trainings "
        f"together, {_over(table)}; bars: 95 % intervals over seeds "
        f"({counted(table['n'], 'seeds')}). Methods of equal cost stand side by side, "
        "to the right of their cost. Grey: the smallest gap up to each cost."
    )
    return add(_by_width(gap_over_cost, table, 3.2, caption), source.differ)


def gap_over_cost(axes: Axes, table: pd.DataFrame, title: str = "") -> None:
    """Draw the gap of each method of one width over its epochs.

    Args:
        axes: Where to draw.
        table: ``method``, ``epochs``, ``gap`` and its limits.
        title: Text above.
    """
    order = table.sort_values(["epochs", "gap"], kind="stable")
    best = order[order["gap"] < order["gap"].cummin().shift(fill_value=np.inf)]
    axes.step(best["epochs"], best["gap"], where="post", color="0.7", linewidth=3)
    # Methods that cost the same stand side by side
    same = order.groupby("epochs").cumcount() / order.groupby("epochs")[
        "gap"
    ].transform("size")
    for line, beside in zip(order.to_dict("records"), same, strict=True):
        name, place = str(line["method"]), float(line["epochs"]) * ASIDE**beside
        axes.vlines(place, line["gap_low"], line["gap_high"], color=style.colour(name))
        axes.plot([place], [line["gap"]], label=style.plain(name), **look(name))
    axes.set_xscale("log")
    least = min(0.0, table["gap_low"].min())
    axes.set(xlabel="epochs", ylabel="normalised gap G", ylim=(least, 1.05))
    axes.set_title(title)


def _by_width(
    draw: Callable[..., None], table: pd.DataFrame, height: float, caption: str
) -> Figure:
    """Return a figure with a panel for each width of a table."""
    paints = [
        partial(draw, table=part, title=f"width {width}")
        for width, part in table.groupby("width")
    ]
    return panels(paints, Sheet(min(3, len(paints)), 3.4, height), caption)


def _scored(source: Source, widths: Sequence[int]) -> pd.DataFrame:
    """Return gaps and ranks of the pruners that have them, of some widths.

    Raises:
        ConfigError: There is no frontier, or no pruner has a gap.
    """
    table = scores.ranked(source.choice, source.frontier())
    pruned = table[~table["method"].isin(["dense", *GIVEN]) & table["gap"].notna()]
    if pruned.empty:
        raise ConfigError(
            "expected rows of pruners at two sizes or more between "
            f"{normalised_gap.RANGE[0]} and {normalised_gap.RANGE[1]} weights, got none"
        )
    return only(pruned, "width", widths or some(pruned["width"], ABREAST))


def _over(table: pd.DataFrame) -> str:
    """Return over which sizes gaps are averaged, in words."""
    ends = table[["width", "least", "most"]].drop_duplicates()
    words = [
        f"{low} to {high} weights at width {width}"
        for width, low, high in ends.itertuples(index=False)
    ]
    return f"averaged over {', '.join(words)}"
