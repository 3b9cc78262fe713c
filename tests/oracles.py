"""Slow NumPy float64 twins; they import nothing of what they judge."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from math import cos, floor, pi, sin

import numpy as np

Array = np.ndarray


def shapes(width: int) -> list[tuple[int, int]]:
    return [(width, 2), (width, width), (width, width), (1, width)]


def split(params: Array, width: int) -> list[tuple[Array, Array]]:
    """Cut W1, b1, W2, b2, … from a flat vector, one after the other."""
    rest, parts = np.asarray(params), []
    for outputs, inputs in shapes(width):
        size = outputs * inputs
        weights, biases = rest[:size], rest[size : size + outputs]
        parts.append((weights.reshape(outputs, inputs), biases))
        rest = rest[size + outputs :]
    return parts


def activations(params: Array, points: Array, width: int) -> list[Array]:
    """Return the points, every pre-activation and at last the logits [B, 1]."""
    found = [np.asarray(points, np.float64)]
    h = found[0]
    for weights, biases in split(np.asarray(params, np.float64), width):
        z = h @ weights.T + biases
        found.append(z)
        h = np.where(z > 0, z, 0.0)
    return found


def logits(params: Array, points: Array, width: int) -> Array:
    """Return the logits [B] at points [B, 2]."""
    return activations(params, points, width)[-1][:, 0]


def targets(labels: Array, smoothing: float = 0.0) -> Array:
    """Mix the labels with a fair coin."""
    return (1 - smoothing) * np.asarray(labels, np.float64) + smoothing * 0.5


def loss(
    params: Array, points: Array, labels: Array, width: int, smoothing: float = 0.0
) -> float:
    """Return the mean of -t·log p - (1 - t)·log(1 - p)."""
    z, t = logits(params, points, width), targets(labels, smoothing)
    return float(np.mean(t * np.logaddexp(0, -z) + (1 - t) * np.logaddexp(0, z)))


def entropy(z: Array) -> float:
    """Return the mean of -p·log p - (1 - p)·log(1 - p)."""
    yes, no = np.logaddexp(0, -z), np.logaddexp(0, z)  # -log p, -log(1 - p)
    return float(np.mean(np.exp(-yes) * yes + np.exp(-no) * no))


def gradient(
    params: Array,
    points: Array,
    labels: Array,
    width: int,
    smoothing: float = 0.0,
    slope_at_zero: float = 0.0,
    temperature: float = 1.0,
) -> Array:
    """Return the gradient of the mean loss by backpropagation, layer by layer."""
    first, *zs = activations(params, points, width)
    inputs = [first, *(np.where(z > 0, z, 0.0) for z in zs[:-1])]
    cooled = zs[-1] / temperature
    delta = 1 / (1 + np.exp(-cooled)) - targets(labels, smoothing)[:, None]
    delta /= len(first) * temperature
    parts = []
    weights = [w for w, _ in split(np.asarray(params, np.float64), width)]
    for layer in (3, 2, 1, 0):
        parts += [delta.sum(axis=0), (delta.T @ inputs[layer]).ravel()]
        if layer:
            z = zs[layer - 1]
            slope = np.where(z > 0, 1.0, np.where(z == 0, slope_at_zero, 0.0))
            delta = (delta @ weights[layer]) * slope
    return np.concatenate(parts[::-1])


def finite_differences(
    function: Callable[[Array], float], params: Array, size: float = 1e-6
) -> Array:
    """Return central differences of a function, one parameter at a time."""
    found = np.zeros(len(params))
    for i in range(len(params)):
        step = np.zeros(len(params))
        step[i] = size
        found[i] = (function(params + step) - function(params - step)) / (2 * size)
    return found


def hessian_times(
    params: Array, vector: Array, slope: Callable[[Array], Array], size: float = 1e-6
) -> Array:
    """Return central differences of a gradient along a vector."""
    step = size * np.asarray(vector, np.float64)
    return (slope(params + step) - slope(params - step)) / (2 * size)


def loss_after_steps(
    scale: Array,
    params: Array,
    batches: Sequence[tuple[Array, Array]],
    lr: float,
    momentum: float,
) -> float:
    """Return the loss on the last batch after SGD on the others from scale·params.

    With momentum the first step's gradient is that of scale 1, whatever the scale.
    """
    width, velocity = width_of(len(params)), np.zeros(len(params))
    now = scale * params
    for step, (x, y) in enumerate(batches[:-1]):
        place = params if momentum and step == 0 else now
        velocity = momentum * velocity + gradient(place, x, y, width)
        now = now - lr * velocity
    return loss(now, *batches[-1], width)


def sgd_step(
    params: Array,
    velocity: Array,
    slope: Array,
    trains: Array,
    lr: float,
    momentum: float,
    decay: float | Array,
    nesterov: bool = False,
) -> tuple[Array, Array]:
    """Return (params, velocity) after one step; only entries that train move."""
    new_params, new_velocity = params.copy(), velocity.copy()
    penalty = np.broadcast_to(decay, params.shape)
    for i in range(len(params)):
        if trains[i]:
            push = slope[i] + penalty[i] * params[i]
            speed = new_velocity[i] = momentum * velocity[i] + push
            change = push + momentum * speed if nesterov else speed
            new_params[i] = params[i] - lr * change
    return new_params, new_velocity


def train(
    params: Array,
    trains: Array,
    batches: Sequence[tuple[Array, Array]],
    lrs: Sequence[float],
    momentum: float = 0.9,
    decay: float | Array = 5e-4,
    nesterov: bool = False,
    **loss_options: float,
) -> Array:
    """Return the parameters after one step per batch, from momentum zero."""
    params, width = np.asarray(params, np.float64), width_of(len(params))
    velocity = np.zeros(len(params))
    for (x, y), lr in zip(batches, lrs, strict=True):
        slope = gradient(params, x, y, width, **loss_options)
        params, velocity = sgd_step(
            params, velocity, slope, trains, lr, momentum, decay, nesterov
        )
    return params


def width_of(size: int) -> int:
    """Return the width of a network with this many parameters."""
    return next(w for w in range(1, 257) if 2 * w * w + 6 * w + 1 == size)


def correct(z: Array, labels: Array) -> int:
    """Count one point at a time; a logit of 0 is wrong."""
    return sum(v > 0 if label else v < 0 for v, label in zip(z, labels, strict=True))


def keep_top(scores: Sequence[float], keep: int) -> list[bool]:
    """Sort (NaN last, high first, low index first) and take the head."""
    ranked = sorted((s != s, 0 if s != s else -s, i) for i, s in enumerate(scores))
    chosen = {i for _, _, i in ranked[:keep]}
    return [i in chosen for i in range(len(scores))]


def allocate(keep: int, sizes: Sequence[int]) -> list[int]:
    """Webster's method, one seat after the other, in exact fractions."""
    shares = [0] * len(sizes)
    for _ in range(keep):
        seats = zip(sizes, shares, strict=True)
        claims = [Fraction(size, 2 * taken + 1) for size, taken in seats]
        shares[claims.index(max(claims))] += 1
    return shares


