"""Figure of regimes: a map over temperature and load, and the numbers behind it."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from spiral.report.figures import style
from spiral.report.figures.layout import SMALL, counted, explain
from spiral.report.studies.regimes.regime_map import RegimeMap

COLOURS = {"I": "#D55E00", "II-A": "#F0E442", "II-B": "#56B4E9", "collapsed": "#BBBBBB"}
"""Of the palette of Okabe & Ito."""

PANELS = (
    ("lmc", "connectivity (below 0: a barrier)", "PuOr", True),
    ("cka", "similarity of outputs (CKA)", "cividis", False),
    ("accuracy_gap", "accuracy gap to the best known", "cividis_r", False),
)
"""Column, title, colours, and whether 0 is in their middle."""


def draw(found: RegimeMap) -> Figure:
    """Return the map, connectivity, similarity, and the accuracy gap."""
    with mpl.rc_context(style.SETTINGS | {"axes.grid": False}):
        figure = style.figure(8, 7.5)
        (first, second), (third, fourth) = figure.subplots(2, 2)
        regime_map(first, found.cells, found.temperature)
        for axes, panel in zip((second, third, fourth), PANELS, strict=True):
            numbers(axes, found.cells, found.temperature, panel)
        for axes in (third, fourth):
            axes.set_xlabel(f"{found.temperature}, cold to hot")
        for axes in (first, third):
            axes.set_ylabel("weights kept")
        caption = (
            f"Each cell: mean over {counted(found.cells['n'], 'dense networks')} of "
            f"width {found.width} and the pairs of their retrainings. Regime I: not "
            "connected; II-A: connected but not alike; II-B: connected and alike; "
            "collapsed: most networks have constant outputs. White: all have."
        )
        _legend(figure, found.cells)
        explain(figure, caption, legend=False)
    return figure


def _legend(figure: Figure, cells: pd.DataFrame) -> None:
    """Name the colours of the regimes that there are, above all panels."""
    seen = [name for name in COLOURS if name in set(cells["regime"])]
    handles = [Patch(color=COLOURS[name], label=name) for name in seen]
    look: Any = {"ncols": len(seen), "fontsize": 9, "frameon": False}
    figure.legend(handles=handles, loc="outside upper center", **look)


def regime_map(axes: Axes, cells: pd.DataFrame, knob: str) -> None:
    """Draw each cell in the colour of its regime, with its accuracy gap."""
    heats, keeps = _ticks(cells, knob)
    for cell in cells.to_dict("records"):
        x, y = heats.index(cell[knob]), keeps.index(cell["keep"])
        look: Any = {"color": COLOURS[cell["regime"]], "ec": "white"}
        axes.add_patch(mpl.patches.Rectangle((x - 0.5, y - 0.5), 1, 1, **look))
        name = "" if cell["regime"] == "collapsed" else cell["regime"]
        text = f"{name}\n{cell['accuracy_gap']:.3f}"
        axes.text(x, y, text, ha="center", va="center", fontsize=SMALL)
    _frame(axes, cells, knob)
    axes.set_title("regime, and accuracy gap to the best known", fontsize=9)


def numbers(
    axes: Axes, cells: pd.DataFrame, knob: str, panel: tuple[str, str, str, bool]
) -> None:
    """Draw one number of each cell."""
    column, title, colours, centred = panel
    heats, keeps = _ticks(cells, knob)
    grid = np.full((len(keeps), len(heats)), np.nan)
    for cell in cells.to_dict("records"):
        grid[keeps.index(cell["keep"]), heats.index(cell[knob])] = cell[column]
    size = np.nanmax(np.abs(grid), initial=1e-9)
    limits: Any = {"vmin": -size, "vmax": size} if centred else {}
    image = axes.imshow(grid, cmap=colours, aspect="auto", origin="lower", **limits)
    axes.figure.colorbar(image, ax=axes)
    _frame(axes, cells, knob)
    axes.set_title(title, fontsize=9)


def _ticks(cells: pd.DataFrame, knob: str) -> tuple[list[float], list[int]]:
    """Return temperatures from cold to hot, and loads from small networks to large."""
    return list(dict.fromkeys(cells[knob])), sorted(set(cells["keep"]))


def _frame(axes: Axes, cells: pd.DataFrame, knob: str) -> None:
    """Set the limits and label the ticks with temperatures and loads."""
    heats, keeps = _ticks(cells, knob)
    axes.set(xlim=(-0.5, len(heats) - 0.5), ylim=(-0.5, len(keeps) - 0.5))
    axes.set_xticks(range(len(heats)), [f"{heat:g}" for heat in heats], fontsize=8)
    axes.set_yticks(range(len(keeps)), [str(keep) for keep in keeps], fontsize=8)
