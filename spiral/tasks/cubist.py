"""The Cubist Spiral: two classes of points along two interleaved polygonal spirals.

The constants describe the spiral of the paper, of two turns with eight sides each.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from spiral.errors import ConfigError
from spiral.tasks.parameters import Family, Multiple, Parameter, Whole
from spiral.tasks.task import Raw, Scale, rounded, scale_of, standardised

__all__ = ["Scale", "Spiral", "load", "raw", "scale_of", "segments", "vertices", "walk"]

POINTS = 49_982
TURNS = 2
SIDES = 8
VERTICES = 17
CENTRE_GAP = 15.0
REQUESTED_POINTS = 25_000

Points = Float[np.ndarray, "D 2"]


class Spiral(NamedTuple):
    """The data set: standardised coordinates and labels, class 0 first."""

    x: Float[np.ndarray, "D 2"]
    y: UInt8[np.ndarray, " D"]


def vertices(
    turns: float = TURNS, sides: int = SIDES
) -> tuple[Float[np.ndarray, "V 2"], Float[np.ndarray, "V 2"]]:
    """Return the vertices of class 0 and class 1, shifted to start at zero.

    Args:
        turns: How often the spirals go around the centre; more turns are added outside.
        sides: Segments of each turn; turns · sides is a whole number.
    """
    count = round(turns * sides) + 1
    theta = np.linspace(np.pi, (1 + 2 * turns) * np.pi, count) + 0.4 * np.pi
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


def segments(corners: Float[np.ndarray, "V 2"]) -> list[Segment]:
    """Return the segments of one polygon, each from its far end to its near end.

    A segment gets ⌊25,000 · its length / total length⌋ points, both ends included, so
    inner corners occur twice and a class has 24,991 points instead of 25,000.
    """
    near, far = corners[:-1], corners[1:]
    lengths = np.linalg.norm(far - near, axis=1)
    counts = np.floor(REQUESTED_POINTS * lengths / lengths.sum()).astype(int)
    return [Segment(*ends) for ends in zip(far, near, counts.tolist(), strict=True)]


def walk(corners: Float[np.ndarray, "V 2"]) -> Points:
    """Spread points along one polygon, evenly within each segment."""
    return np.concatenate([np.linspace(*segment) for segment in segments(corners)])


def check(turns: float, sides: int) -> None:
    """Raise ConfigError if the last turn would end within a segment."""
    if (turns * sides) % 1:
        raise ConfigError(
            "task cubist: expected turns · sides to be a whole number of segments, got "
            f"{turns:g} · {sides}; give an even number of sides or other turns"
        )


def build(turns: float = TURNS, sides: int = SIDES) -> Raw:
    """Return the points of a spiral before standardisation, rounded to float32."""
    curves = vertices(turns, sides)
    classes = [walk(corners) for corners in curves]
    points = rounded(np.concatenate(classes))
    labels = np.repeat(np.arange(2, dtype=np.uint8), [len(arm) for arm in classes])
    return Raw(points, labels, curves)


def raw() -> Points:
    """Return the points before standardisation, rounded to float32."""
    return build().points


@cache
def load() -> Spiral:
    """Build the data set (49,982 points, 24,991 per class; read-only arrays).

    Returns:
        x: float32, zero mean and unit (unbiased) standard deviation per coordinate.
        y: uint8 labels, all of class 0 before all of class 1.

    Source: Zhang & Papyan, *Sparsest Models Elude Pruning*, ICML 2024. Mean and
    deviation are summed in float64 here; samples agree with theirs to 2e-5.
    """
    points, y, *_ = build()
    x = standardised(points, scale_of(points))
    x.flags.writeable = y.flags.writeable = False
    return Spiral(x, y)


FAMILY = Family(
    "cubist",
    "two interleaved polygonal spirals; at its defaults the Cubist Spiral of the paper",
    build,
    (
        Parameter("turns", Multiple(0.25, 1, 4), TURNS, "turns around the centre"),
        Parameter("sides", Whole(6, 16), SIDES, "sides of a turn"),
    ),
    check,
)
