"""The edges of weights that are active under a forward mask (``forward_choice``).

Here parameters keep their flat order (padded to whole vectors), since all of them
train: only the edges of a network are a list, those that run. Rows of activations are
input 0, input 1, then the units of hidden layers 1, 2, 3, then the output.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int, UInt8

from spiral.engines.compiled import njit
from spiral.engines.sparse.forward_choice import ACTIVE
from spiral.model import mlp

SOURCE = "cc7871c6e92b9cbd"
"""Digest of imported modules, see ``kernel``."""


class Units(NamedTuple):
    """Where the parameters and rows of each unit are, U = 3w + 1, the output last."""

    bias: Int[np.ndarray, " U"]
    incoming: Int[np.ndarray, " U"]
    """The first of its incoming weights, which are adjacent."""
    inputs: Int[np.ndarray, " U"]
    below: Int[np.ndarray, " U"]
    """Where the row of its first input begins."""


class Edges(NamedTuple):
    """One network's lists, filled by :func:`list_edges`."""

    first: Int[np.ndarray, " U1"]
    """First incoming edge of each unit, and the end."""
    weight: Int[np.ndarray, " P"]
    """The parameter of each incoming edge."""
    source: Int[np.ndarray, " P"]
    """The row of its input."""
    out_first: Int[np.ndarray, " U1"]
    """First outgoing edge of each hidden unit, and the end."""
    out_weight: Int[np.ndarray, " P"]
    out_row: Int[np.ndarray, " P"]
    """The row of an outgoing edge's unit."""
    live: UInt8[np.ndarray, " U"]
    """Whether a unit reaches the output; the others have no gradient."""
    slope: Int[np.ndarray, " P16"]
    """The parameter of each gradient, in the order of the backward pass."""
    gradient: Float32[np.ndarray, " S"]
    """Gradients in the order of the parameters; 0 where nothing reaches the output."""


def units(width: int) -> Units:
    """Return the places of the units of a network."""
    found = []
    for number, layer in enumerate(mlp.layers(width)):
        row = 0 if number == 0 else 2 + (number - 1) * width
        for j in range(layer.outputs):
            weights = layer.weights.start + j * layer.inputs
            found.append((layer.biases.start + j, weights, layer.inputs, row))
    return Units(*np.array(found).T.copy())


def padded(width: int) -> int:
    """Return S: the parameters, at least one padding, in whole vectors of 16."""
    return mlp.param_count(width) // 16 * 16 + 16


@njit(error_model="numpy", cache=True)
def no_edges(units, size):
    """Return lists for networks of this many (padded) parameters."""
    count = len(units.bias)
    return Edges(
        np.zeros(count + 1, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(count + 1, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(count, np.uint8),
        np.zeros(size, np.int64),
        np.zeros(size, np.float32),
    )


@njit(error_model="numpy", cache=True)
def list_edges(units, state, everything, edges):
    """List the edges that run, and the gradients that are not zero.

    Args:
        units: Where things are.
        state: The states of the parameters.
        everything: 1 to list hidden weights, too.
        edges: Filled here.

    Returns:
        The number of gradients, which ``slope`` extends to whole vectors.
    """
    _incoming(units, state, everything, edges)
    output = len(units.bias) - 1
    edges.live[:] = 0
    edges.live[output] = 1
    edges.out_first[:] = 0
    for u in range(output, -1, -1):
        if edges.live[u]:
            for e in range(edges.first[u], edges.first[u + 1]):
                origin = edges.source[e] - 2
                if origin >= 0:
                    edges.live[origin] = 1
                    edges.out_first[origin] += 1
    _outgoing(output, edges)
    edges.gradient[:] = 0
    count = 0
    for u in range(output, -1, -1):
        if edges.live[u]:
            edges.slope[count] = units.bias[u]
            for i in range(units.inputs[u]):
                edges.slope[count + 1 + i] = units.incoming[u] + i
            count += 1 + units.inputs[u]
    edges.slope[count:] = len(state) - 1  # a padding
    return count


@njit(error_model="numpy", cache=True)
def _incoming(units, state, everything, edges):
    """List the incoming edges of every unit."""
    end = 0
    for u in range(len(units.bias)):
        edges.first[u] = end
        for i in range(units.inputs[u]):
            weight = units.incoming[u] + i
            # Written in any case, and overwritten: a branch would be unpredictable
            edges.weight[end] = weight
            edges.source[end] = units.below[u] + i
            end += 1 if everything or state[weight] == ACTIVE else 0
    edges.first[len(units.bias)] = end


@njit(error_model="numpy", cache=True)
def _outgoing(output, edges):
    """List the outgoing edges of hidden units to live ones, by counting sort."""
    starts = edges.out_first  # so far, how many edges each has
    for u in range(output):
        starts[u + 1] += starts[u]
    # Backwards from the end of each unit's edges, so that the starts are left
    for u in range(output, -1, -1):
        if edges.live[u]:
            for e in range(edges.first[u + 1] - 1, edges.first[u] - 1, -1):
                origin = edges.source[e] - 2
                if origin >= 0:
                    starts[origin] -= 1
                    edges.out_weight[starts[origin]] = edges.weight[e]
                    edges.out_row[starts[origin]] = u + 2
