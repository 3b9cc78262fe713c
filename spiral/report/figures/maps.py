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
from spiral.tasks import cubist

EXTENT = 2.25
"""Half the side of the square that maps show."""

AREA = (-EXTENT, EXTENT, -EXTENT, EXTENT)
GRID = 512
TICKS = np.linspace(-EXTENT, EXTENT, GRID)


def plane() -> Float[np.ndarray, "2 G"]:
    """Return the points of the grid of maps, row by row, the lowest first."""
    return np.stack(np.meshgrid(TICKS, TICKS)).reshape(2, -1)


def layers(network: Drawn) -> list[Float[np.ndarray, "units G G"]]:
    """Return the values of every unit on the grid: inputs, hidden before ReLU, output.

    Args:
        network: Whose units.
    """
    found = [plane()]
    h = found[0]
    for weights, biases in mlp.matrices(
        network.params.astype(np.float64), network.width
    ):
        found.append(weights @ h + biases[:, None])
        h = mlp.numpy_relu(found[-1])
    return [values.reshape(-1, GRID, GRID) for values in found]


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
    z = mlp.logits(params.astype(np.float64), plane(), width).reshape(GRID, GRID)
    shade = np.tanh(z / 2)  # 2σ(z) - 1: certain of class 0 … certain of class 1
    axes.imshow(
        shade,
        origin="lower",
        extent=AREA,
        cmap=style.OPINION,
        vmin=-1,
        vmax=1,
        alpha=0.6,
    )
    if z.min() < 0 < z.max():
        axes.contour(TICKS, TICKS, z, levels=[0.0], colors="black", linewidths=1)
    dots(axes)
    axes.set_title(style.plain(title))
    axes.legend(loc="lower left", fontsize=8, markerscale=4)


def dots(axes: Axes) -> None:
    """Draw every 25th data point, and show the square of maps."""
    data = cubist.load()
    for label, colour in enumerate(style.CLASSES):
        some = data.x[data.y == label][::25]
        axes.plot(*some.T, ".", color=colour, markersize=2, label=f"class {label}")
    axes.set(xlim=AREA[:2], ylim=AREA[2:], aspect="equal")
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
    boundary(axes, network.params, network.width)
    if legend := axes.get_legend():
        legend.remove()
    axes.set_title(style.plain(network.title), fontsize=8)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=framed, linewidth=2)
