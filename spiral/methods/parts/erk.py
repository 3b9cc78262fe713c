"""Layer budgets of Erdős–Rényi–Kernel: the larger a layer, the sparser."""

from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from spiral.methods.parts.shares import layer_sizes
from spiral.model import mlp

Rounding = Literal["exact", "up"]


@cache
def budgets(width: int, keep: int, rounding: Rounding = "exact") -> tuple[int, ...]:
    """Share ``keep`` weights among the layers.

    A layer's density is ε·(inputs + outputs)/(inputs·outputs), at most 1: layers that
    would exceed it are dense and ε is solved again for the others (Evci et al. 2020;
    Mocanu et al. 2018).

    Args:
        width: Hidden width w.
        keep: Weights to share, 0 … W.
        rounding: ``exact`` rounds by largest remainders (ties to the earlier layer), so
            that the shares add up to ``keep``; ``up`` rounds the pruned ones of each
            layer down, which keeps up to one weight more per layer.
    """
    sizes = np.array(layer_sizes(width))
    found = densities(width, keep)
    if rounding == "up":
        pruned = ((1 - found) * sizes).astype(np.int64)
        return tuple((sizes - pruned).tolist())
    shares = np.round(found * sizes, 9)  # whole but for rounding is whole
    floors = np.floor(shares).astype(np.int64)
    order = np.argsort(floors - shares, kind="stable")
    floors[order[: keep - floors.sum()]] += 1
    return tuple(floors.tolist())


def shares(
    keep: Int[np.ndarray, " N"], width: int, rounding: Rounding = "exact"
) -> Int[np.ndarray, "N L"]:
    """Return the budgets of every network of a pack."""
    return np.array([budgets(width, int(k), rounding) for k in keep])


def densities(width: int, keep: int) -> Float[np.ndarray, " L"]:
    """Return the share of each layer's weights that stays, before rounding.

    In the published order of operations: the shares times the sizes are often whole
    but for rounding, which decides what they are rounded to.
    """
    layers = mlp.layers(width)
    ends = np.array([layer.inputs + layer.outputs for layer in layers], float)
    sizes = np.array(layer_sizes(width), float)
    average, per_epsilon = keep / sizes.sum(), ends / sizes
    dense = np.zeros(len(layers), bool)
    while not dense.all():
        left = np.where(dense, -(sizes * (1 - average)), sizes * average).sum()
        epsilon = left / (per_epsilon * sizes)[~dense].sum()
        found = np.where(dense, 1.0, epsilon * per_epsilon)
        if (found <= 1).all():
            return found
        dense |= found == found.max()
    return np.ones(len(layers))
