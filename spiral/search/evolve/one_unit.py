"""Networks with one unit in layer 2, from an exact head on a polygonal distance.

Layers 1 and 2 compute a scalar g, and layers 3 and 4 a piecewise linear function f of
it, whose sign is the class (see ``scalar``). This file says how many thresholds m units
in layer 3 can make, and builds a network from hinges and thresholds.

A unit of layer 3 adds a kink to f and is flat on one side. With m units all flat on the
left, f has a first piece of slope 0 and m sloped ones: m sign changes. If the third is
flat on the right instead, the first slope is the third minus the fourth; for slopes of
alternating sign that is positive like the third, so every one of the m + 1 pieces may
cross zero. That needs m ≥ 3: one and two units make one and two thresholds, three make
four.
"""

import numpy as np
from jaxtyping import Float, Int
from numpy.random import Generator

from spiral.model.stack import Layer
from spiral.search.candidate import Candidate
from spiral.search.polish import Points, spaced
from spiral.search.shape import Shape
from spiral.tasks.task import Task

STEPS = 5_000
"""Steps of annealing: 22 ms."""

EVERY = 124
"""Annealing looks at every n-th point: 403 of them."""

CLIFFS = 0.5
"""Share of starts on a given mask in which two hinges make a cliff, if two can. Starts
of any mask have none: with them 17 weights reached 0.995 after 80 s and more instead of
15 and 12 (seeds 1 and 2, processor time)."""

KINDS = (0.3, 0.35, 0.35)
"""Shares of hinges that are tilted, and parallel to either axis."""


def start(
    random: Generator, largest: Shape, sizes: tuple[int, int], task: Task
) -> Candidate:
    """Return a new network with one unit in layer 2.

    Args:
        random: The random stream.
        largest: Most units of each hidden layer.
        sizes: Fewest and most weights; a network may be outside if few shapes fit.
        task: What it is for.
    """
    kinds, units = _parts(random, largest, sizes)
    cliffs = np.zeros(len(kinds), int)
    return _annealed(random, kinds, cliffs, units, spaced(task, EVERY))


def on_mask(random: Generator, blank: Candidate, task: Task) -> Candidate | None:
    """Return a network with the mask of another, None if that is of another family."""
    first, second, third, _ = blank
    if len(second.biases) > 1:
        return None
    kinds = np.where(first.kept.all(axis=1), 0, 1 + first.kept.argmax(axis=1))
    points = spaced(task, EVERY)
    return _annealed(random, *_with_cliff(kinds, random), len(third.biases), points)


def _annealed(
    random: Generator,
    kinds: Int[np.ndarray, " hinges"],
    cliffs: Int[np.ndarray, " rows"],
    units: int,
    points: Points,
) -> Candidate:
    """Return annealed hinges of given kinds with the best head of some units.

    Args:
        random: The random stream.
        kinds: Of hinges.
        cliffs: As :func:`_with_cliff` returns them.
        units: Of layer 3.
        points: What the head is best for.
    """
    from spiral.search.evolve import scalar  # imported late: Numba loads slowly

    single = kinds[: len(cliffs)]
    hinges = scalar.anneal(single, cliffs, points, most(units), STEPS, random)
    if cliffs.any():
        hinges = _paired(hinges, int(cliffs.argmax()), random)
    _, below, cuts, low, high = scalar.best_head(hinges, points, most(units))
    # Beyond all points, so that thresholds that are not needed never apply
    unused = high + (high - low) * 0.1 * np.arange(1, most(units) + 1)
    cuts = np.concatenate([cuts, unused])[: most(units)]
    # The ReLU of layer 2 must not cut anything off, so g is shifted to be positive
    margin = 0.05 * (high - low)
    return _network(hinges, kinds, margin - low, cuts - low + margin, below, units)


def _with_cliff(
    kinds: Int[np.ndarray, " hinges"], random: Generator
) -> tuple[Int[np.ndarray, " hinges"], Int[np.ndarray, " rows"]]:
    """Return the kinds in a random order, and the cliffs that ``scalar.anneal`` needs.

    If there is a cliff, the last hinge is the partner of another, and no row of its
    own. A tilted partner lets the height of a cliff vary along its line.
    """
    kinds = random.permutation(kinds)
    feet = np.flatnonzero((kinds[:-1] == kinds[-1]) | (kinds[-1] == 0))
    if not len(feet) or random.random() > CLIFFS:
        return kinds, np.zeros(len(kinds), int)
    cliffs = np.zeros(len(kinds) - 1, int)
    cliffs[random.choice(feet)] = 2 if kinds[-1] == 0 else 1
    return kinds, cliffs


