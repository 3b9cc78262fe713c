"""Moves: small changes of a network, each a random step of the search.

A move takes a candidate, a random stream and some points, and returns a changed
candidate, or None if it does not apply. It may leave dead units behind; ``apply``
removes them. Moves of whole units are in ``unit_moves``.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy.random import Generator

from spiral.search.candidate import (
    Candidate,
    activations,
    copied,
    shape_of,
    simplified,
)
from spiral.search.evolve.unit_moves import (
    TINY,
    Seen,
    add_unit,
    hidden_layer,
    merge,
    remove_unit,
    split,
    strength,
)
from spiral.search.shape import Shape

Step = Callable[[Candidate, Generator, Seen], Candidate | None]


class Move(NamedTuple):
    """A move: steps taken one after the other, and how often it is tried."""

    steps: tuple[Step, ...]
    weight: float


def _pick(
    chosen: list[Bool[np.ndarray, "out in"]], random: Generator
) -> tuple[int, ...]:
    """Return layer, row and column of a random true entry of four matrices."""
    places = [
        (number, *place)
        for number, matrix in enumerate(chosen)
        for place in np.argwhere(matrix).tolist()
    ]
    return tuple(places[random.integers(len(places))])


def drop(candidate: Candidate, random: Generator, seen: Seen) -> Candidate:
    """Drop a weight; half of the time its mean effect moves into the bias."""
    found = copied(candidate)
    number, row, column = _pick([layer.kept for layer in found], random)
    layer = found[number]
    if random.random() < 0.5:
        feed = activations(candidate, seen)[number][column]
        layer.biases[row] += layer.weights[row, column] * feed.mean()
    layer.kept[row, column] = False
    layer.weights[row, column] = 0.0
    return found


def add(candidate: Candidate, random: Generator, seen: Seen) -> Candidate | None:
    """Add a weight between existing units, of 1 % to 200 % of the unit's input."""
    found = copied(candidate)
    if all(layer.kept.all() for layer in found):
        return None
    number, row, column = _pick([~layer.kept for layer in found], random)
    layer = found[number]
    values = activations(candidate, seen)
    feed, received = values[number][column], layer.weights[row] @ values[number]
    layer.kept[row, column] = True
    layer.weights[row, column] = strength(random, -2.0, feed, received)
    layer.biases[row] -= layer.weights[row, column] * feed.mean()
    return found


def perturb(candidate: Candidate, random: Generator, _: Seen) -> Candidate:
    """Add noise of one size, 1 % to 60 %, to all weights and biases (basin hopping)."""
    found, size = copied(candidate), 10 ** random.uniform(-2.0, -0.2)
    for layer in found:
        noise, shift = random.normal(size=(2, *layer.weights.shape))
        layer.weights[:] += layer.kept * size * (layer.weights * noise + 0.3 * shift)
        shift = random.normal(size=len(layer.biases))
        layer.biases[:] += size * shift * (np.abs(layer.biases) + 0.3)
    return found


def redraw(candidate: Candidate, random: Generator, seen: Seen) -> Candidate:
    """Give a hidden unit new weights of the same inputs and a new kink."""
    found, number = copied(candidate), hidden_layer(random)
    layer = found[number]
    unit = int(random.integers(len(layer.biases)))
    values = activations(candidate, seen)
    weights = layer.kept[unit] * random.normal(size=layer.kept.shape[1])
    size = max(values[number + 1][unit].std(), 1e-2)
    weights *= size / ((weights @ values[number]).std() + TINY)
    z = weights @ values[number]
    layer.weights[unit] = weights
    layer.biases[unit] = -z[random.integers(len(z))]
    return found


def narrow(candidate: Candidate, random: Generator, _: Seen) -> Candidate | None:
    """Bring two nearly parallel hinges of layer 1 together and steepen what they feed.

    Two hinges of opposite outgoing weights make a cliff between their lines, and points
    inside it are wrong. One line moves towards the other by a factor; outgoing weights
    change so that the height of the cliff and the slope beyond it stay.
    """
    found = copied(candidate)
    (kept, weights, biases), following = found[0], found[1]
    norms = np.linalg.norm(weights, axis=1) + TINY
    cosines = (weights @ weights.T) / np.outer(norms, norms)
    pairs = np.argwhere(np.triu(cosines > 0.9, 1))
    if not len(pairs):
        return None
    still, moved = random.permutation(pairs[random.integers(len(pairs))])
    closer = random.choice((0.7, 0.5, 0.3, 0.1))
    ratio = norms[moved] / norms[still]
    shift = ratio * weights[still] - weights[moved]
    weights[moved] += (1 - closer) * kept[moved] * shift
    biases[moved] += (1 - closer) * (ratio * biases[still] - biases[moved])
    steeper = following.weights[:, moved] * (1 / closer - 1)
    following.weights[:, moved] += steeper
    following.weights[:, still] -= following.kept[:, still] * ratio * steeper
    return found


# Weights by a few runs of the first prototype: shares of tries that entered the archive
# lay between 12 % (drop two, add one) and 45 % (split, add a unit).
MOVES: dict[str, Move] = {
    "drop": Move((drop,), 3.0),
    "drop two": Move((drop, drop), 1.0),
    "swap": Move((drop, add), 3.0),
    "add": Move((add,), 1.0),
    "add two, drop one": Move((add, add, drop), 1.5),
    "drop two, add one": Move((drop, drop, add), 1.0),
    "add a unit": Move((add_unit,), 1.5),
    "add a unit, drop two": Move((add_unit, drop, drop), 1.5),
    "remove a unit": Move((remove_unit,), 0.7),
    "merge": Move((merge,), 0.5),
    "split": Move((split,), 1.0),
    "perturb": Move((perturb,), 3.0),
    "redraw": Move((redraw,), 3.0),
    "redraw, swap": Move((redraw, drop, add), 1.0),
    "narrow": Move((narrow,), 1.0),
}

HOPS = [MOVES[name] for name in ("perturb", "redraw", "narrow")]
"""Those that keep the mask."""


def draw(random: Generator, moves: Sequence[Move] = (*MOVES.values(),)) -> Move:
    """Return a random one of some moves."""
    weights = np.array([move.weight for move in moves])
    return moves[random.choice(len(moves), p=weights / weights.sum())]


def apply(
    move: Move, candidate: Candidate, random: Generator, largest: Shape, seen: Seen
) -> Candidate | None:
    """Return the moved candidate without dead units; None if it does not apply.

    Args:
        move: The move.
        candidate: The network to change.
        random: The random stream.
        largest: Most units of each hidden layer.
        seen: Points that steps look at.
    """
    for step in move.steps:
        changed = step(candidate, random, seen)
        changed = None if changed is None else simplified(changed)
        if changed is None or np.greater(shape_of(changed), largest).any():
            return None
        candidate = changed
    return candidate