def quotas(
    keep: int, sizes: Sequence[int], ideal: Callable[[int, float], float]
) -> list[int]:
    """Take weights from layers one by one, where the ideal share falls first.

    ``ideal(layer, time)`` falls from the layer's size as time goes on; a layer loses a
    weight when it is half a weight below its count. At ties the later layer loses it.
    """
    counts = list(sizes)
    while sum(counts) > keep:
        due = [_falls_to(c - 0.5, i, ideal) for i, c in enumerate(counts)]
        counts[max(i for i, time in enumerate(due) if time == min(due))] -= 1
    return counts


def _falls_to(share: float, layer: int, ideal: Callable[[int, float], float]) -> float:
    """Return when a layer's ideal share falls to some value; never below zero."""
    before, after = 0.0, 1e6
    for _ in range(100):
        middle = (before + after) / 2
        if share < 0 or ideal(layer, middle) > share:
            before = middle
        else:
            after = middle
    return after


def lamp(scores: Sequence[float], width: int) -> list[float]:
    """Divide each score by the sum of those in its layer that rank no lower."""
    found, start = [], 0
    for out, into in shapes(width):
        part = list(scores[start : start + out * into])
        for i, score in enumerate(part):
            above = [s for j, s in enumerate(part) if (s, -j) >= (score, -i)]
            found.append(score / sum(above))
        start += out * into
    return found


