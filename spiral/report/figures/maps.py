"""Functions that networks compute: decision maps, alone and side by side."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.model import mlp
from spiral.report.figures import style
from spiral.report.figures.layout import Sheet, panels
from spiral.report.figures.networks import Drawn
from spiral.tasks import catalogue

GRID = 512


def ticks(task: str) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, " G"]]:
    """Return the coordinates of the grid of maps: the window of a task."""
    left, right, low, high = catalogue.load(task).window
    return np.linspace(left, right, GRID), np.linspace(low, high, GRID)


def plane(task: str) -> Float[np.ndarray, "2 G"]:
    """Return the points of the grid of maps, row by row, the lowest first."""
    return np.stack(np.meshgrid(*ticks(task))).reshape(2, -1)


def layers(network: Drawn) -> list[Float[np.ndarray, "units G G"]]:
    """Return the values of every unit on the grid: inputs, hidden before ReLU, output.

    Args:
        network: Whose units.
    """
    found = [plane(network.task)]
    h = found[0]
    for weights, biases in mlp.matrices(
        network.params.astype(np.float64), network.width
    ):
        found.append(weights @ h + biases[:, None])
        h = mlp.numpy_relu(found[-1])
    return [values.reshape(-1, GRID, GRID) for values in found]


def boundary(axes: Axes, network: Drawn, title: str = "") -> None:
    """Draw a network's decision map on a 512×512 grid over its task, with data.

    Args:
        axes: Where to draw.
        network: What to draw.
        title: Text above.
    """
    grid, params = plane(network.task), network.params.astype(np.float64)
    z = mlp.logits(params, grid, network.width).reshape(GRID, GRID)
    shade = np.tanh(z / 2)  # 2σ(z) - 1: certain of class 0 … certain of class 1
    axes.imshow(
        shade,
        origin="lower",
        extent=catalogue.load(network.task).window,
        cmap=style.OPINION,
        vmin=-1,
        vmax=1,
        alpha=0.6,
    )
    if z.min() < 0 < z.max():
        lines = {"levels": [0.0], "colors": "black", "linewidths": 1}
        axes.contour(*ticks(network.task), z, **lines)
    dots(axes, network.task)
    axes.set_title(style.plain(title))
    axes.legend(loc="lower left", fontsize=8, markerscale=4)


SOME = 2_000
"""About how many data points maps show."""


def stride(points: int) -> int:
    """Return which points of so many are shown: every n-th, 25 of the default task."""
    return max(1, round(points / SOME))


def dots(axes: Axes, task: str) -> None:
    """Draw some data points, and show the window of the task."""
    data = catalogue.load(task)
    for label, colour in enumerate(style.CLASSES):
        some = data.x[data.y == label][:: stride(data.points)]
        axes.plot(*some.T, ".", color=colour, markersize=2, label=f"class {label}")
    axes.set(xlim=data.window[:2], ylim=data.window[2:], aspect="equal")
    axes.grid(visible=False)


def beside(networks: Sequence[Drawn], caption: str = "", framed: bool = True) -> Figure:
    """Return decision maps side by side, up to five in a row.

    Args:
        networks: What is compared.
        caption: What is shown, below.
        framed: Whether the first, to which the others are compared, has a frame.
    """
    paints = [
        partial(_bare, network=one, framed=framed and number == 0)
        for number, one in enumerate(networks)
    ]
    columns = min(5, -(-len(paints) // (1 + (len(paints) > 5))))
    return panels(paints, Sheet(columns, 2.2, 2.85), caption)


def _bare(axes: Axes, network: Drawn, framed: bool) -> None:
    """Draw a map without ticks."""
    boundary(axes, network)
    if legend := axes.get_legend():
        legend.remove()
    axes.set_title(style.plain(network.title), fontsize=8)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=framed, linewidth=2)
