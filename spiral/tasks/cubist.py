"""The Cubist Spiral: two classes of points along two interleaved polygonal spirals."""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

POINTS = 49_982
VERTICES = 17
CENTRE_GAP = 15.0
REQUESTED_POINTS = 25_000

Points = Float[np.ndarray, "D 2"]


class Spiral(NamedTuple):
    """The data set: standardised coordinates and labels, class 0 first."""

    x: Float[np.ndarray, "D 2"]
    y: UInt8[np.ndarray, " D"]


def vertices() -> tuple[Float[np.ndarray, "17 2"], Float[np.ndarray, "17 2"]]:
    """Return the vertices of class 0 and class 1, shifted to start at zero."""
    theta = np.linspace(np.pi, 5 * np.pi, VERTICES) + 0.4 * np.pi
    direction = np.stack([np.cos(theta), np.sin(theta)], axis=1)
    centre = (10 * theta + np.pi)[:, None] * direction
    outer, inner = centre + CENTRE_GAP * direction, centre - CENTRE_GAP * direction
    origin = np.minimum(outer.min(axis=0), inner.min(axis=0))
    return outer - origin, inner - origin


class Segment(NamedTuple):
    """A straight piece of a polygon and its number of points, both ends included."""

    start: Float[np.ndarray, " 2"]
    stop: Float[np.ndarray, " 2"]
    points: int


def segments(corners: Float[np.ndarray, "17 2"]) -> list[Segment]:
    """Return the segments of one polygon, each from its far end to its near end.

    A segment gets ⌊25,000 · its length / total length⌋ points, both ends included, so
    inner corners occur twice and a class has 24,991 points instead of 25,000.
    """
    near, far = corners[:-1], corners[1:]
    lengths = np.linalg.norm(far - near, axis=1)
    counts = np.floor(REQUESTED_POINTS * lengths / lengths.sum()).astype(int)
    return [Segment(*ends) for ends in zip(far, near, counts.tolist(), strict=True)]


def walk(corners: Float[np.ndarray, "17 2"]) -> Points:
    """Spread points along one polygon, evenly within each segment."""
    return np.concatenate([np.linspace(*segment) for segment in segments(corners)])


class Scale(NamedTuple):
    """Mean and unbiased standard deviation of each coordinate of the raw points."""

    mean: Float[np.ndarray, " 2"]
    deviation: Float[np.ndarray, " 2"]


def raw() -> Points:
    """Return the points before standardisation, rounded to float32."""
    classes = [walk(corners) for corners in vertices()]
    return np.concatenate(classes).astype(np.float32).astype(np.float64)


def scale_of(points: Points) -> Scale:
    """Return the mean and deviation that standardise points."""
    return Scale(points.mean(axis=0), points.std(axis=0, ddof=1))


@cache
def load() -> Spiral:
    """Build the data set (49,982 points, 24,991 per class; read-only arrays).

    Returns:
        x: float32, zero mean and unit (unbiased) standard deviation per coordinate.
        y: uint8 labels, all of class 0 before all of class 1.

    Source: Zhang & Papyan, *Sparsest Models Elude Pruning*, ICML 2024. Mean and
    deviation are summed in float64 here; samples agree with theirs to 2e-5.
    """
    points = raw()
    mean, deviation = scale_of(points)
    x = ((points - mean) / deviation).astype(np.float32)
    y = np.repeat(np.arange(2, dtype=np.uint8), len(points) // 2)
    x.flags.writeable = y.flags.writeable = False
    return Spiral(x, y)