def is_weight(width: int) -> Array:
    """Return which of the flat parameters are no biases."""
    parts = [([True] * (o * i), [False] * o) for o, i in shapes(width)]
    return np.array([flag for pair in parts for part in pair for flag in part])


def kept_biases(weights: Array, width: int) -> list[bool]:
    """Return which biases stay, hidden layers first, the output's last."""
    kept, matrices = [], weight_matrices(weights, width)
    for following in matrices[1:]:
        for unit in range(width):
            kept.append(any(row[unit] for row in following))
    return [*kept, True]


def weight_matrices(weights: Array, width: int) -> list[Array]:
    """Cut a vector of weights (no biases) into matrices."""
    ends = np.cumsum([o * i for o, i in shapes(width)])[:-1]
    parts = np.split(np.asarray(weights), ends)
    return [p.reshape(s) for p, s in zip(parts, shapes(width), strict=True)]


def on_path(weights: Array, width: int) -> Array:
    """Walk every path input → a → b → c → output and mark what it uses."""
    kept = weight_matrices(weights, width)
    used = [np.zeros_like(matrix) for matrix in kept]
    for i, a, b, c in product(range(2), *[range(width)] * 3):
        edges = [(a, i), (b, a), (c, b), (0, c)]
        if all(matrix[edge] for matrix, edge in zip(kept, edges, strict=True)):
            for matrix, edge in zip(used, edges, strict=True):
                matrix[edge] = True
    return np.concatenate([matrix.ravel() for matrix in used])


def adam(
    theta: Array,
    slopes: Callable[[Array, int], Array],
    rates: Sequence[float],
    decay: float = 0.0,
    *,
    correct: bool = True,
    second: float = 0.999,
) -> Array:
    """Return θ after steps of AdamW; ``slopes(θ, k)`` are those of step k."""
    theta = theta.copy()
    mean, square = np.zeros(len(theta)), np.zeros(len(theta))
    for k, rate in enumerate(rates):
        slope = slopes(theta, k)
        mean = 0.9 * mean + 0.1 * slope
        square = second * square + (1 - second) * slope**2
        a, b = (1 - 0.9 ** (k + 1), 1 - second ** (k + 1)) if correct else (1.0, 1.0)
        theta -= rate * (mean / a / (np.sqrt(square / b) + 1e-8) + decay * theta)
    return theta


def arm(sign: int, turns: float = 2, sides: int = 8) -> list[tuple[float, float]]:
    """Return the corners of one class, 17 by default, inner end first."""
    corners = []
    for k in range(int(turns * sides) + 1):
        theta = pi + 2 * pi * k / sides + 0.4 * pi
        radius = 10 * theta + pi + sign * 15
        corners.append((radius * cos(theta), radius * sin(theta)))
    return corners


def walk(
    corners: list[tuple[float, float]], rounding: Callable[[float], int] = floor
) -> list[tuple[float, float]]:
    """Place points on one arm, each segment from its outer to its inner end."""
    edges = list(zip(corners[1:], corners[:-1], strict=True))
    lengths = [((a - c) ** 2 + (b - d) ** 2) ** 0.5 for (a, b), (c, d) in edges]
    points = []
    for ((a, b), (c, d)), length in zip(edges, lengths, strict=True):
        count = rounding(25_000 * length / sum(lengths))
        for k in range(count):
            share = k / (count - 1)
            points.append((a + share * (c - a), b + share * (d - b)))
    return points


def spiral(
    ddof: int = 1,
    rounding: Callable[[float], int] = floor,
    turns: float = 2,
    sides: int = 8,
) -> Array:
    """Return the standardised points [D, 2], class 0 (the outer arm) first."""
    arms = arm(+1, turns, sides), arm(-1, turns, sides)
    points = np.array([*walk(arms[0], rounding), *walk(arms[1], rounding)])
    return (points - points.mean(axis=0)) / points.std(axis=0, ddof=ddof)
