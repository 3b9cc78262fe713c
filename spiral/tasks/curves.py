"""Tasks of points along smooth curves: moons, rings and spirals."""

import numpy as np
from jaxtyping import Float64, UInt8

from spiral.model import seeds
from spiral.tasks.parameters import POINTS, Family, Multiple, Parameter, Whole
from spiral.tasks.task import Raw, rounded

Points = Float64[np.ndarray, "D 2"]

NOISE = Parameter(
    "noise", Multiple(0.01, 0, 0.5), 0.0, "deviation of Gaussian noise on raw points"
)
"""None by default, so that a network can classify every point correctly."""


def _noisy(name: str, classes: list[Points], noise: float) -> Raw:
    """Return the points of two classes with noise, equal for equal names and sizes."""
    points = np.concatenate(classes)
    labels: UInt8[np.ndarray, " D"] = np.repeat(
        np.arange(2, dtype=np.uint8), [len(part) for part in classes]
    )
    draws = seeds.stream("task", 0, name, len(points)).standard_normal(points.shape)
    return Raw(rounded(points + noise * draws), labels)


def _circle(angle: Float64[np.ndarray, " D"]) -> Points:
    """Return the points of the unit circle at these angles."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def moons(points: int, noise: float) -> Raw:
    """Return two half circles of radius 1, each with an end inside the other.

    Source: ``make_moons`` of scikit-learn.
    """
    upper = _circle(np.linspace(0, np.pi, points // 2))
    return _noisy("moons", [upper, [1, 0.5] - upper], noise)


def rings(n: int, points: int, noise: float) -> Raw:
    """Return circles of radius 1, 2, … around the origin, of alternating class.

    A class has half of the points, spread over its circles in proportion to their
    radius: equal density within a class, and no class that is larger.
    """
    radii = np.arange(1, n + 1)
    classes = [radii[::2], radii[1::2]]
    return _noisy("rings", [_of_radii(own, points // 2) for own in classes], noise)


def _of_radii(radii: np.ndarray, points: int) -> Points:
    """Return evenly spaced points on circles around the origin."""
    counts = points * radii // radii.sum()
    return np.concatenate(
        [
            radius * _circle(np.linspace(0, 2 * np.pi, count, endpoint=False))
            for radius, count in zip(radii, counts.tolist(), strict=True)
        ]
    )


def spirals(turns: float, points: int, noise: float) -> Raw:
    """Return two Archimedean spirals, half a turn apart; their arms are 1 apart.

    They start after a quarter of a turn. At the centre, where they would meet, no
    network could tell the classes apart. As in TensorFlow Playground, points are even
    in the angle, hence dense near the centre.
    """
    angle = np.linspace(np.pi / 2, np.pi / 2 + 2 * np.pi * turns, points // 2)
    arm = (angle / np.pi)[:, None] * _circle(angle)
    return _noisy("spirals", [arm, -arm], noise)


FAMILIES = (
    Family(
        "moons",
        "two half circles, each with an end inside the other",
        moons,
        (POINTS, NOISE),
    ),
    Family(
        "rings",
        "concentric circles of alternating class",
        rings,
        (Parameter("n", Whole(2, 8), 3, "number of circles"), POINTS, NOISE),
    ),
    Family(
        "spirals",
        "two interleaved smooth spirals, as in TensorFlow Playground",
        spirals,
        (
            Parameter("turns", Multiple(0.25, 1, 4), 1.75, "turns around the centre"),
            POINTS,
            NOISE,
        ),
    ),
)
