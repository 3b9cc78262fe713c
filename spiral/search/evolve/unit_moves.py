"""Moves of whole units, and what they share with the moves of weights.

Sizes of new weights are relative to what the changed unit receives and carries on some
points, so that moves mean the same in every layer.
"""

import numpy as np
from jaxtyping import Bool, Float
from numpy.random import Generator

from spiral.model.stack import Layer
from spiral.search.candidate import (
    Candidate,
    activations,
    copied,
    shape_of,
    without_units,
)

EVERY = 500
"""Moves look at every n-th point: 100 of them."""

Seen = Float[np.ndarray, "2 E"]
"""The points that moves look at."""

TINY = 1e-6


def strength(
    random: Generator, low: float, feed: np.ndarray, received: np.ndarray
) -> float:
    """Return a weight that adds 10^low … 2 times the deviation of what is received."""
    relative = random.normal() * 10 ** random.uniform(low, 0.3)
    return float(relative * (received.std() + 1e-3) / (feed.std() + 1e-3))


def hidden_layer(random: Generator) -> int:
    """Return a hidden layer, layer 1 the most often: it has the most units."""
    return int(random.choice(3, p=(0.5, 0.2, 0.3)))


def add_unit(candidate: Candidate, random: Generator, seen: Seen) -> Candidate:
    """Add a unit with one or two inputs, a kink among the points and one output."""
    found, number = copied(candidate), hidden_layer(random)
    layer, following = found[number], found[number + 1]
    values = activations(candidate, seen)
    fan_in = layer.kept.shape[1]
    inputs = random.choice(
        fan_in, min(fan_in, 1 if random.random() < 0.6 else 2), replace=False
    )
    weights = np.zeros(fan_in)
    weights[inputs] = random.normal(size=len(inputs))
    weights /= (weights @ values[number]).std() + TINY
    z = weights @ values[number]
    bias = -z[random.integers(len(z))]
    target = int(random.integers(len(following.biases)))
    feed = np.maximum(z + bias, 0.0)
    received = following.weights[target] @ values[number + 1]
    outgoing = np.zeros(len(following.biases))
    outgoing[target] = strength(random, -1.5, feed, received)
    following.biases[target] -= outgoing[target] * feed.mean()
    return _with_unit(found, number, weights != 0, weights, bias, outgoing)


def _with_unit(
    candidate: Candidate,
    number: int,
    kept: Bool[np.ndarray, " in"],
    weights: Float[np.ndarray, " in"],
    bias: float,
    outgoing: Float[np.ndarray, " out"],
) -> Candidate:
    """Return the candidate with one more unit in a hidden layer."""
    found = list(candidate)
    layer, following = found[number], found[number + 1]
    found[number] = Layer(
        np.vstack([layer.kept, kept]),
        np.vstack([layer.weights, weights]),
        np.append(layer.biases, bias),
    )
    found[number + 1] = Layer(
        np.column_stack([following.kept, outgoing != 0]),
        np.column_stack([following.weights, outgoing]),
        following.biases,
    )
    first, second, third, last = found
    return first, second, third, last


def remove_unit(
    candidate: Candidate, random: Generator, seen: Seen
) -> Candidate | None:
    """Remove a unit; its mean moves into the biases it fed."""
    found = copied(candidate)
    place = _unit_of_several(found, random)
    if place is None:
        return None
    number, unit = place
    mean = activations(candidate, seen)[number + 1][unit].mean()
    found[number + 1].biases[:] += found[number + 1].weights[:, unit] * mean
    return without_units(found, number, _only(found, number, unit))


def _unit_of_several(candidate: Candidate, random: Generator) -> tuple[int, int] | None:
    """Return a random unit of a random hidden layer that has several."""
    layers = [number for number, units in enumerate(shape_of(candidate)) if units > 1]
    if not layers:
        return None
    number = layers[random.integers(len(layers))]
    return number, int(random.integers(shape_of(candidate)[number]))


def _only(candidate: Candidate, number: int, unit: int) -> Bool[np.ndarray, " units"]:
    """Return which units of a hidden layer are this one."""
    return np.arange(len(candidate[number].biases)) == unit


def merge(candidate: Candidate, random: Generator, _: Seen) -> Candidate | None:
    """Let one unit take over the outgoing weights of another of its layer."""
    found = copied(candidate)
    place = _unit_of_several(found, random)
    if place is None:
        return None
    number, unit = place
    others = np.flatnonzero(~_only(found, number, unit))
    other = others[random.integers(len(others))]
    following = found[number + 1]
    following.kept[:, other] |= following.kept[:, unit]
    following.weights[:, other] += following.weights[:, unit]
    return without_units(found, number, _only(found, number, unit))


def split(candidate: Candidate, random: Generator, _: Seen) -> Candidate:
    """Split a unit in two similar ones, which share its outgoing weights."""
    found, number = copied(candidate), hidden_layer(random)
    layer, following = found[number], found[number + 1]
    unit = int(random.integers(len(layer.biases)))
    noise = 1.0 + 0.3 * random.normal(size=layer.weights.shape[1])
    outgoing = np.zeros(len(following.biases))
    targets = np.flatnonzero(following.kept[:, unit])
    if len(targets) > 1:
        moved = random.permutation(targets)[: random.integers(1, len(targets))]
        outgoing[moved] = following.weights[moved, unit]
        following.kept[moved, unit] = False
        following.weights[moved, unit] = 0.0
    else:
        share = 0.5 + random.normal()
        outgoing[targets] = following.weights[targets, unit] * share
        following.weights[targets, unit] *= 1.0 - share
    return _with_unit(
        found,
        number,
        layer.kept[unit],
        layer.weights[unit] * noise,
        layer.biases[unit] + 0.3 * random.normal(),
        outgoing,
    )
