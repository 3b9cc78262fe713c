"""Figure of robustness: accuracy under corruption over size, and kind by kind."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from spiral.errors import ConfigError
from spiral.report.figures import style
from spiral.report.figures.layout import SMALL, counted, explain, look
from spiral.report.studies.robustness.diagnosis import BEST_KNOWN, Diagnosis
from spiral.report.studies.robustness.measure import KINDS

NAMES = tuple(BEST_KNOWN.values())
LABELS = {
    BEST_KNOWN["any"]: "best known",
    BEST_KNOWN["protocol"]: "best known, trained as in the paper",
}
INFORMED = 0.75
"""Accuracy without corruption below which drops mean little and are not shown."""

COLUMNS = 5
"""Of the legend."""

STAR: dict[str, Any] = {
    "color": "black",
    "marker": "*",
    "markersize": 8,
    "linewidth": 1,
}
OPEN: dict[str, Any] = {"linestyle": ":", "markerfacecolor": "white"}
"""What tells the best networks trained as in the paper from the best of all."""


def draw(found: Diagnosis, width: int | None = None) -> Figure:
    """Return what a diagnosis found at one width, the corruptions at its middle size.

    Args:
        found: The measurements.
        width: Hidden width of the networks; the largest by default.

    Raises:
        ConfigError: There are none of this width.
    """
    groups = found.groups[~found.groups["method"].isin(NAMES)]
    width = _largest(groups) if width is None else width
    ours = groups[groups["width"].eq(width).fillna(False)]
    sizes = sorted(ours["keep"].dropna().unique())
    if not sizes:
        raise ConfigError(f"expected pruned networks of width {width}, got none")
    keep = int(sizes[len(sizes) // 2])
    best = found.groups[found.groups["method"].isin(NAMES)]
    caption = (
        f"Each point: median over {counted(ours['n'], 'networks')} of width {width}; "
        "stars: the best network known of a size, open if trained as in the paper. "
        "Above: mean accuracy over eight corruptions at five severities, and its drop "
        "as a share of the accuracy without corruption. Below: accuracy over severity "
        f"with {keep} weights. Except at the top left, only networks with an accuracy "
        f"of {INFORMED} or more without corruption are shown."
    )
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(8.5, 9)
        parts: Any = figure.subfigures(2, 1, height_ratios=[1.1, 1.4])
        above, below = parts
        _over_size(above, pd.concat([ours, best]))
        _by_kind(below, _at(found.curves, width, keep))
        explain(figure, caption, legend=False)
    return figure


def _largest(groups: pd.DataFrame) -> int:
    """Return the largest width of pruned networks.

    Raises:
        ConfigError: There are none.
    """
    pruned = groups[groups["keep"].notna()]
    if pruned.empty:
        raise ConfigError("expected pruned networks, got none")
    return int(pruned["width"].max())


def _over_size(above: SubFigure, shown: pd.DataFrame) -> None:
    """Draw accuracy under corruption and its drop over the weights kept."""
    left, right = above.subplots(1, 2)
    over_size(left, shown, "mean_corruption", "mean accuracy under corruption")
    informed = shown[shown["accuracy"] >= INFORMED]
    over_size(right, informed, "drop", "relative drop of accuracy")
    drawn = left.get_legend_handles_labels()
    look: Any = {"ncols": COLUMNS, "fontsize": SMALL, "frameon": False}
    above.legend(*drawn, loc="outside upper center", **look)


def _by_kind(below: SubFigure, curves: pd.DataFrame) -> None:
    """Draw accuracy over severity, a panel for each corruption."""
    panels = below.subplots(2, len(KINDS) // 2, sharex=True, sharey=True)
    for axes, kind in zip(panels.flat, KINDS, strict=True):
        severities(axes, curves[curves["kind"].eq(kind)], kind)
    for axes in panels[-1]:
        axes.set_xlabel("severity")
    for axes in panels[:, 0]:
        axes.set_ylabel("accuracy")


def _at(curves: pd.DataFrame, width: int, keep: int) -> pd.DataFrame:
    """Return the curves of a size, of dense networks and of the best known."""
    best = curves["method"].eq(BEST_KNOWN["any"])
    near = curves.loc[best & curves["keep"].le(keep), "keep"].max()
    same = curves["keep"].eq(keep) | curves["method"].eq("dense")
    others = curves["width"].eq(width) & same & ~curves["method"].isin(NAMES)
    found = curves[others.fillna(False) | (best & curves["keep"].eq(near))]
    clean = found[found["severity"].eq(0)].set_index("method")["accuracy"]
    return found[found["method"].isin(clean.index[clean >= INFORMED])]


def over_size(axes: Axes, groups: pd.DataFrame, column: str, label: str) -> None:
    """Draw a number over the weights there are, a line for each method."""
    for name, part in groups.groupby("method", sort=False):
        line = part.sort_values("nnz")
        if name == "dense":
            level = line[column].median()
            axes.axhline(level, color=style.colour("dense"), linestyle="--", label=name)
            continue
        x, y = line["nnz"].to_numpy(float), line[column].to_numpy(float)
        axes.plot(x, y, label=LABELS.get(name, style.plain(name)), **_look(name))
    axes.set(xlabel="weights kept", ylabel=label)


def severities(axes: Axes, curves: pd.DataFrame, kind: str) -> None:
    """Draw accuracy over severity under one corruption, a line for each method."""
    for name, part in curves.groupby("method", sort=False):
        line = part.sort_values("severity")
        x, y = line["severity"].to_numpy(float), line["accuracy"].to_numpy(float)
        axes.plot(x, y, **_look(name) | {"markersize": 4})
    axes.set_title(kind, fontsize=9)


def _look(name: object) -> dict[str, Any]:
    """Return how a method's lines look; black stars are the best known networks."""
    if name in NAMES:
        return STAR if name == BEST_KNOWN["any"] else STAR | OPEN
    return look(name)
