"""Pictures of tasks: points of both classes, and the boundary of a known teacher."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spiral.model import mlp, seeds
from spiral.report.figures import maps, style
from spiral.report.figures.layout import Sheet, counted, panels
from spiral.tasks import Task, canonical, load
from spiral.tasks import names as shipped

SHOWN = 3_000
"""Points of a task that are drawn."""


def draw(names: Sequence[str] = ()) -> Figure:
    """Return pictures of tasks, four in a row.

    Args:
        names: The tasks, as a grid names them; by default those that are shipped.

    Raises:
        ConfigError: There is no such task.
    """
    every = [load(canonical(name)) for name in names or shipped()]
    caption = (
        f"{counted((task.points for task in every), 'points')} of each task, of which "
        f"up to {SHOWN:,} are drawn, standardised."
    )
    if any(task.planted for task in every):
        caption += " Black: boundary of the network that labelled the points."
    paints = [partial(_paint, task=task) for task in every]
    sheet = Sheet(4, 2.4, 2.6, share_x=False, share_y=False)
    return panels(paints, sheet, caption)


def _paint(axes: Axes, task: Task) -> None:
    """Draw one task."""
    # A random part: every n-th point of a lattice would show stripes
    order = seeds.stream("picture", 0, task.points).permutation(task.points)[:SHOWN]
    x, y = task.x[order], task.y[order]
    for label, colour in enumerate(style.CLASSES):
        axes.plot(
            *x[y == label].T, ".", color=colour, markersize=1.2, label=f"class {label}"
        )
    if task.planted:
        _boundary(axes, task)
    low_x, high_x, low_y, high_y = task.window
    axes.set(xlim=(low_x, high_x), ylim=(low_y, high_y), aspect="equal")
    axes.set(xticks=[], yticks=[])
    axes.set_title(style.plain(_title(task)), fontsize=8)
    axes.grid(visible=False)


def _boundary(axes: Axes, task: Task) -> None:
    """Draw where the teacher of a task changes its answer."""
    assert task.planted is not None
    across, up = maps.ticks(task.name)
    plane = maps.plane(task.name)
    params = task.planted.weights.astype(np.float64)
    z = mlp.logits(params, plane, mlp.width_of(len(params)))
    z = z.reshape(len(up), len(across))
    axes.contour(across, up, z, levels=[0.0], colors="black", linewidths=1)


def _title(task: Task) -> str:
    """Return a task's name, of a file only its last part, in lines that fit."""
    name = task.name.rpartition("/")[2]
    return name.replace("(", "\n(", 1)
