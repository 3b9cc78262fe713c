"""Robustness of networks to corrupted points.

Source: the measures of Li et al., *Understanding Robustness Lottery*, 2022
(arXiv:2206.07918), from its summary; no code was published. There is one logit
z = w·h + b here, so the directions of the classes are w and -w. The sets of points
(silent, fragile, lost) are this project's.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from spiral.model import mlp
from spiral.report.studies.robustness.corruptions import (
    CORRUPTIONS,
    SEVERITIES,
    corrupt,
)
from spiral.tasks.task import Task

KINDS = tuple(CORRUPTIONS)
HALF = len(KINDS) // 2

RADII = np.arange(1, 16) * 0.02
"""How far points are moved to see when they turn; the classes of ``cubist`` are 0.31 or
more apart."""

DIRECTIONS = 16
SPARSER = 10
"""Every N-th point is moved in all directions: all would take ten times as long."""

Flags = Bool[np.ndarray, " D"]
Values = Float[np.ndarray, " D"]


class Probe(NamedTuple):
    """The points that networks are measured on."""

    labels: Flags
    clean: Float[np.ndarray, "2 D"]
    corrupted: tuple[tuple[Float[np.ndarray, "2 D"], ...], ...]
    """Of each kind at severities 0 … 5."""


@lru_cache(maxsize=2)
def probe(task: Task, every: int) -> Probe:
    """Return every N-th point of a task, corrupted in all ways (float64)."""
    points = task.x[::every].astype(np.float64)
    ways = [
        tuple(
            np.ascontiguousarray(corrupt(points, kind, severity).T)
            for severity in range(SEVERITIES + 1)
        )
        for kind in KINDS
    ]
    clean = np.ascontiguousarray(points.T)
    return Probe(task.y[::every] == 1, clean, tuple(ways))


class Reading(NamedTuple):
    """Measurements of one network on the points."""

    right: Flags
    """Points that have the right sign when clean."""
    accuracy: Float[np.ndarray, "K S1"]
    """Of each kind at severities 0 … 5."""
    angle: Values
    """Degrees between h and the direction of the point's own class; NaN if h is 0."""
    length: Values
    """‖h‖."""
    margin: Values
    """Distance of h from the boundary, positive on the right side: s·z/‖w‖."""
    fragile: Flags
    """Right when clean, wrong under half of the kinds or more at severity 5."""
    moved: Float[np.ndarray, "K D"]
    """What severity 5 of each kind adds to the margin."""
    room: Float[np.ndarray, " E"]
    """How far some right points can move any way and stay right: the last of RADII at
    which they do in all directions, 0 if none."""


def read(params: Float[np.ndarray, " P"], width: int, on: Probe) -> Reading:
    """Read one network.

    Args:
        params: Flat parameters; masked ones are zero.
        width: Hidden width w.
        on: The points.
    """
    params = params.astype(np.float64)
    h = mlp.features(params, on.clean, width)
    weights, biases = mlp.matrices(params, width)[-1]
    direction, side = weights[0], np.where(on.labels, 1.0, -1.0)
    size = np.linalg.norm(direction) or np.nan  # nothing is known without a direction
    length = np.linalg.norm(h, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = side * (direction @ h) / (size * length)
        margin = side * (direction @ h + biases[0]) / size
    z = _logits(params, width, on)
    right = (z > 0) == on.labels
    right &= z != 0
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = side * (z[:, -1] - z[:, 0]) / size
    wrong = (~right[:, SEVERITIES]).sum(axis=0)
    return Reading(
        right=right[0, 0],
        accuracy=right.mean(axis=2),
        angle=np.degrees(np.arccos(np.clip(cosine, -1, 1))),
        length=length,
        margin=margin,
        fragile=right[0, 0] & (wrong >= HALF),
        moved=moved,
        room=room(params, width, on.clean[:, ::SPARSER][:, right[0, 0, ::SPARSER]]),
    )


def room(
    params: Float[np.ndarray, " P"], width: int, points: Float[np.ndarray, "2 E"]
) -> Float[np.ndarray, " E"]:
    """Return how far each point can move any way without a change of its class.

    Args:
        params: Flat parameters.
        width: Hidden width w.
        points: Coordinates; tried are ``DIRECTIONS`` at each of ``RADII``.
    """
    turns = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    ways = np.array([np.cos(turns), np.sin(turns)])
    before = mlp.logits(params, points, width) > 0
    stays, far = np.ones(points.shape[1], bool), np.zeros(points.shape[1])
    for radius in RADII:
        there = (points[:, None, :] + radius * ways[:, :, None]).reshape(2, -1)
        now = (mlp.logits(params, there, width) > 0).reshape(DIRECTIONS, -1)
        stays &= (now == before).all(axis=0)
        far[stays] = radius
    return far


def _logits(
    params: Float[np.ndarray, " P"], width: int, on: Probe
) -> Float[np.ndarray, "K S1 D"]:
    """Return the logits of all corrupted points."""
    ways = [[mlp.logits(params, p, width) for p in points] for points in on.corrupted]
    return np.array(ways)


def numbers(reading: Reading) -> dict[str, float]:
    """Return a reading as numbers.

    ``accuracy`` (clean), ``mean_corruption`` (accuracy over all kinds at severities
    1 … 5), ``drop`` between them, as a share of the first, the mean accuracy under each
    kind, medians and 5 % quantiles of ``angle``, ``length``, ``margin`` and ``room``,
    ``silent`` (share of points with h = 0) and ``fragile`` (share).
    """
    clean = float(reading.accuracy[0, 0])
    each = reading.accuracy[:, 1:].mean(axis=1)
    mean = float(each.mean())
    found = {
        "accuracy": clean,
        "mean_corruption": mean,
        "drop": (clean - mean) / clean if clean else np.nan,
        **dict(zip(KINDS, each.tolist(), strict=True)),
        "silent": float((reading.length == 0).mean()),
        "fragile": float(reading.fragile.mean()),
    }
    for name in ("angle", "length", "margin", "room"):
        low, middle = _quantiles(getattr(reading, name))
        found |= {name: middle, f"{name}_low": low}
    found["angle_high"] = _quantiles(-reading.angle)[0] * -1
    return found


def _quantiles(values: Values) -> tuple[float, float]:
    """Return the 5 % quantile and the median; NaN where nothing is known."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return np.nan, np.nan
    low, middle = np.quantile(known, (0.05, 0.5))
    return float(low), float(middle)


def jaccard(one: Flags, other: Flags) -> float:
    """Return the share of the points of either set that are in both; NaN of none."""
    either = int((one | other).sum())
    return float((one & other).sum() / either) if either else np.nan


def redundancy(readings: Sequence[Reading]) -> Float[np.ndarray, "K K"]:
    """Return how alike kinds move the margins of points: correlation, over networks.

    Networks whose margins a kind does not move at all do not count for it.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.array([np.corrcoef(reading.moved) for reading in readings])
    known = ~np.isnan(each)
    total = np.where(known, each, 0).sum(axis=0)
    found: Float[np.ndarray, "K K"] = np.where(
        known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan
    )
    return found
