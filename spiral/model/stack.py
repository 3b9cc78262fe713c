"""A network 2→a→b→c→1 of any sizes: four masked matrices with biases.

Engines train networks of one width, whose parameters are a flat vector (``mlp``). What
comes from elsewhere, or is searched, has layers of different sizes; it fits into the
leading units of a network as wide as its widest layer.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from spiral.model import masks, mlp

Sizes = tuple[int, int, int]


class Layer(NamedTuple):
    """One layer: which weights are kept, all weights (0 where not kept), biases."""

    kept: Bool[np.ndarray, "out in"]
    weights: Float[np.ndarray, "out in"]
    biases: Float[np.ndarray, " out"]


Stack = tuple[Layer, Layer, Layer, Layer]
"""Three hidden layers and the output layer, input side first."""


class Flat(NamedTuple):
    """A network of one width."""

    mask: Bool[np.ndarray, " P"]
    params: Float[np.ndarray, " P"]
    width: int


def sizes_of(stack: Stack) -> Sizes:
    """Return the hidden units of the three layers."""
    first, second, third, _ = stack
    return len(first.biases), len(second.biases), len(third.biases)


def flat_of(stack: Stack) -> Flat:
    """Return the network as wide as its widest layer; units added have no weights."""
    sizes = sizes_of(stack)
    width = max(sizes)
    mask = masks.block(width, np.array([sizes]))
    mask[mask] = np.concatenate([layer.kept.ravel() for layer in stack])
    mask = masks.with_biases(mask, width)[0]
    params = np.zeros(mlp.param_count(width), stack[0].weights.dtype)
    for layer, (weights, biases) in zip(
        stack, mlp.matrices(params, width), strict=True
    ):
        rows, columns = layer.weights.shape
        weights[:rows, :columns] = layer.weights
        biases[:rows] = layer.biases
    return Flat(mask, params, width)


def of_flat(flat: Flat, sizes: Sizes | None = None) -> Stack:
    """Return the leading units of a network of one width, all by default."""
    sizes = sizes or (flat.width, flat.width, flat.width)
    ends = (mlp.INPUTS, *sizes, 1)
    kept, values = (mlp.matrices(part, flat.width) for part in flat[:2])
    first, second, third, last = (
        Layer(
            is_kept[:rows, :columns].copy(),
            weights[:rows, :columns].copy(),
            biases[:rows].copy(),
        )
        for (is_kept, _), (weights, biases), rows, columns in zip(
            kept, values, ends[1:], ends[:-1], strict=True
        )
    )
    return first, second, third, last
