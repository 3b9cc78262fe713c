"""Tasks labelled by a random sparse network: its mask bounds the sparsest one.

A teacher gets every point right by construction. So no more weights than it has are
needed for 100 %, whatever a search finds; fewer may suffice.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int

from spiral.errors import ConfigError
from spiral.model import mlp, seeds
from spiral.tasks import teacher
from spiral.tasks.parameters import POINTS, Family, Parameter, Sizes, Whole
from spiral.tasks.task import Planted, Raw, rounded, scale_of, standardised
from spiral.tasks.teacher import Shape, Teacher

DRAWS = 1_000
COARSE = 48
"""Points along a side of the lattice on which teachers are drawn and first tested."""

LEAST_SHARE = 0.3
"""Of the smaller class."""
LEAST_CHANGE = 0.01
"""Share of points whose label must change when any one weight is removed."""
MOST_BY_A_LINE = 0.85
"""Share of points that a straight line may classify: five weights suffice for one."""
ANGLES = 32
"""Directions in which straight lines are tried."""
CLEARED = 0.02
"""Points closer to another class are removed, as a share of the side of the square."""
LEAST_LOGIT = 1e-3
"""In deviations of the logit; float32 rounds by about 1e-6."""


class Sample(NamedTuple):
    """What is left of a lattice on [-1, 1]² after the boundary is cleared."""

    points: Float64[np.ndarray, "2 D"]
    labels: Bool[np.ndarray, " D"]


def check(shape: Shape, nnz: int, **_: int) -> None:
    """Raise ConfigError unless every unit of a shape can lie on a path."""
    fewest, most = teacher.limits(shape)
    if not fewest <= nnz <= most:
        raise ConfigError(
            f"task planted: expected nnz from {fewest} to {most} for shape "
            f"{SIZES.write(shape)}, in which every unit is used, got {nnz}"
        )


def build(seed: int, shape: Shape, nnz: int, points: int) -> Raw:
    """Return points labelled by the first suitable teacher.

    Raises:
        ConfigError: None of ``DRAWS`` teachers is suitable.
    """
    random = seeds.stream("task", seed, "planted", *shape, nnz)
    coarse = lattice(COARSE)
    across = orders(coarse)
    for _ in range(DRAWS):
        drawn = teacher.draw(random, shape, nnz, coarse)
        labels = teacher.logits(drawn, coarse) > 0
        if not _suits(drawn, Sample(coarse, labels)):
            continue
        if by_a_line(labels, across) > MOST_BY_A_LINE:
            continue
        sample = _sampled(drawn, points)
        if _suits(drawn, sample) and (found := _certified(drawn, sample)):
            return found
    raise ConfigError(
        f"task planted: expected a teacher of {nnz} weights, each of which matters, "
        f"among {DRAWS:,} draws with seed {seed}, got none; choose another seed, fewer "
        "weights or more units"
    )


def lattice(side: int) -> Float64[np.ndarray, "2 D"]:
    """Return the points of a square lattice on [-1, 1]², row by row."""
    line = (2 * np.arange(side) + 1) / side - 1
    return rounded(np.stack(np.meshgrid(line, line)).reshape(2, -1))


def _suits(drawn: Teacher, sample: Sample) -> bool:
    """Return whether classes are balanced and every weight matters."""
    points, labels = sample
    if not LEAST_SHARE <= labels.mean() <= 1 - LEAST_SHARE:
        return False
    return all(
        ((teacher.logits(fewer, points) > 0) != labels).mean() >= LEAST_CHANGE
        for fewer in teacher.without_each(drawn)
    )


def orders(points: Float64[np.ndarray, "2 D"]) -> Int[np.ndarray, "A D"]:
    """Return the order in which lines of many directions sweep over points."""
    angles = np.pi * np.arange(ANGLES) / ANGLES
    along = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ points
    return np.argsort(along.round(9), axis=1, kind="stable")


def by_a_line(labels: Bool[np.ndarray, " D"], across: Int[np.ndarray, "A D"]) -> float:
    """Return the share of points that the best of these straight lines classifies."""
    ones = np.cumsum(labels[across], axis=1)
    # Class 0 before the line and class 1 after it; the rest is the opposite answer
    right = np.arange(1, len(labels) + 1) - 2 * ones + ones[:, -1:]
    return max(int(right.max()), len(labels) - int(right.min())) / len(labels)


def _sampled(drawn: Teacher, points: int) -> Sample:
    """Return about so many points of a lattice, none of them near the boundary."""
    side = round(points**0.5)
    kept = _cleared(drawn, side).labels.size / side**2
    return _cleared(drawn, round((points / max(kept, LEAST_SHARE)) ** 0.5))


def _cleared(drawn: Teacher, side: int) -> Sample:
    """Return a lattice without the points that are close to the other class."""
    points = lattice(side)
    labels = teacher.logits(drawn, points) > 0
    grid = labels.reshape(side, side).astype(np.int8)
    reach = max(1, round(CLEARED * side))
    inside = (_highest(grid, reach) == -_highest(-grid, reach)).ravel()
    return Sample(points[:, inside], labels[inside])


def _highest(grid: Int[np.ndarray, "S S"], reach: int) -> Int[np.ndarray, "S S"]:
    """Return the highest value among all neighbours within reach, itself included."""
    for axis in (0, 1):
        wider = [(reach, reach) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(grid, wider, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis)
        grid = windows.max(axis=-1)
    return grid


def _certified(drawn: Teacher, sample: Sample) -> Raw | None:
    """Return raw points with their teacher, if it is right for all in any precision."""
    raw = np.ascontiguousarray(sample.points.T)
    scale = scale_of(raw)
    found = teacher.planted(teacher.on_standardised(drawn, scale))
    if not _right(found, standardised(raw, scale), sample.labels):
        return None
    return Raw(raw, sample.labels.astype(np.uint8), None, found)


def _right(found: Planted, x: np.ndarray, labels: Bool[np.ndarray, " D"]) -> bool:
    """Return whether a teacher classifies all points by a margin."""
    width = mlp.width_of(len(found.weights))
    for kind in (np.float32, np.float64):
        z = mlp.logits(found.weights.astype(kind), x.T.astype(kind), width)
        if not np.where(labels, z >= LEAST_LOGIT, z <= -LEAST_LOGIT).all():
            return False
    return True


SIZES = Sizes(layers=3, least=1, most=8)

FAMILY = Family(
    "planted",
    "labels by a random sparse network, whose weights suffice for every point",
    build,
    (
        Parameter("seed", Whole(0, 10**9), 0, "seed of the network"),
        Parameter("shape", SIZES, (4, 3, 2), "its hidden units, layer by layer"),
        Parameter("nnz", Whole(3, 152), 16, "its weights, each of which matters"),
        POINTS,
    ),
    check,
)
