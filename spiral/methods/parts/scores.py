"""Scores of weights that several methods share; the higher, the better."""

import numpy as np
from jaxtyping import Float, Float32, Float64

from spiral.model import masks, mlp
from spiral.model.masks import WeightMask
from spiral.protocol.job import Params, View

Sizes = Float32[np.ndarray, "N W"]


def sizes(params: Params, kept: WeightMask, width: int) -> Sizes:
    """Return the absolute value of every weight; pruned weights rank below all others.

    NaN counts as 0 and infinity as the largest number: a diverged network, too, keeps
    as many weights as it is asked to keep, and loses no weight twice.

    Args:
        params: Parameters [N, P].
        kept: Weights that are left; the others score -1, below a kept zero.
        width: Hidden width w.
    """
    size = np.abs(masks.of_weights(params, width))
    if not np.isfinite(size).all():
        size = np.nan_to_num(size)
    return np.where(kept, size, np.float32(-1))


def drawn(view: View, purpose: str) -> Float64[np.ndarray, "N W"]:
    """Return independent uniform numbers from each network's own stream."""
    total = mlp.weight_count(view.width)
    networks = range(len(view.keep))
    return np.stack([view.stream(n, purpose).random(total) for n in networks])


def sizes_left(view: View) -> Sizes:
    """Return the sizes of the weights that a view's masks keep."""
    return sizes(view.params, masks.of_weights(view.masks, view.width), view.width)


def forgiving(scores: Float[np.ndarray, "N W"]) -> Float32[np.ndarray, "N W"]:
    """Return scores relative to the best of each network, in float32.

    Ranked so, scores that are equal by algebra, as those of a chain of weights often
    are, are equal in spite of rounding; their indices decide then.

    Args:
        scores: Not negative.
    """
    best = scores.max(axis=1, keepdims=True)
    relative = scores / np.maximum(best, np.finfo(np.float64).tiny)
    return relative.astype(np.float32)
