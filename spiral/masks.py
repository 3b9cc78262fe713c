"""Masks: exact top-k selection, the bias rule, paths from input to output.

A *weight mask* is bool [N, W]; a *mask* is bool [N, P] and covers the biases too.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from spiral import mlp

WeightMask = Bool[np.ndarray, "N W"]
Mask = Bool[np.ndarray, "N P"]


def keep_top(
    scores: Float[np.ndarray, "N W"], keep: Int[np.ndarray, " N"]
) -> WeightMask:
    """Keep exactly ``keep`` entries of each row, those with the highest scores.

    Ties go to the lower index; NaN ranks below everything. Ranking replaces the usual
    comparison with a threshold value, which keeps one weight too few (or, at ties, any
    number): a matter of two weights in fifteen.

    Args:
        scores: One score per weight; float64 where that is cheap.
        keep: How many to keep, 0 … W each.
    """
    ranked = np.where(np.isnan(scores), -np.inf, scores)
    order = np.argsort(-ranked, axis=1, kind="stable")
    kept = np.arange(scores.shape[1]) < np.asarray(keep)[:, None]
    mask = np.zeros(scores.shape, bool)
    np.put_along_axis(mask, order, kept, axis=1)
    return mask


def allocate(
    keep: Int[np.ndarray, " N"], sizes: Sequence[int]
) -> Int[np.ndarray, "N L"]:
    """Share ``keep`` among layers in proportion to their sizes, to the last weight.

    Largest remainder; equal remainders go to the earlier layer. Shares differ from the
    exact proportion by less than one and add up to ``keep``.
    """
    exact = keep[:, None] * np.asarray(sizes) / np.sum(sizes)
    shares = np.floor(exact).astype(np.int64)
    missing = keep - shares.sum(axis=1)
    return shares + keep_top(exact - shares, missing)


def with_biases(weights: WeightMask, width: int) -> Mask:
    """Extend a weight mask by the bias rule of the paper.

    A hidden unit's bias is kept iff the unit has a kept outgoing weight; the output
    bias always is. (A unit with outgoing and no incoming weight is a constant.)
    """
    mask = np.ones((len(weights), mlp.param_count(width)), bool)
    stack = mlp.layers(width)
    for layer, following in zip(stack, [*stack[1:], None], strict=True):
        mask[:, layer.weights] = weights[:, layer.columns]
        if following is not None:
            outgoing = weights[:, following.columns].reshape(
                len(weights), following.outputs, following.inputs
            )
            mask[:, layer.biases] = outgoing.any(axis=1)
    return mask


def of_weights(masks: Mask, width: int) -> WeightMask:
    """Drop the biases of a mask."""
    return masks[:, mlp.is_weight(width)]


def on_path(masks: Mask, width: int) -> WeightMask:
    """Return the kept weights that lie on a path from an input to the output."""
    stack = [weights for weights, _ in mlp.matrices(masks, width)]
    reached = [np.ones((len(masks), mlp.INPUTS), bool)]
    for weights in stack:
        reached.append((weights & reached[-1][:, None, :]).any(axis=2))
    needed = [np.ones((len(masks), 1), bool)]
    for weights in reversed(stack):
        needed.append((weights & needed[-1][:, :, None]).any(axis=1))
    ends = zip(stack, reached[:-1], needed[-2::-1], strict=True)
    useful = [w & a[:, None, :] & b[:, :, None] for w, a, b in ends]
    return np.concatenate([w.reshape(len(masks), -1) for w in useful], axis=1)


def layer_counts(masks: Mask, width: int) -> Int[np.ndarray, "N 4"]:
    """Count the kept weights of each layer."""
    counts = [masks[:, layer.weights].sum(axis=1) for layer in mlp.layers(width)]
    return np.stack(counts, axis=1)


def block(width: int, sizes: Int[np.ndarray, "N 3"]) -> WeightMask:
    """Keep the dense d1×d2×d3 block of the leading hidden units."""
    units = [np.arange(width) < sizes[:, [i]] for i in range(3)]
    ends = [np.ones((len(sizes), mlp.INPUTS), bool), *units]
    ends.append(np.ones((len(sizes), 1), bool))
    parts = [
        (after[:, :, None] & before[:, None, :]).reshape(len(sizes), -1)
        for before, after in pairwise(ends)
    ]
    return np.concatenate(parts, axis=1)


def to_bits(mask: Bool[np.ndarray, " P"]) -> bytes:
    """Pack one mask into bytes, first parameter in the highest bit."""
    return np.packbits(mask).tobytes()


def from_bits(data: bytes, size: int) -> Bool[np.ndarray, " P"]:
    """Undo :func:`to_bits`."""
    bits: UInt8[np.ndarray, " P"] = np.unpackbits(
        np.frombuffer(data, np.uint8), count=size
    )
    return bits.astype(bool)
