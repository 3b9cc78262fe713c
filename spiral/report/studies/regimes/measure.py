"""Regimes of pruning: whether retrainings of one network are connected, and alike.

Zhou et al., *A Three-regime Model of Network Pruning*, ICML 2023 (arXiv:2305.18383): a
dense network of some temperature is pruned to some load and retrained several times
from equal weights. The error along the straight line between two results shows whether
they are connected, CKA of their outputs whether they are alike. The paper
gives no thresholds; those here are this project's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from spiral.errors import ConfigError
from spiral.model import mlp
from spiral.model.compact import compact, live_units
from spiral.tasks.task import Task

STOPS = 11
"""Places along a line where the error is measured, both ends included."""

REGIMES = ("I", "II-A", "II-B", "collapsed")
"""Not connected; connected and unlike; connected and alike; outputs are constant."""

CONSTANT = 1e-12
"""Variance of probabilities below which an output counts as constant."""

Values = Float[np.ndarray, " D"]
Errors = Float[np.ndarray, " T"]


@dataclass(frozen=True)
class Thresholds:
    """Borders between regimes."""

    barrier: float = -0.02
    """Connectivity (share of errors) below which retrainings are not connected."""
    alike: float = 0.9
    """CKA from which they are alike."""


class Pair(NamedTuple):
    """Two retrainings of one pruned network."""

    lmc: float
    cka: float
    """NaN where an output is constant."""


class Retrained(NamedTuple):
    """A retrained network."""

    params: Float[np.ndarray, " P"]
    mask: Bool[np.ndarray, " P"]
    width: int


class Points(NamedTuple):
    """Where networks are read."""

    x: Float[np.ndarray, "2 D"]
    positive: Bool[np.ndarray, " D"]


def points(task: Task, every: int = 1) -> Points:
    """Return every N-th point of a task (float64)."""
    x = np.ascontiguousarray(task.x[::every].T.astype(np.float64))
    return Points(x, task.y[::every] == 1)


def pairs(networks: Sequence[Retrained], on: Points) -> list[Pair]:
    """Compare every two retrainings of one pruned network."""
    width, small = _narrowed(networks)
    found = []
    for one, other in combinations(small, 2):
        outputs = [mlp.logits(p, on.x, width) for p in _line(one, other)]
        errors = np.array([_error(z, on.positive) for z in outputs])
        found.append(Pair(connectivity(errors), linear_cka(outputs[0], outputs[-1])))
    return found


def connectivity(errors: Errors) -> float:
    """Return linear mode connectivity: below 0 is a barrier, above 0 a valley.

    The mean of both ends minus the error that is furthest from it.

    Args:
        errors: Shares of wrong points along the line, both ends included.
    """
    middle = (errors[0] + errors[-1]) / 2
    gaps = middle - errors
    return float(gaps[np.argmax(np.abs(gaps))])


def linear_cka(one: Values, other: Values) -> float:
    """Return linear CKA of two networks' outputs, given their logits.

    There is one probability σ(z) here, and CKA is the square of Pearson's correlation;
    it equals that of both classes' probabilities. An inverted output counts as alike.
    NaN where one of them is constant.
    """
    a, b = _centred(one), _centred(other)
    if min(a @ a, b @ b) < CONSTANT * len(a):
        return float("nan")
    return float((a @ b) ** 2 / ((a @ a) * (b @ b)))


def regime(lmc: float, cka: float, thresholds: Thresholds) -> str:
    """Return the regime of a cell's means; NaN for CKA is collapsed."""
    if np.isnan(cka):
        return "collapsed"
    if lmc < thresholds.barrier:
        return "I"
    return "II-B" if cka >= thresholds.alike else "II-A"


def border(cka: Float[np.ndarray, " N"]) -> float:
    """Return the border between two clusters of CKA: half-way between their means.

    In one dimension the best two clusters are two runs of the sorted values.

    Args:
        cka: Of cells; NaN where there is none.

    Raises:
        ConfigError: There are not two values.
    """
    values = np.sort(cka[~np.isnan(cka)])
    if len(np.unique(values)) < 2:
        raise ConfigError(
            "expected at least two different values of CKA to split, got "
            f"{np.unique(values).tolist()}; set --alike instead of --split"
        )
    halves = [(values[:n], values[n:]) for n in range(1, len(values))]
    spread = [len(a) * a.var() + len(b) * b.var() for a, b in halves]
    low, high = halves[int(np.argmin(spread))]
    return float((low.mean() + high.mean()) / 2)


def _centred(z: Values) -> Values:
    """Return the probability of class 1 less its mean."""
    probability: Values = (1 + np.tanh(z / 2)) / 2
    return probability - probability.mean()


def _error(z: Values, positive: Bool[np.ndarray, " D"]) -> float:
    """Return the share of points without the right sign."""
    right = np.where(positive, z > 0, z < 0)
    return float(1 - right.mean())


def _line(
    one: Float[np.ndarray, " P"], other: Float[np.ndarray, " P"]
) -> list[Float[np.ndarray, " P"]]:
    """Return parameters along the line between two networks, exact at its ends."""
    steps = np.linspace(0, 1, STOPS)
    return [(1 - t) * one + t * other for t in steps]


def _narrowed(
    networks: Sequence[Retrained],
) -> tuple[int, list[Float[np.ndarray, " Q"]]]:
    """Return networks of one mask without their dead units, and their width."""
    mask, width = networks[0].mask[None], networks[0].width
    assert all((a.mask == b.mask).all() for a, b in pairwise(networks))
    most = max(1, int(live_units(mask, width).sum(axis=2).max()))
    small = compact(mask, width, most)
    return most, [small.take(n.params.astype(np.float64)[None])[0] for n in networks]
