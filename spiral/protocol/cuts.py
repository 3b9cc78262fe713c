"""Cuts of learned maps: the k highest scores, and soft gates that add up to k."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from spiral.model import masks, mlp

OPEN = -1e9
"""A τ below all weights: every soft gate is 1."""

CLOSE = 1e-9
"""The sum of soft gates differs from k by at most this, relative to k."""


def sigmoid(x: Any) -> Any:
    """Return σ(x) without overflow."""
    return np.exp(-np.logaddexp(0, -x))


def highest(
    scores: Float[np.ndarray, "N W"], counts: Int[np.ndarray, "N G"], width: int
) -> Bool[np.ndarray, "N W"]:
    """Return the highest scores, bool [N, W], of all (G = 1) or of each layer."""
    if counts.shape[1] == 1:
        return masks.keep_top(scores, counts[:, 0])
    parts = [
        masks.keep_top(scores[:, layer.columns], counts[:, n])
        for n, layer in enumerate(mlp.layers(width))
    ]
    return np.concatenate(parts, axis=1)


def threshold(
    sizes: Float[np.ndarray, "N W"], c: float, k: Int[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Return τ with Σσ(c(v - τ)) = k for every row v.

    This is the fixed point of the authors' Sinkhorn iterations with unit costs (Tai et
    al. 2022). Newton steps, or halves of the bracket where they would leave it; a row
    that is close enough stays, so that it does not depend on its neighbours.

    Args:
        sizes: v.
        c: Sharpness, positive.
        k: Sum of the gates, 1 … W.
    """
    total = sizes.shape[1]
    # every gate is at least k/W at the lower end, and at most that at the upper
    shift = np.log((total - np.minimum(k, total - 0.5)) / k) / c
    low, high = sizes.min(axis=1) + shift, sizes.max(axis=1) + shift
    found = (low + high) / 2
    for _ in range(100):
        gates = sigmoid(c * (sizes - found[:, None]))
        excess = gates.sum(axis=1) - k
        near = ~(np.abs(excess) > CLOSE * k)  # NaN stays
        if near.all():
            break
        low, high = np.where(excess > 0, found, low), np.where(excess > 0, high, found)
        slope = c * (gates * (1 - gates)).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = found + excess / slope
        inside = (newton > low) & (newton < high)
        found = np.where(near, found, np.where(inside, newton, (low + high) / 2))
    return np.where(k >= total, OPEN, found)
