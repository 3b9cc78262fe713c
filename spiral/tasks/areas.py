"""Tasks of points that fill areas: checkerboard, xor and blobs. Nothing is drawn."""

import numpy as np
from jaxtyping import Float64

from spiral.tasks.parameters import POINTS, Family, Parameter, Whole
from spiral.tasks.task import Raw, rounded

GAP = 0.1
"""Share of a square's side without points, so that boundaries need not be exact."""

GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
APART = 10
"""Deviations between the centres of neighbouring blobs: no point of 25,000 reaches
the line between them."""


def checkerboard(n: int, points: int) -> Raw:
    """Return n × n unit squares of alternating class, each a lattice of points."""
    side = round(points**0.5 / n)
    inside = GAP / 2 + (1 - GAP) * (np.arange(side) + 0.5) / side
    line = (np.arange(n)[:, None] + inside).ravel()
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    return Raw(rounded(grid), (np.floor(grid).sum(axis=1) % 2).astype(np.uint8))


def xor(points: int) -> Raw:
    """Return four squares; class 0 where the signs of both coordinates are equal."""
    return checkerboard(2, points)


def blobs(n: int, points: int) -> Raw:
    """Return n Gaussian clusters on the unit circle, of alternating class."""
    angle = 2 * np.pi * np.arange(n) / n
    centres = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    deviation = 2 * np.sin(np.pi / n) / APART
    cloud = deviation * _normal(points // n)
    found = (centres[:, None] + cloud).reshape(-1, 2)
    return Raw(
        rounded(found), (np.repeat(np.arange(n), len(cloud)) % 2).astype(np.uint8)
    )


def _normal(count: int) -> Float64[np.ndarray, "D 2"]:
    """Return points that are spread as a standard normal distribution, by no chance.

    Radii are quantiles of the distribution of radii, and angles advance by the golden
    angle, as seeds do in a sunflower.
    """
    order = np.arange(count)
    radius = np.sqrt(-2 * np.log1p(-(order + 0.5) / count))
    angle = GOLDEN_ANGLE * order
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


FAMILIES = (
    Family(
        "checkerboard",
        "squares of alternating class",
        checkerboard,
        (Parameter("n", Whole(3, 8), 3, "squares of a side"), POINTS),
    ),
    Family("xor", "four squares, opposite ones of one class", xor, (POINTS,)),
    Family(
        "blobs",
        "Gaussian clusters on a circle, of alternating class",
        blobs,
        (Parameter("n", Whole(2, 12), 6, "number of clusters"), POINTS),
    ),
)
