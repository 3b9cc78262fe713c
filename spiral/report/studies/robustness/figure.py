"""Figure of robustness: accuracy under corruption over size, and kind by kind."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.errors import ConfigError
from spiral.report.figures import style
from spiral.report.studies.robustness.diagnosis import BEST_KNOWN
from spiral.report.studies.robustness.measure import KINDS

NAMES = tuple(BEST_KNOWN.values())
INFORMED = 0.75
"""Clean accuracy below which drops mean little and are not shown."""

STAR: dict[str, Any] = {
    "color": "black",
    "marker": "*",
    "markersize": 8,
    "linewidth": 1,
}


def page(
    groups: pd.DataFrame, curves: pd.DataFrame, width: int | None = None
) -> Figure:
    """Draw what a diagnosis found at one width, the corruptions at its middle size.

    Args:
        groups: As ``diagnosis.diagnose`` has them.
        curves: The same.
        width: Hidden width of the networks; the largest by default.

    Raises:
        ConfigError: There are none of this width.
    """
    pruned = ~groups["method"].isin(NAMES) & groups["keep"].notna()
    if width is None and pruned.any():
        width = int(groups.loc[pruned, "width"].max())
    ours = groups["width"].eq(width) & ~groups["method"].isin(NAMES)
    sizes = sorted(groups.loc[ours, "keep"].dropna().unique())
    if width is None or not sizes:
        raise ConfigError(
            f"expected pruned networks of width {width or 'any'}, got none"
        )
    keep = int(sizes[len(sizes) // 2])
    with mpl.rc_context(style.SETTINGS):
        figure = style.figure(11, 9)
        parts: Any = figure.subfigures(2, 1, height_ratios=[1, 1.5])
        above, below = parts
        left, right = above.subplots(1, 2)
        shown = groups[ours | groups["method"].isin(NAMES)]
        over_size(left, shown, "mean_corruption", "mean accuracy under corruption")
        shown = shown[shown["accuracy"] >= INFORMED]
        over_size(right, shown, "drop", "relative drop of accuracy")
        right.set_title(f"networks of clean accuracy {INFORMED} or more", fontsize=9)
        above.legend(*left.get_legend_handles_labels(), loc="outside right center")
        panels = below.subplots(2, len(KINDS) // 2, sharex=True, sharey=True)
        shown = _at(curves, width, keep)
        for axes, kind in zip(panels.flat, KINDS, strict=True):
            severities(axes, shown[shown["kind"].eq(kind)], kind)
        for axes in panels[-1]:
            axes.set_xlabel("severity")
        title = f"accuracy over severity: width {width}, {keep} weights asked for"
        below.suptitle(title, fontsize=10)
    return figure


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
            axes.axhline(
                line[column].median(), color=style.colour("dense"), linestyle="--",
                label="dense",
            )  # fmt: skip
            continue
        look = _look(str(name))
        x, y = line["nnz"].to_numpy(float), line[column].to_numpy(float)
        axes.plot(x, y, label=str(name).replace("_", " "), **look)
    axes.set(xlabel="weights", ylabel=label)


def severities(axes: Axes, curves: pd.DataFrame, kind: str) -> None:
    """Draw accuracy over severity under one corruption, a line for each method."""
    for name, part in curves.groupby("method", sort=False):
        line = part.sort_values("severity")
        x, y = line["severity"].to_numpy(float), line["accuracy"].to_numpy(float)
        axes.plot(x, y, **_look(str(name)) | {"markersize": 4})
    axes.set_title(kind, fontsize=9)


def _look(name: str) -> dict[str, Any]:
    """Return how a method's lines look; black stars are the best known networks."""
    if name in NAMES:
        return STAR | {"linestyle": "-" if name == BEST_KNOWN["any"] else ":"}
    return {"color": style.colour(name), "marker": style.marker(name)}
