"""Panels on a page: axes that share scales, one legend above, one caption below."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.report.figures import style

Paint = Callable[[Axes], None]

SMALL = 8
"""Points of letters in legends and captions."""
LETTERS = 15.5
"""Letters of a caption to an inch."""
ENTRY = 1.15
"""Inches that one entry of a legend takes."""


class Sheet(NamedTuple):
    """How panels lie: how many side by side, how large, which scales they share."""

    columns: int
    width: float = 3.0
    height: float = 2.5
    share_x: Literal[True, False, "col"] = True
    share_y: Literal[True, False, "row"] = True


def draw(
    paint: Paint, width: float = 6.0, height: float = 4.0, caption: str = ""
) -> Figure:
    """Return a figure of one Axes, painted in the project's style."""
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(width, height)
        paint(figure.subplots())
        explain(figure, caption, legend=False)
    return figure


def panels(paints: Sequence[Paint], sheet: Sheet, caption: str = "") -> Figure:
    """Return a figure of several Axes, row by row.

    Axis labels are kept at the left and below; what has a label in any panel is
    explained once, above.

    Args:
        paints: One for each panel.
        sheet: How they lie.
        caption: What is shown, below.
    """
    columns = min(sheet.columns, len(paints))
    rows = -(-len(paints) // columns)
    wide = max(columns * sheet.width, 4.5)
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(wide, rows * sheet.height + 0.7)
        every = figure.subplots(
            rows, columns, squeeze=False, sharex=sheet.share_x, sharey=sheet.share_y
        )
        for paint, axes in zip(paints, every.flat, strict=False):
            paint(axes)
        _label_outside(every, len(paints))
        for axes in every.flat[len(paints) :]:
            axes.remove()
        explain(figure, caption)
    return figure


def explain(figure: Figure, caption: str, legend: bool = True) -> None:
    """Put one legend for all Axes above, if wanted, and a caption below."""
    known: dict[str, Artist] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            known.setdefault(label, handle)
    wide = figure.get_figwidth()
    if known and legend:
        columns = int(np.clip(wide / ENTRY, 1, len(known)))
        rows = -(-len(known) // columns)
        look = {"fontsize": SMALL, "frameon": False, "columnspacing": 1.2}
        figure.legend(
            known.values(),
            known,
            loc="outside upper center",
            ncols=-(-len(known) // rows),
            **look,
        )
    if caption:
        text = textwrap.fill(caption, int(wide * LETTERS))
        figure.supxlabel(text, fontsize=SMALL, color=style.INK)


def add(figure: Figure, sentence: str) -> Figure:
    """Return a figure with a sentence, if there is one, at the end of its caption."""
    if not sentence:
        return figure
    caption = " ".join([*figure.get_supxlabel().split(), *sentence.split()])
    with mpl.rc_context(style.SETTINGS):
        explain(figure, caption, legend=False)
    return figure


def counted(values: Iterable[float], what: str) -> str:
    """Return how many there are of something, as in a caption: ``n = 3–5 seeds``.

    Args:
        values: Counts; the least and the largest are named.
        what: Of what, in the plural.
    """
    return f"n = {many(values, what)}"


def many(values: Iterable[float], what: str) -> str:
    """Return the same without ``n =``."""
    known = sorted({int(value) for value in values})
    if not known:
        return f"0 {what}"
    if len(known) == 1:
        return f"{known[0]:,} {what.removesuffix('s') if known[0] == 1 else what}"
    return f"{known[0]:,}–{known[-1]:,} {what}"


def look(method: object) -> dict[str, Any]:
    """Return how a method's line looks, for ``Axes.plot``."""
    name = str(method)
    return {
        "color": style.colour(name),
        "marker": style.marker(name),
        "linewidth": 1.3,
        "markersize": 4,
    }


def line(
    axes: Axes,
    part: pd.DataFrame,
    x: str,
    y: str,
    limits: tuple[str, str] | None = None,
) -> None:
    """Draw one column of a method's rows over another, with limits as bars.

    Args:
        axes: Where to draw.
        part: Rows of one ``method``, in the order of the line.
        x: The column across.
        y: The column up.
        limits: The columns of its lower and upper limit.
    """
    method = str(part["method"].iloc[0])
    places, heights = part[x].to_numpy(float), part[y].to_numpy(float)
    axes.plot(places, heights, label=style.plain(method), **look(method))
    if limits:
        low, high = (part[name].to_numpy(float) for name in limits)
        colour = style.colour(method)
        axes.vlines(places, low, high, color=colour, linewidth=1, alpha=0.4)


def some(values: Iterable[int], most: int) -> list[int]:
    """Return at most ``most`` numbers, evenly from the smallest to the largest."""
    known = sorted({int(value) for value in values})
    if len(known) <= most:
        return known
    places = np.linspace(0, len(known) - 1, most).round().astype(int)
    return [known[place] for place in places]


def _label_outside(every: np.ndarray, count: int) -> None:
    """Remove labels between panels that share a scale."""
    columns = every.shape[1]
    for number, axes in enumerate(every.flat[:count]):
        lowest = number + columns >= count
        axes.tick_params(labelbottom=lowest)
        if not lowest:
            axes.set_xlabel("")
        if number % columns:
            axes.set_ylabel("")
