"""Accuracy by arc length: on the polygons themselves instead of on points along them.

A network may put a cliff of its output between two neighbouring points and have every
point right, yet be wrong on a small part of the curve. Along a straight segment all
units are piecewise linear, so the share of the segment that is right follows exactly
from the places where units switch on and off: no sampling.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from spiral.model import mlp
from spiral.protocol import identity
from spiral.search.network import Network, unpacked
from spiral.tasks import catalogue
from spiral.tasks.task import Task

Segment = tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"], float]
"""Start, end (standardised), and share of the length of the whole data set."""


def accuracy(network: Network, task: Task) -> float:
    """Return the share of the curve's length that is classified correctly, in float64.

    Both classes have equal shares. NaN if the points do not lie on curves.
    """
    _, params, width = unpacked(network.matrices, network.params)
    return accuracy_of(params, width, task)


def along(name: str) -> Task | None:
    """Return a task if its points lie on curves, given its name; no file's do."""
    if identity.content(name) != name:
        return None  # without reading it: rows may have come from another machine
    task = catalogue.load(name)
    return None if task.curves is None else task


def accuracy_of(params: Float[np.ndarray, " P"], width: int, task: Task) -> float:
    """Return the same for all parameters of a network, those masked being zero."""
    if task.curves is None:
        return float("nan")
    layers = mlp.matrices(params.astype(np.float64), width)
    return sum(
        share * _right(layers, start, stop, sign)
        for sign, segments in zip((-1.0, 1.0), _classes(task), strict=True)
        for start, stop, share in segments
    )


def _right(
    layers: list[tuple[np.ndarray, np.ndarray]],
    start: Float[np.ndarray, " 2"],
    stop: Float[np.ndarray, " 2"],
    sign: float,
) -> float:
    """Return the share of a segment on which the logit has the sign of the class."""
    at = np.array([0.0, 1.0])
    values = start[:, None] + (stop - start)[:, None] * at
    for number, (weights, biases) in enumerate(layers):
        # Linear between the places so far, so zeros follow from the values there
        z = weights @ values + biases[:, None]
        at, z = _with_zeros(at, z)
        values = np.maximum(z, 0.0) if number < len(layers) - 1 else z
    middle = (values[0, :-1] + values[0, 1:]) / 2
    return float(np.diff(at)[middle * sign > 0].sum())


def _with_zeros(
    at: Float[np.ndarray, " T"], z: Float[np.ndarray, "units T"]
) -> tuple[Float[np.ndarray, " S"], Float[np.ndarray, "units S"]]:
    """Add the places where a unit is zero between two places; interpolate all units."""
    before, after = z[:, :-1], z[:, 1:]
    _, piece = crossing = np.nonzero(before * after < 0)
    part = before[crossing] / (before[crossing] - after[crossing])
    zeros = at[piece] + part * (at[piece + 1] - at[piece])
    every = np.union1d(at, zeros)
    found = np.array([np.interp(every, at, unit) for unit in z])
    return every, found


@lru_cache(maxsize=4)
def _classes(task: Task) -> tuple[list[Segment], list[Segment]]:
    """Return the segments of class 0 and class 1."""
    mean, deviation = task.scale
    found = []
    for corners in task.curves or ():
        lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
        shares = lengths / lengths.sum() / 2
        placed = (corners - mean) / deviation
        ends = zip(placed[:-1], placed[1:], shares.tolist(), strict=True)
        found.append([*ends])
    first, second = found
    return first, second
