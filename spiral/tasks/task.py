"""A task: two classes of points in the plane, standardised, with a name."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from spiral.model import mlp

MARGIN = 1.02
"""How much larger than the data the window is."""
TICK = 20
"""The window ends at a multiple of 1/20: that of the Cubist Spiral at ±2.25."""


class Scale(NamedTuple):
    """Mean and unbiased standard deviation of each coordinate of the raw points."""

    mean: Float64[np.ndarray, " 2"]
    deviation: Float64[np.ndarray, " 2"]


class Planted(NamedTuple):
    """A network known to classify every point of a task correctly."""

    mask: Bool[np.ndarray, " P"]
    """Weights and biases, in the flat order of ``spiral.model.mlp``."""
    weights: Float32[np.ndarray, " P"]
    """Its parameters for standardised points; zero where the mask is."""

    @property
    def nnz(self) -> int:
        """The number of weights kept, which suffice for every point."""
        width = mlp.width_of(len(self.mask))
        return int((self.mask & mlp.is_weight(width)).sum())


class Raw(NamedTuple):
    """What a family builds: points before standardisation."""

    points: Float64[np.ndarray, "D 2"]
    labels: UInt8[np.ndarray, " D"]
    curves: tuple[Float64[np.ndarray, "V 2"], ...] | None = None
    planted: Planted | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """A data set of two classes in the plane; all its arrays are read-only."""

    name: str
    """Canonical, as :func:`spiral.tasks.canonical` writes it."""
    x: Float32[np.ndarray, "D 2"]
    """Mean 0 and unbiased deviation 1 in each coordinate."""
    y: UInt8[np.ndarray, " D"]
    """Labels: all of class 0, then all of class 1."""
    scale: Scale
    """Mean and deviation of the raw points."""
    curves: tuple[Float64[np.ndarray, "V 2"], ...] | None = None
    """Raw corners of each class, if its points lie on a polygonal curve."""
    planted: Planted | None = None
    """The teacher that labelled the points, if one did."""

    @property
    def points(self) -> int:
        """The number of points, D."""
        return len(self.x)

    @cached_property
    def digest(self) -> str:
        """BLAKE2b of coordinates and labels (128 bits, hex)."""
        found = hashlib.blake2b(self.x.astype("<f4").tobytes(), digest_size=16)
        found.update(self.y.tobytes())
        return found.hexdigest()

    @cached_property
    def window(self) -> tuple[float, float, float, float]:
        """The square that maps show: lowest and highest x, then y."""
        half = ceil(TICK * MARGIN * float(np.abs(self.x).max())) / TICK
        return -half, half, -half, half

    @cached_property
    def chance(self) -> float:
        """The accuracy of the better constant answer, the share of the larger class."""
        return int(np.bincount(self.y, minlength=2).max()) / self.points


def rounded(points: Float64[np.ndarray, "D 2"]) -> Float64[np.ndarray, "D 2"]:
    """Return points rounded to float32.

    Processors compute cosines that differ in the last digit of float64; rounded, raw
    points are the same everywhere.
    """
    return points.astype(np.float32).astype(np.float64)


def scale_of(points: Float64[np.ndarray, "D 2"]) -> Scale:
    """Return the mean and deviation that standardise points."""
    return Scale(points.mean(axis=0), points.std(axis=0, ddof=1))


def standardised(
    points: Float64[np.ndarray, "D 2"], scale: Scale
) -> Float32[np.ndarray, "D 2"]:
    """Return points with mean 0 and deviation 1, computed in float64."""
    return ((points - scale.mean) / scale.deviation).astype(np.float32)


def of(name: str, raw: Raw) -> Task:
    """Return the task of raw points: sorted by class, standardised, read-only."""
    order = np.argsort(raw.labels, kind="stable")
    scale = scale_of(raw.points)
    x, y = standardised(raw.points, scale)[order], raw.labels[order]
    for array in (x, y, *scale, *(raw.curves or ()), *(raw.planted or ())):
        array.flags.writeable = False
    return Task(name, x, y, scale, raw.curves, raw.planted)
