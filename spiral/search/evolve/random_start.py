"""New networks with random masks and random weights."""

import numpy as np
from numpy.random import Generator

from spiral.search.candidate import Candidate, Layer
from spiral.search.evolve.moves import EVERY, TINY
from spiral.search.polish import spaced
from spiral.search.shape import Shape, sizes


def start(random: Generator, largest: Shape) -> Candidate:
    """Return a random small network without dead units.

    Each unit's kink lies among the points, and its input has deviation 1.

    Args:
        random: The random stream.
        largest: Most units of each hidden layer; at most 5, 2 and 3 are drawn.
    """
    first, second, third = (
        int(random.integers(1, min(usual, most) + 1))
        for usual, most in zip((5, 2, 3), largest, strict=True)
    )
    layers, values = [], spaced(EVERY)[0]
    for rows, columns in sizes((first, second, third)):
        kept = random.random((rows, columns)) < 0.5
        # Every unit and input needs a weight
        for row in np.flatnonzero(~kept.any(axis=1)):
            kept[row, random.integers(columns)] = True
        for column in np.flatnonzero(~kept.any(axis=0)):
            kept[random.integers(rows), column] = True
        weights = kept * random.normal(size=(rows, columns))
        weights /= (weights @ values).std(axis=1, keepdims=True) + TINY
        z = weights @ values
        biases = -z[np.arange(rows), random.integers(z.shape[1], size=rows)]
        layers.append(Layer(kept, weights, biases))
        values = np.maximum(z + biases[:, None], 0.0)
    one, two, three, last = layers
    return one, two, three, last
