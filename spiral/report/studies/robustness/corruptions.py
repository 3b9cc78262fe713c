"""Eight corruptions of points in the plane, at five severities each.

Classes are 0.31 apart or more, so a point may move by 0.15 before it is nearer to the
other class; severities stay below that. The same points are disturbed in the same way
for every network, and a higher severity moves each point on along the same way.

Source: the kinds are those of CIFAR-10-C (Hendrycks & Dietterich, ICLR 2019), which the
study of Li et al. (*Understanding Robustness Lottery*, 2022) uses; what they are in the
plane, and how severe, is this project's choice. Uniform noise is left out: it would
add nothing to Gaussian noise.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from spiral.model import seeds

SEVERITIES = 5
WAVELENGTH = 2.0
"""Of the warp, in standard deviations of the coordinates."""

Points = Float[np.ndarray, "D 2"]


def _gaussian(points: Points, size: float, random: np.random.Generator) -> Points:
    return points + size * random.standard_normal(points.shape)


def _speckle(points: Points, size: float, random: np.random.Generator) -> Points:
    return points * (1 + size * random.standard_normal(points.shape))


def _impulse(points: Points, size: float, random: np.random.Generator) -> Points:
    hit, side = random.random((2, *points.shape))
    extreme = np.abs(points).max(axis=0)
    return np.where(hit < size, np.where(side < 0.5, -extreme, extreme), points)


def _shift(points: Points, size: float, random: np.random.Generator) -> Points:
    return points + size / np.sqrt(2)


def _scale(points: Points, size: float, random: np.random.Generator) -> Points:
    return points * (1 - size)


def _rotate(points: Points, size: float, random: np.random.Generator) -> Points:
    turn = np.deg2rad(size)
    cos, sin = np.cos(turn), np.sin(turn)
    return points @ np.array([[cos, sin], [-sin, cos]])


def _warp(points: Points, size: float, random: np.random.Generator) -> Points:
    phase = 2 * np.pi * random.random(2)
    waves = np.sin(2 * np.pi * points[:, ::-1] / WAVELENGTH + phase)
    return points + size * waves


def _quantise(points: Points, size: float, random: np.random.Generator) -> Points:
    return np.round(points / size) * size


CORRUPTIONS: dict[
    str, tuple[Callable[..., Points], tuple[float, float, float, float, float]]
] = {
    "gaussian": (_gaussian, (0.02, 0.04, 0.06, 0.08, 0.10)),
    "speckle": (_speckle, (0.02, 0.04, 0.06, 0.08, 0.10)),
    "impulse": (_impulse, (0.01, 0.02, 0.03, 0.05, 0.07)),
    "shift": (_shift, (0.02, 0.04, 0.06, 0.08, 0.10)),
    "scale": (_scale, (0.02, 0.04, 0.06, 0.08, 0.10)),
    "rotation": (_rotate, (1.0, 2.0, 3.0, 4.0, 5.0)),
    "warp": (_warp, (0.02, 0.04, 0.06, 0.08, 0.10)),
    "quantise": (_quantise, (0.04, 0.08, 0.12, 0.16, 0.20)),
}
"""What each does, and how much at severities 1 … 5: a standard deviation, a share of
a coordinate (speckle, scale), a probability, a length, an angle in degrees, a cell."""


def corrupt(points: Points, kind: str, severity: int) -> Points:
    """Return corrupted points.

    Args:
        points: Coordinates.
        kind: One of :data:`CORRUPTIONS`.
        severity: 0 (the points as they are) … 5.
    """
    if severity == 0:
        return points
    function, sizes = CORRUPTIONS[kind]
    random = seeds.stream(f"corruption/{kind}", 0)
    return function(points, sizes[severity - 1], random)
