"""Connectivity over size, and pruning from a fixed initialisation."""

from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.report.figures import style
from spiral.report.figures.accuracy import LIMITS, frontier
from spiral.report.figures.layout import Sheet, counted, line, many, panels


def connected(table: pd.DataFrame, note: str = "") -> Figure:
    """Return connected shares above effective weights, a column for each width.

    Args:
        table: ``method``, ``width``, ``keep``, ``n``, ``rows``, ``connected`` with
            ``low`` and ``high``, and ``effective_nnz``, as ``connection.connection``
            makes them.
        note: A sentence that ends the caption.
    """
    parts = [*table.groupby("width")]
    above = [
        partial(connected_share, table=part, title=f"width {width}")
        for width, part in parts
    ]
    below = [partial(effective_weights, table=part) for _, part in parts]
    caption = (
        "Above: share of networks with a path from input to output, over all settings; "
        "bars: 95 % intervals. Below: median of the weights on a path. Each point: "
        f"{counted(table['n'], 'seeds')}, {many(table['rows'], 'rows')}; no bars under "
        f"5 seeds.{note}"
    )
    wide = max(2.5, 4.5 / len(parts))
    return panels([*above, *below], Sheet(len(parts), wide, 2.4, True, "row"), caption)


def connected_share(axes: Axes, table: pd.DataFrame, title: str = "") -> None:
    """Draw the share of connected networks over the weights kept.

    Args:
        axes: Where to draw.
        table: As :func:`connected` has it, of one width.
        title: Text above.
    """
    for _, part in _each(table):
        line(axes, part, "keep", "connected", ("low", "high"))
    axes.set(xlabel="weights kept", ylabel="connected share", title=title)
    axes.set_ylim(-0.03, 1.03)


def effective_weights(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the weights on a path over the weights kept.

    Args:
        axes: Where to draw.
        table: As :func:`connected` has it, of one width.
    """
    ends = [float(table["keep"].min()), float(table["keep"].max())]
    axes.plot(ends, ends, color=style.INK, linewidth=1, label="all on a path")
    for _, part in _each(table):
        line(axes, part, "keep", "effective_nnz")
    axes.set(xlabel="weights kept", ylabel="weights on a path")


def fixed(summary: pd.DataFrame, contained: pd.DataFrame) -> Figure:
    """Return methods from one initialisation, and the best network found within it.

    Args:
        summary: ``init_seed``, ``width``, ``method``, ``keep``, ``median`` with limits,
            ``best``, ``n``, as ``fixed_start.split`` returns them.
        contained: ``init_seed``, ``width``, ``nnz`` and ``accuracy``, the best found
            with at most that many of the same weights, and ``rows`` searched.
    """
    paints = []
    for (seed, width), part in summary.groupby(["init_seed", "width"]):
        here = (contained["init_seed"] == seed) & (contained["width"] == width)
        title = f"initial weights {seed}, width {width}"
        paints.append(
            partial(
                from_one_start, summary=part, contained=contained[here], title=title
            )
        )
    caption = (
        "Median over seeds, which change batches and the method's random draws, with "
        f"cross-fitted settings; small marker: the best seed. Each point: "
        f"{counted(summary['n'], 'seeds')}. Line: best network found by search within "
        f"the same initial weights, {counted(contained['rows'], 'trainings')}."
    )
    columns = min(2, len(paints))
    return panels(paints, Sheet(columns, 6.5 if columns == 1 else 4.0, 3.2), caption)


def from_one_start(
    axes: Axes, summary: pd.DataFrame, contained: pd.DataFrame, title: str = ""
) -> None:
    """Draw methods over the weights kept, and the best found in the same weights.

    Args:
        axes: Where to draw.
        summary: As :func:`fixed` has it, of one initialisation.
        contained: The same.
        title: Text above.
    """
    for method, part in _each(summary):
        line(axes, part, "keep", "median", LIMITS)
        x, best = part["keep"].to_numpy(float), part["best"].to_numpy(float)
        colour, marker = style.colour(method), style.marker(method)
        axes.plot(x, best, marker, color=colour, markersize=2, alpha=0.6)
    known = pd.Series(contained["accuracy"].to_numpy(), contained["nnz"].to_numpy())
    frontier(axes, known, summary["keep"].dropna(), "contained in the same weights")
    axes.set(xlabel="weights kept", ylabel="accuracy", title=title)
    axes.set_ylim(0.48, 1.02)


def _each(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the lines of each method that have a size, by size."""
    sized = table[table["keep"].notna()].sort_values("keep")
    return [(m, sized[sized["method"] == m]) for m in style.ordered(sized["method"])]
