"""Several tasks: gaps of methods on each, how ranks agree, and harder spirals."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.errors import ConfigError
from spiral.report.figures import style
from spiral.report.figures.layout import (
    SMALL,
    Sheet,
    counted,
    explain,
    look,
    panels,
)
from spiral.report.stats.selection import TASK
from spiral.report.stats.transfer import MOST, REACHES, Transfer, over_turns

ABREAST = 4
"""Tasks side by side."""
LINE = 0.2
"""Inches that a method takes."""
CELL = 0.42
"""Inches of a cell of the matrix of agreement."""
GOAL = f"{100 * REACHES:g} %"
SIZES = f"from the fewest weights known to reach {GOAL} to {MOST} times these"
SPREAD = 0.04
"""How far beside each other, in turns, methods of one task stand, all together."""


def transfer(found: Transfer) -> Figure:
    """Return gaps on each task, methods in the order of the first, and τ of each two.

    Raises:
        ConfigError: The rows are of one task.
    """
    tasks = [*found.gaps[TASK].unique()]
    if len(tasks) < 2:
        raise ConfigError(f"expected rows of several tasks, got those of {tasks[0]}")
    order = in_order(found.gaps, tasks[0])
    columns = min(ABREAST, len(tasks))
    rows = -(-len(tasks) // columns)
    high = 0.75 + LINE * len(order), 0.9 + CELL * len(tasks)
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(1.2 + 1.75 * columns, rows * high[0] + high[1] + 1.2)
        grid = figure.add_gridspec(
            rows + 1, columns, height_ratios=[*rows * [high[0]], high[1]]
        )
        first = None
        for place, task in enumerate(tasks):
            at = grid[divmod(place, columns)]
            axes = figure.add_subplot(at, sharex=first, sharey=first)
            first = first or axes
            gaps_of_task(axes, found.gaps[found.gaps[TASK] == task], order)
            axes.set_title(titled(task), fontsize=SMALL)
            axes.tick_params(labelleft=place % columns == 0)
            if place + columns >= len(tasks):
                axes.set_xlabel("normalised gap G")
        matrix(figure.add_subplot(grid[rows, :]), found.agreement, tasks)
        explain(figure, _caption(found), legend=False)
    return figure


def _caption(found: Transfer) -> str:
    """Return what the figure shows, in sentences."""
    return (
        "Above: normalised gap to the best known networks of each task (0: as good; 1: "
        f"chance), averaged over sizes {SIZES}; bars: 95 % intervals over seeds "
        f"({counted(found.gaps['n'], 'seeds')}). Below: rank correlation (Kendall's "
        "τ-b) of the gaps of methods on two tasks "
        f"({counted(found.agreement['methods'], 'methods')}): 1 is the same order, -1 "
        "the reverse; below the diagonal its 95 % limits from resampled seeds."
    )


def in_order(gaps: pd.DataFrame, task: str) -> list[str]:
    """Return methods by their gap on a task, those without one there last, by mean."""
    here = gaps[gaps[TASK] == task].set_index("method")["gap"]
    others = gaps.loc[~gaps["method"].isin(here.index)].groupby("method")["gap"].mean()
    parts = [part.sort_values(kind="stable").index for part in (here, others)]
    return [str(name) for part in parts for name in part]


def gaps_of_task(axes: Axes, table: pd.DataFrame, order: Sequence[str]) -> None:
    """Draw the gap of each method on one task.

    Args:
        axes: Where to draw.
        table: ``method`` and ``gap`` with limits.
        order: Methods, the topmost first.
    """
    for line in table.to_dict("records"):
        name = str(line["method"])
        place = order.index(name)
        axes.hlines(place, line["gap_low"], line["gap_high"], color=style.colour(name))
        axes.plot([line["gap"]], [place], **look(name))
    axes.set_yticks(range(len(order)), [style.plain(name) for name in order])
    axes.set(xlim=(-0.05, 1.05), ylim=(len(order) - 0.4, -0.6))
    axes.set_xticks([0, 0.5, 1])
    axes.grid(visible=False, axis="y")


def matrix(axes: Axes, agreement: pd.DataFrame, tasks: Sequence[str]) -> None:
    """Draw τ of each two tasks above the diagonal, its limits below.

    Args:
        axes: Where to draw.
        agreement: ``a``, ``b``, ``tau``, ``low``, ``high``.
        tasks: In the order of rows and columns.
    """
    shade = np.full((len(tasks), len(tasks)), np.nan)
    for line in agreement.to_dict("records"):
        i, j = sorted((tasks.index(line["a"]), tasks.index(line["b"])))
        if np.isnan(line["tau"]):
            continue
        shade[i, j] = line["tau"]
        ink = "white" if abs(line["tau"]) > 0.6 else style.INK
        words: dict[str, Any] = {"ha": "center", "va": "center"}
        axes.text(j, i, f"{line['tau']:.2f}", fontsize=SMALL - 1, color=ink, **words)
        if not np.isnan(line["low"]):
            text = f"{line['low']:.2f}\nto {line['high']:.2f}"
            axes.text(i, j, text, fontsize=SMALL - 3, **words)
    axes.imshow(shade, cmap="RdBu", vmin=-1, vmax=1, aspect="equal")
    axes.set_xticks(range(len(tasks)), map(titled, tasks), rotation=45, ha="right")
    axes.set_yticks(range(len(tasks)), map(titled, tasks))
    axes.tick_params(labelsize=SMALL - 1, length=0)
    axes.grid(visible=False)
    axes.set_title("rank correlation τ", fontsize=SMALL)


def difficulty(found: Transfer) -> Figure:
    """Return gaps over the turns of the spiral, and the weights known to suffice."""
    table = over_turns(found.gaps)
    caption = (
        "Spirals like the Cubist Spiral with other numbers of turns. Left: fewest "
        f"weights known to reach {GOAL}, by any means. Right: normalised gap to "
        f"the best known networks of each, averaged over sizes {SIZES}; bars: 95 % "
        f"intervals over seeds ({counted(table['n'], 'seeds')}). "
        f"{counted([table['method'].nunique()], 'methods')}."
    )
    paints = [lambda axes: fewest(axes, table), lambda axes: over(axes, table)]
    return panels(paints, Sheet(2, 3.6, 3.4, share_x=True, share_y=False), caption)


def fewest(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the fewest weights known to reach 95 % over the turns."""
    known = table.drop_duplicates("turns")
    axes.plot(known["turns"], known["fewest"], "o-", color=style.INK, markersize=4)
    axes.set(xlabel="turns", ylim=(0, None), title=f"weights known for {GOAL}")


def over(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the gap of each method over the turns, methods side by side."""
    order = in_order(table, str(table[TASK].iloc[0]))
    beside = np.linspace(-SPREAD, SPREAD, len(order))
    for name, shift in zip(order, beside, strict=True):
        part = table[table["method"] == name]
        at = part["turns"] + shift
        axes.vlines(at, part["gap_low"], part["gap_high"], color=style.colour(name))
        axes.plot(at, part["gap"], label=style.plain(name), **look(name))
    axes.set(xlabel="turns", title="normalised gap G")
    axes.set(ylim=(min(0.0, float(table["gap_low"].min())), 1.05))


def titled(task: str) -> str:
    """Return the name of a task, of a file its last part."""
    return style.plain(task.rpartition("/")[2])
