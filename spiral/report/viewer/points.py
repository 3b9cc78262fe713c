"""The tasks of the viewer's page: their points, what the plane shows, what is chance.

Points on polygons are rebuilt to the bit from the ends of their segments. Of other
tasks the page has a sample, rounded to the resolution of a large screen: all points
would take 400 KB each.
"""

from base64 import b64encode
from typing import Any

import numpy as np
from jaxtyping import Int

from spiral.model import seeds
from spiral.tasks import Task, cubist

SAMPLE = 3_000
"""Points of a task that the page has, if these are not on polygons."""
STEPS = 2**15 - 1
"""Into which half of the window is divided: an int16 for each coordinate."""


def of_task(task: Task) -> dict[str, Any]:
    """Return what the page knows of a task."""
    return {
        "name": task.name,
        "total": task.points,
        "chance": task.chance,
        "half": task.window[1],
        "points": on_polygons(task) if task.curves else sampled(task),
    }


def on_polygons(task: Task) -> dict[str, Any]:
    """Return what points on polygons are made from, for ``page/points.js``."""
    assert task.curves is not None
    return {
        "segments": [
            [[*start.tolist(), *stop.tolist(), n] for start, stop, n in polygon]
            for polygon in map(cubist.segments, task.curves)
        ],
        "mean": task.scale.mean.tolist(),
        "deviation": task.scale.deviation.tolist(),
    }


def sampled(task: Task) -> dict[str, Any]:
    """Return a sample of points, class 0 first, for ``page/points.js``."""
    size = min(SAMPLE, task.points)
    # At random: every n-th point of a lattice would be another lattice
    order = seeds.stream("picture", 0, task.points).permutation(task.points)
    chosen = np.sort(order[:size])  # points are sorted by class
    step = task.window[1] / STEPS
    places: Int[np.ndarray, "D 2"] = np.round(task.x[chosen] / step).astype("<i2")
    return {
        "step": step,
        "places": b64encode(places.tobytes()).decode(),
        "zeros": int((task.y[chosen] == 0).sum()),
    }
