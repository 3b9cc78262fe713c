"""Networks with one unit in layer 2: the scalar it computes, and what follows from it.

Everything such a network knows of a point passes through one number g. Its class is the
sign of a piecewise linear function f(g).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from spiral.search.candidate import activations, from_network
from spiral.search.network import Network
from spiral.tasks.task import Task

POINTS = 7
"""Every n-th data point."""


class Bottleneck(NamedTuple):
    """The scalar of a network on data points, and the output over it."""

    scalar: Float[np.ndarray, " D"]
    """Value of the unit in layer 2 (after ReLU) on each point."""
    label: UInt8[np.ndarray, " D"]
    grid: Float[np.ndarray, " G"]
    """Values of the scalar from lowest to highest."""
    output: Float[np.ndarray, " G"]
    """The logit at each value of the grid."""
    thresholds: Float[np.ndarray, " T"]
    """Values between which the class changes."""


def bottleneck(network: Network, task: Task) -> Bottleneck:
    """Return the scalar of a network on the points of a task.

    Raises:
        ValueError: It has more than one unit in layer 2.
    """
    units = network.shape[1]
    if units != 1:
        raise ValueError(f"expected one unit in the second hidden layer, got {units}")
    candidate = from_network(network)
    points = task.x[::POINTS].T.astype(np.float64)
    scalar = activations(candidate, points)[2][0]
    grid = np.linspace(scalar.min(), scalar.max(), 2_000)
    _, _, third, last = candidate
    hidden = np.maximum(third.weights @ grid[None] + third.biases[:, None], 0.0)
    output = (last.weights @ hidden + last.biases[:, None])[0]
    changes = np.flatnonzero(np.sign(output[:-1]) != np.sign(output[1:]))
    return Bottleneck(scalar, task.y[::POINTS], grid, output, grid[changes])
