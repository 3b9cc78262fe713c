"""A polygonal distance and the best thresholds on it, in Numba.

A network with one unit in layer 2 computes a scalar g(x) = Σ aᵢ·relu(uᵢ·x - cᵢ) and a
piecewise linear function of it. Only the thresholds matter, where that function changes
its sign, and the best ones follow exactly from a histogram of g for each class, by
dynamic programming. So the search walks over the hinges (uᵢ, cᵢ, aᵢ) alone: 4.3 µs an
evaluation on 403 points (one Zen 4 core), a thousandth of a polish.

A hinge is a row ``u₁, u₂, c, a, h, k``. Its kind says which inputs it has: 1 or 2
(parallel to an axis, one weight) or 0 (both, u is a unit vector). A hinge with a
*cliff* stands for two whose lines nearly coincide: beyond its line g also jumps, by
h + k·t, where t runs along the line.
"""

from math import atan2, cos, exp, pi, sin

import numpy as np

from spiral.engines.compiled import njit

BINS = 128
"""Bins of the histogram; finer ones only fit the noise of a few hundred points."""

TEMPERATURE = 0.01
"""Share of the points that the first steps may lose with probability 1/e; it falls to
0."""


@njit(cache=True)
def thresholds(histogram, most):
    """Return the most points right by at most ``most`` thresholds, and which.

    Args:
        histogram: Points of class 0 and class 1 in each bin, [2, bins].
        most: Thresholds allowed.

    Returns:
        The number of points right; the class below the first threshold; the bins
        before which the class changes, ascending.
    """
    bins = histogram.shape[1]
    changed = np.empty((bins, most + 1), np.bool_)
    value = np.empty(most + 1)
    right, below, cuts = -1.0, 0, np.empty(0, np.int64)
    for first in range(2):
        value[:] = -np.inf
        value[0] = 0.0
        for b in range(bins):
            for k in range(
                most, -1, -1
            ):  # downwards: value[k - 1] is of the bin before
                changed[b, k] = k > 0 and value[k - 1] > value[k]
                before = value[k - 1] if changed[b, k] else value[k]
                value[k] = before + histogram[(first + k) & 1, b]
        used = int(value.argmax())
        if value[used] > right:
            right, below = value[used], first
            cuts = np.empty(used, np.int64)
            for b in range(bins - 1, -1, -1):
                if changed[b, used]:
                    used -= 1
                    cuts[used] = b
    return right, below, cuts


@njit(cache=True, fastmath=True)
def distance(hinges, x, g):
    """Write g of all points; return its smallest and largest value."""
    g[:] = 0.0
    for u, v, c, a, h, k in hinges:
        for p in range(len(g)):
            z = u * x[0, p] + v * x[1, p] - c
            t = u * x[1, p] - v * x[0, p]
            g[p] += a * z + h + k * t if z > 0.0 else 0.0
    return g.min(), g.max()


@njit(cache=True)
def best_head(hinges, points, most):
    """Return points right, class below, thresholds, and the range of g."""
    x, sign = points
    g = np.empty(len(sign))
    low, high = distance(hinges, x, g)
    histogram = np.zeros((2, BINS))
    if not high > low:
        return 0.0, 0, np.empty(0), low, high
    width = (high - low) / (BINS - 1e-9)
    for p in range(len(g)):
        histogram[int(sign[p] > 0.0), int((g[p] - low) / width)] += 1.0
    right, below, cuts = thresholds(histogram, most)
    # A hair below the edge of the bin: many points may lie exactly on the lowest edge
    return right, below, low + (cuts - 1e-3) * width, low, high


@njit(cache=True)
def anneal(kinds, cliffs, points, most, steps, random):
    """Return hinges found by simulated annealing from random ones.

    A step moves one hinge somewhere else (30 %), or some or all a little, by noise
    whose size is drawn from 0.3 % to 100 %.

    Measured on four parallel hinges and a tilted one, starts per second with more than
    97 % of the points right: 6.8 with 5,000 steps on 403 points (these settings), 6.8
    with 10,000 at half the temperature, 2.6 with 10,000 on 806 points, 0.6 without
    annealing, from 20,000 steps that end early.

    Args:
        kinds: Inputs of each hinge, int64 [hinges]: 0, 1 or 2.
        cliffs: Coefficients of each hinge's cliff, int64 [hinges]: 0 (no cliff), 1 (h,
            a constant height) or 2 (h and k).
        points: Coordinates [2, D] and signs [D].
        most: Thresholds that the head may use.
        steps: Steps.
        random: A NumPy generator.
    """
    hinges = np.zeros((len(kinds), 6))
    for number in range(len(kinds)):
        _draw(hinges[number], kinds[number], cliffs[number], points[0], random)
    right = best_head(hinges, points, most)[0]
    best, leader = right, hinges
    for step in range(steps):
        warmth = TEMPERATURE * len(points[1]) * (1.0 - step / steps)
        tried = hinges.copy()
        if random.random() < 0.3:
            number = random.integers(0, len(kinds))
            _draw(tried[number], kinds[number], cliffs[number], points[0], random)
        else:
            _shake(tried, kinds, cliffs, random)
        found = best_head(tried, points, most)[0]
        if random.random() < exp(min(found - right, 0.0) / warmth):
            hinges, right = tried, found
        if found > best:
            best, leader = found, tried
    return leader


@njit(cache=True)
def _draw(hinge, kind, cliff, x, random):
    """Draw a hinge of a kind through a random point."""
    if kind == 0:
        angle = random.uniform(0.0, 2.0 * pi)
        hinge[0], hinge[1] = cos(angle), sin(angle)
    else:
        hinge[0], hinge[1] = 0.0, 0.0
        hinge[kind - 1] = 1.0 if random.random() < 0.5 else -1.0
    point = random.integers(0, x.shape[1])
    hinge[2] = hinge[0] * x[0, point] + hinge[1] * x[1, point]
    for number in range(3, 4 + cliff):
        hinge[number] = random.normal()


@njit(cache=True)
def _shake(hinges, kinds, cliffs, random):
    """Add noise to some of the hinges, or to all."""
    size, some = 10.0 ** random.uniform(-2.5, 0.0), random.random() < 0.5
    for number in range(len(kinds)):
        if some and random.random() < 0.6:
            continue
        hinge = hinges[number]
        if kinds[number] == 0:
            angle = atan2(hinge[1], hinge[0]) + size * random.normal()
            hinge[0], hinge[1] = cos(angle), sin(angle)
        hinge[2] += size * random.normal()
        for place in range(3, 4 + cliffs[number]):
            hinge[place] += size * random.normal() * (abs(hinge[place]) + 0.3)
