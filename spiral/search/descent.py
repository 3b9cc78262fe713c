"""The fast polish: BFGS on a smooth count of wrong points, in Numba.

The loss of a point with signed logit m (positive if right) is (1 - m / √(1 + m²)) / 2:
a smooth step from 1 to 0. Its slope vanishes on both sides, so points that are right
and points that are hopeless stop pulling, and those near the boundary decide. Logits
are multiplied by rising sharpness, which turns the loss into the share of wrong points.

About 17 µs an evaluation of loss and gradient of 17 weights on 806 points, 4 ms a
polish (one Zen 4 core), where L-BFGS in torch on all points takes 2.4 s.

A network is a list of edges sorted by their target unit (compressed sparse rows): unit
u sums ``theta[e] * value[source[e]]`` for e in ``start[u] … start[u + 1]`` and its
bias ``theta[edges + u]``. Values are numbered inputs first, then units; the last unit
is the output. Points are walked in chunks whose values of all units stay in the
first-level cache; within a chunk the loops over points are vectors.
"""

from math import sqrt

import numpy as np

from spiral.engines.compiled import njit

CHUNK = 128
"""Points at once: 24 units × 2 × 128 float64 are 48 KiB, about a first-level cache."""

HALVINGS = 12
"""Steps tried in a line search."""


@njit(cache=True, fastmath=True)
def _forward(net, theta, x, begin, count, value):
    """Compute the values of all units on a chunk of points."""
    source, start = net
    inputs, units = len(x), len(start) - 1
    for j in range(inputs):
        for p in range(count):
            value[j, p] = x[j, begin + p]
    for u in range(units):
        row, bias = value[inputs + u], theta[len(source) + u]
        for p in range(count):
            row[p] = bias
        for e in range(start[u], start[u + 1]):
            weight, feed = theta[e], value[source[e]]
            for p in range(count):
                row[p] += weight * feed[p]
        if u < units - 1:
            for p in range(count):
                row[p] = max(row[p], 0.0)


@njit(cache=True, fastmath=True)
def _backward(net, theta, count, value, pull, gradient):
    """Add the gradient of a chunk, given the derivatives ``pull`` of the output."""
    source, start = net
    units = len(start) - 1
    inputs = len(value) - units
    pull[: units - 1, :count] = 0.0
    for u in range(units - 1, -1, -1):
        row, slope = value[inputs + u], pull[u]
        if u < units - 1:
            for p in range(count):
                slope[p] = slope[p] if row[p] > 0.0 else 0.0
        total = 0.0
        for p in range(count):
            total += slope[p]
        gradient[len(source) + u] += total
        for e in range(start[u], start[u + 1]):
            feed, total = value[source[e]], 0.0
            for p in range(count):
                total += slope[p] * feed[p]
            gradient[e] += total
            if source[e] >= inputs:
                before, weight = pull[source[e] - inputs], theta[e]
                for p in range(count):
                    before[p] += weight * slope[p]


@njit(cache=True, fastmath=True)
def loss(net, theta, points, sharpness, gradient):
    """Return the mean loss and write its gradient.

    Args:
        net: ``source`` int64 [edges] and ``start`` int64 [units + 1].
        theta: Weights of the edges, then biases of the units; float64.
        points: Coordinates float64 [2, D] and signs of the classes, ±1.0 [D].
        sharpness: Factor of the logits.
        gradient: Written; as long as ``theta``.
    """
    x, sign = points
    inputs, units = len(x), len(net[1]) - 1
    value, pull = np.empty((inputs + units, CHUNK)), np.empty((units, CHUNK))
    gradient[:] = 0.0
    total = 0.0
    for begin in range(0, len(sign), CHUNK):
        count = min(CHUNK, len(sign) - begin)
        _forward(net, theta, x, begin, count, value)
        out, slope = value[inputs + units - 1], pull[units - 1]
        for p in range(count):
            steep = sign[begin + p] * sharpness
            m = out[p] * steep
            scale = 1.0 / sqrt(1.0 + m * m)
            total += 0.5 - 0.5 * m * scale
            slope[p] = -0.5 * scale * scale * scale * steep
        _backward(net, theta, count, value, pull, gradient)
    gradient /= len(sign)
    return total / len(sign)


@njit(cache=True, fastmath=True)
def count_right(net, theta, points):
    """Return the number of points classified correctly, and the mean |logit|."""
    x, sign = points
    inputs, units = len(x), len(net[1]) - 1
    value = np.empty((inputs + units, CHUNK))
    right, size = 0, 0.0
    for begin in range(0, len(sign), CHUNK):
        count = min(CHUNK, len(sign) - begin)
        _forward(net, theta, x, begin, count, value)
        for p in range(count):
            logit = value[inputs + units - 1, p]
            size += abs(logit)
            right += logit * sign[begin + p] > 0.0
    return right, size / len(sign)


@njit(cache=True)
def descend(net, theta, points, sharpness, iterations):
    """Minimise the loss by BFGS; ``theta`` is updated. Return the final loss.

    The line search bisects for the weak Wolfe conditions: with those BFGS works on
    functions with kinks, as the loss of a ReLU network is.

    Source: Lewis & Overton, Mathematical Programming 141, 2013.
    """
    size = len(theta)
    inverse, fresh = np.eye(size), True
    gradient, ahead = np.empty(size), np.empty(size)
    value = loss(net, theta, points, sharpness, gradient)
    for _ in range(iterations):
        step = -(inverse @ gradient)
        slope = step @ gradient
        if slope >= 0.0:  # rounding has spoilt the inverse Hessian: start it anew
            inverse, fresh = np.eye(size), True
            step, slope = -gradient, -(gradient @ gradient)
        if slope > -1e-14:
            break
        length = min(1.0, 0.3 / sqrt(-slope)) if fresh else 1.0
        low, high = 0.0, -1.0
        for _ in range(HALVINGS):
            there = theta + length * step
            found = loss(net, there, points, sharpness, ahead)
            if not found <= value + 1e-4 * length * slope:  # NaN counts as too far
                high = length
            elif ahead @ step < 0.9 * slope:
                low = length
            else:
                break
            length = 2.0 * length if high < 0.0 else 0.5 * (low + high)
        if not found < value:
            break
        moved, change = there - theta, ahead - gradient
        curvature = moved @ change
        if curvature > 1e-14:
            if fresh:
                inverse *= curvature / (change @ change)
                fresh = False
            _update(inverse, moved, change, curvature)
        gained = value - found
        theta[:], gradient[:], value = there, ahead, found
        if gained < 1e-7 * value + 1e-9:
            break
    return value


@njit(cache=True)
def _update(inverse, moved, change, curvature):
    """Apply the BFGS update to the inverse Hessian."""
    image = inverse @ change
    factor = (1.0 + change @ image / curvature) / curvature
    for i in range(len(moved)):
        for j in range(len(moved)):
            inverse[i, j] += factor * moved[i] * moved[j] - (
                (image[i] * moved[j] + moved[i] * image[j]) / curvature
            )
