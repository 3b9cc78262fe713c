"""New networks with random masks and random weights."""

import numpy as np
from jaxtyping import Bool
from numpy.random import Generator

from spiral.model.stack import Layer
from spiral.search.candidate import Candidate
from spiral.search.evolve.unit_moves import EVERY, TINY
from spiral.search.polish import spaced
from spiral.search.shape import Shape
from spiral.search.shape import sizes as shapes
from spiral.tasks.task import Task


def start(
    random: Generator, largest: Shape, sizes: tuple[int, int], task: Task
) -> Candidate:
    """Return a random small network without dead units.

    Each unit's kink lies among the points, and its input has deviation 1.

    Args:
        random: The random stream.
        largest: Most units of each hidden layer; at most 5, 2 and 3 are drawn.
        sizes: Fewest and most weights; masks are drawn up to 100 times to fit.
        task: What it is for.
    """
    for _ in range(100):
        kept = _masks(random, largest)
        if sizes[0] <= sum(int(part.sum()) for part in kept) <= sizes[1]:
            break
    return _with_weights(kept, random, task)


def on_mask(random: Generator, blank: Candidate, task: Task) -> Candidate:
    """Return a network with the mask of another and random weights."""
    return _with_weights([layer.kept for layer in blank], random, task)


def _masks(random: Generator, largest: Shape) -> list[Bool[np.ndarray, "out in"]]:
    """Return random masks in which every unit and input has a weight."""
    first, second, third = (
        int(random.integers(1, min(usual, most) + 1))
        for usual, most in zip((5, 2, 3), largest, strict=True)
    )
    found = []
    for rows, columns in shapes((first, second, third)):
        kept = random.random((rows, columns)) < 0.5
        for row in np.flatnonzero(~kept.any(axis=1)):
            kept[row, random.integers(columns)] = True
        for column in np.flatnonzero(~kept.any(axis=0)):
            kept[random.integers(rows), column] = True
        found.append(kept)
    return found


def _with_weights(
    masks: list[Bool[np.ndarray, "out in"]], random: Generator, task: Task
) -> Candidate:
    """Return random weights for masks, with kinks among the points."""
    layers, values = [], spaced(task, EVERY)[0]
    for kept in masks:
        weights = kept * random.normal(size=kept.shape)
        weights /= (weights @ values).std(axis=1, keepdims=True) + TINY
        z = weights @ values
        biases = -z[np.arange(len(z)), random.integers(z.shape[1], size=len(z))]
        layers.append(Layer(kept, weights, biases))
        values = np.maximum(z + biases[:, None], 0.0)
    one, two, three, last = layers
    return one, two, three, last