def _paired(
    hinges: Float[np.ndarray, "rows 6"], foot: int, random: Generator
) -> Float[np.ndarray, "rows_1 6"]:
    """Return hinges in which a steep pair makes the cliff of one of them.

    Its lines are up to 0.3 % to 30 % of a standard deviation apart: gradients see
    nothing of a cliff between two points.
    """
    found = hinges.copy()
    u, v, c, a, h, k = hinges[foot]
    steep = (abs(h) + 2 * abs(k)) / 10 ** random.uniform(-2.5, -0.5)
    found[:, 4:] = 0.0
    found[foot, 3] = a + steep
    tilt = k / steep
    return np.vstack([found, [u + tilt * v, v - tilt * u, c + h / steep, -steep, 0, 0]])


def _parts(
    random: Generator, largest: Shape, sizes: tuple[int, int]
) -> tuple[Int[np.ndarray, " hinges"], int]:
    """Return kinds of hinges and units in layer 3, of a number of weights in between.

    Drawn until they fit, so that all numbers of weights have starts.
    """
    for _ in range(100):
        hinges = int(random.integers(min(3, largest[0]), min(6, largest[0]) + 1))
        units = int(random.integers(min(2, largest[2]), min(4, largest[2]) + 1))
        kinds = random.choice(3, size=hinges, p=KINDS)
        weights = int(np.where(kinds == 0, 3, 2).sum()) + 2 * units
        if sizes[0] <= weights <= sizes[1]:
            break
    return kinds, units


def most(units: int) -> int:
    """Return how many thresholds this many units in layer 3 can make."""
    return units if units < 3 else units + 1


def _network(
    hinges: Float[np.ndarray, "hinges 6"],
    kinds: Int[np.ndarray, " hinges"],
    shift: float,
    cuts: Float[np.ndarray, " thresholds"],
    below: int,
    units: int,
) -> Candidate:
    """Return the network of hinges and thresholds on their sum plus ``shift``."""
    tilted = kinds[:, None] == 0
    kept = tilted | (kinds[:, None] == np.array([1, 2]))
    slopes, kinks, offset = _head(cuts, units)
    sign = 1.0 if below else -1.0  # f is positive below the first threshold
    outgoing, flat_right = np.diff(slopes), np.ones(units)
    if units >= 3:
        flat_right[2] = -1.0
    return (
        Layer(kept, np.where(kept, hinges[:, :2], 0.0), -hinges[:, 2]),
        _dense(hinges[None, :, 3], np.array([shift])),
        _dense(flat_right[:, None], -flat_right * kinks),
        _dense(sign * outgoing[None], np.array([sign * offset])),
    )


def _dense(weights: Float[np.ndarray, "out in"], biases: np.ndarray) -> Layer:
    """Return a layer that keeps all weights."""
    return Layer(np.ones(weights.shape, bool), weights, biases)


def _head(
    cuts: Float[np.ndarray, " thresholds"], units: int
) -> tuple[Float[np.ndarray, " pieces"], Float[np.ndarray, " kinks"], float]:
    """Return slopes, kinks and output bias of an f > 0 below the first threshold.

    Piece i is the line through its threshold; neighbouring lines have slopes of
    opposite sign, so they meet between their thresholds: there the kink is.
    """
    slopes = -((-1.0) ** np.arange(units + 1))
    if units < 3:
        # The first piece is flat: f is 1 there, until the line through the first cut
        slopes = np.append(0.0, slopes[:-1])
        lines = slopes[1:]
        crossing = (lines[:-1] * cuts[:-1] - lines[1:] * cuts[1:]) / -np.diff(lines)
        return slopes, np.append(cuts[0] - 1.0, crossing), 1.0
    slopes[0] = slopes[2] - slopes[3]
    kinks = (slopes[:-1] * cuts[:-1] - slopes[1:] * cuts[1:]) / -np.diff(slopes)
    # At g = 0 the units flat on the left are silent; the third contributes its kink
    offset = -slopes[0] * cuts[0] - (slopes[3] - slopes[2]) * kinks[2]
    return slopes, kinks, float(offset)
