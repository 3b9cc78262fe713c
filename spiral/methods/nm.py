"""Masks with a pattern in each layer: N:M along inputs, and layers of equal density."""

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from spiral import masks, mlp
from spiral.methods.selection import by_layer

Scores = Float[np.ndarray, "N W"]
WeightMask = Bool[np.ndarray, "N W"]


def along_inputs(
    scores: Shaped[np.ndarray, "*lead out inputs"], keep: int, group: int
) -> Bool[np.ndarray, "*lead out inputs"]:
    """Keep ``keep`` of every ``group`` consecutive inputs of each row of a matrix.

    Args:
        scores: The higher the better; ties go to the lower index.
        keep: N of N:M.
        group: M of N:M; it divides the number of inputs.
    """
    rows = scores.reshape(-1, group)
    return masks.keep_top(rows, np.full(len(rows), keep)).reshape(scores.shape)


def n_of_m(scores: Scores, width: int, keep: int, group: int) -> WeightMask:
    """Keep N:M in every layer whose inputs M divides; the others stay dense.

    Groups lie within a row of a matrix, along its inputs.
    """
    parts = []
    for layer in mlp.layers(width):
        part = scores[:, layer.columns]
        matrix = part.reshape(len(part), layer.outputs, layer.inputs)
        if layer.inputs % group == 0:
            parts.append(along_inputs(matrix, keep, group).reshape(part.shape))
        else:
            parts.append(np.ones(part.shape, bool))
    return np.concatenate(parts, axis=1)


def count(width: int, keep: int, group: int) -> int:
    """Return how many weights :func:`n_of_m` keeps."""
    total = 0
    for layer in mlp.layers(width):
        size = layer.outputs * layer.inputs
        total += size * keep // group if layer.inputs % group == 0 else size
    return total


def ends(width: int) -> int:
    """Return the weights of the first and the last layer."""
    first, *_, last = mlp.layers(width)
    return first.outputs * first.inputs + last.outputs * last.inputs


def uniform(scores: Scores, width: int, keep: Int[np.ndarray, " N"]) -> WeightMask:
    """Keep the first and last layer, and of those between the same share of each.

    Args:
        scores: The higher the better.
        width: Hidden width w.
        keep: Weights of the network, at least those of the first and last layer.
    """
    sizes = [layer.outputs * layer.inputs for layer in mlp.layers(width)]
    shares = np.tile(sizes, (len(keep), 1))
    shares[:, 1:-1] = masks.allocate(keep - ends(width), sizes[1:-1])
    return by_layer(width, scores, shares)
