"""How the weights kept are shared among layers.

``erk`` and ``n_of_m`` have further ones.
"""

from typing import Any, Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from spiral.model import masks, mlp

Scope = Literal["global", "layer"]

SCOPE: Any = Field(
    "global", description="rank over all layers, or within each layer separately"
)
"""The option ``scope`` of methods that know these two allocations."""

Counts = Int[np.ndarray, " N"]
Shares = Int[np.ndarray, "N L"]


def layer_sizes(width: int) -> list[int]:
    """Return the number of weights of each layer."""
    return [layer.inputs * layer.outputs for layer in mlp.layers(width)]


def proportional(keep: Counts, width: int) -> Shares:
    """Share the weights kept among layers in proportion to the layers' sizes."""
    return masks.allocate(keep, layer_sizes(width))


def at_least_one(keep: Counts, width: int) -> Shares:
    """Share as ``proportional`` does, but leave no layer empty where that is possible.

    The largest share gives a weight to each layer that has none.
    """
    found = proportional(keep, width).astype(np.int64)
    layers = found.shape[1]
    for layer in range(layers):
        poor = np.flatnonzero((found[:, layer] == 0) & (keep >= layers))
        found[poor, found[poor].argmax(axis=1)] -= 1
        found[poor, layer] = 1
    return found
