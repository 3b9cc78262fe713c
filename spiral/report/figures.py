"""Figures: numbers to Axes. They read no files and compute no statistics."""

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral import cubist, mlp
from spiral.report import style

EXTENT = 2.25
"""Half the side of the square that boundary maps show."""

GRID = 512
LINES = ("-", "-.", (0, (1, 1)), (0, (5, 1)))
"""Line styles of the widths, narrowest first."""

CLASS_COLOURS = ("#0072B2", "#D55E00")


def draw(
    paint: Callable[[Axes], None], width: float = 6.0, height: float = 4.0
) -> Figure:
    """Return a figure of one Axes, painted in the project's style."""
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(width, height)
        paint(figure.subplots())
    return figure


def accuracy_over_keep(axes: Axes, summary: pd.DataFrame) -> None:
    """Draw median accuracy (line) and best (dotted) over the weights kept.

    Args:
        axes: Where to draw.
        summary: Rows with ``method``, ``width``, ``keep`` (null: a level line),
            ``median``, ``best`` and ``n``; a line for each method and width.
    """
    widths = sorted(summary["width"].unique())
    for (method, width), part in summary.groupby(["method", "width"], sort=False):
        colour, marker = style.colour(str(method)), style.marker(str(method))
        line = LINES[widths.index(width) % len(LINES)]
        n = sorted({int(v) for v in part["n"]})
        count = f"n = {n[0]}" if len(n) == 1 else f"n = {n[0]}–{n[-1]}"
        wide = f", width {width}" if len(widths) > 1 else ""
        label = f"{method}{wide} ({count})"
        pruned = part[part["keep"].notna()].sort_values("keep")
        for _, row in part[part["keep"].isna()].iterrows():
            axes.axhline(row["median"], color=colour, linestyle="--", label=label)
        if len(pruned):
            x = pruned["keep"].to_numpy(float)
            median, best = (pruned[c].to_numpy(float) for c in ("median", "best"))
            look: dict[str, Any] = {
                "color": colour,
                "marker": marker,
                "linestyle": line,
            }
            axes.plot(x, median, label=label, **look)
            axes.plot(x, best, color=colour, linestyle=":", linewidth=1)
            axes.fill_between(x, median, best, color=colour, alpha=0.08)
    axes.set(xlabel="weights kept", ylabel="accuracy on all points")
    axes.set_title("median over seeds at the best setting; dotted: best seed")
    axes.legend(loc="best", fontsize=8)


def boundary(
    axes: Axes, params: Float[np.ndarray, " P"], width: int, title: str = ""
) -> None:
    """Draw a network's decision map on a 512×512 grid over [-2.25, 2.25]², with data.

    Args:
        axes: Where to draw.
        params: Flat parameters.
        width: Hidden width.
        title: Text above.
    """
    ticks = np.linspace(-EXTENT, EXTENT, GRID)
    points = np.stack(np.meshgrid(ticks, ticks)).reshape(2, -1)
    z = mlp.logits(params.astype(np.float64), points, width).reshape(GRID, GRID)
    shade = np.tanh(z / 2)  # 2σ(z) - 1: certain of class 0 … certain of class 1
    area = (-EXTENT, EXTENT, -EXTENT, EXTENT)
    colours = mpl.colors.LinearSegmentedColormap.from_list(
        "classes", [CLASS_COLOURS[0], "white", CLASS_COLOURS[1]]
    )
    axes.imshow(
        shade, origin="lower", extent=area, cmap=colours, vmin=-1, vmax=1, alpha=0.6
    )
    if z.min() < 0 < z.max():
        axes.contour(ticks, ticks, z, levels=[0.0], colors="black", linewidths=1)
    data = cubist.load()
    for label, colour in enumerate(CLASS_COLOURS):
        some = data.x[data.y == label][::25]
        axes.plot(*some.T, ".", color=colour, markersize=2, label=f"class {label}")
    axes.set(xlim=area[:2], ylim=area[2:], aspect="equal", title=title)
    axes.grid(visible=False)
    axes.legend(loc="lower left", fontsize=8, markerscale=4)
