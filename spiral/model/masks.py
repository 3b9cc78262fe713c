"""Masks: exact top-k selection, the bias rule, paths from input to output.

A *weight mask* is bool [N, W]; a *mask* is bool [N, P] and covers the biases too.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped, UInt8

from spiral.model import mlp

FEW = 8
"""Row length up to which comparing all pairs is faster than sorting: 65,536 rows of 4
take 0.26 ms instead of 3.7, 32,768 rows of 8 take 0.41 ms instead of 2.0; no gain from
16."""

WeightMask = Bool[np.ndarray, "N W"]
Mask = Bool[np.ndarray, "N P"]
Numbers = Shaped[np.ndarray, " W"]


def keep_top(
    scores: Float[np.ndarray, "N W"], keep: Int[np.ndarray, " N"]
) -> WeightMask:
    """Keep exactly ``keep`` entries of each row, those with the highest scores.

    Ties go to the lower index; NaN ranks below everything. The usual comparison with a
    threshold keeps one weight too few, and any number of weights at ties; among fifteen
    weights that matters, so scores are ranked instead.

    Args:
        scores: One score per weight; float64 where that is cheap.
        keep: How many to keep, 0 … W each.
    """
    finite = np.finfo(scores.dtype).min
    ranked = scores
    if not (scores >= finite).all():
        ranked = np.where(np.isnan(scores), -np.inf, np.maximum(scores, finite))
    if scores.shape[1] <= FEW:
        return _by_pairs(ranked, keep)
    lowest = kth_highest(ranked, keep)
    mask: WeightMask = ranked >= lowest
    if np.array_equal(np.count_nonzero(mask, axis=1), keep):
        return mask
    mask = ranked > lowest  # all above the lowest score kept, and the first of its ties
    ties = ranked == lowest
    missing = np.asarray(keep) - mask.sum(axis=1)
    return mask | (ties & (np.cumsum(ties, axis=1) <= missing[:, None]))


def _by_pairs(
    scores: Float[np.ndarray, "N W"], keep: Int[np.ndarray, " N"]
) -> WeightMask:
    """Keep the top entries of short rows by comparing all pairs."""
    columns = np.ascontiguousarray(scores.T)
    better = np.zeros(columns.shape, np.int8)
    for later in range(len(columns)):
        for earlier in range(later):
            wins = columns[later] > columns[earlier]
            better[earlier] += wins
            better[later] += ~wins
    return (better < keep).T


def kth_highest(
    scores: Float[np.ndarray, "N W"], k: Int[np.ndarray, " N"]
) -> Float[np.ndarray, "N 1"]:
    """Return the k-th highest score of each row.

    By sorting: NumPy sorts 560 float32 numbers in 0.3 to 0.7 µs, while ``partition``
    takes 0.6 µs for one k, 3.5 µs for 23, and 4 µs if nine in ten are equal.
    """
    size = scores.shape[1]
    place = np.clip(size - np.asarray(k), 0, size - 1)
    return np.take_along_axis(np.sort(scores, axis=1), place[:, None], axis=1)


def seats(
    sizes: Sequence[int], priority: Callable[[Numbers, Numbers], Numbers]
) -> Int[np.ndarray, "W1 L"]:
    """Return every layer's share of 0, 1, …, all weights, taken one after the other.

    Shares never decrease when there are more weights to share.

    Args:
        sizes: Weights of each layer.
        priority: From layers and numbers within them (0 for a layer's first weight) to
            priorities, which fall with the number. The highest is taken first; ties go
            to the earlier layer.
    """
    layer = np.repeat(np.arange(len(sizes)), sizes)
    number = np.concatenate([np.arange(size) for size in sizes])
    order = np.lexsort((layer, -priority(layer, number)))
    taken = layer[order][:, None] == np.arange(len(sizes))
    return np.concatenate([np.zeros((1, len(sizes)), int), np.cumsum(taken, axis=0)])


@cache
def _webster(sizes: tuple[int, ...]) -> Int[np.ndarray, "W1 L"]:
    """Return every layer's share of 0, 1, …, all weights by its size."""
    claims = np.asarray(sizes)
    return seats(sizes, lambda layer, number: claims[layer] / (2 * number + 1))


def allocate(
    keep: Int[np.ndarray, " N"], sizes: Sequence[int]
) -> Int[np.ndarray, "N L"]:
    """Divide ``keep`` among layers in proportion to their sizes, exactly.

    Webster's method (odd divisors; ties go to the earlier layer): shares add up to
    ``keep``, are within one weight of the exact proportion, and never increase when
    ``keep`` decreases. Largest remainders violate the last (width 3, from 23 to 22).
    """
    return _webster(tuple(sizes))[keep]


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
    # At width 256 a tenth of the time of indexing by `mlp.is_weight`
    parts = [masks[:, layer.weights] for layer in mlp.layers(width)]
    return np.concatenate(parts, axis=1)


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
    return of_units(np.arange(width) < sizes[:, :, None])


def of_units(units: Bool[np.ndarray, "N 3 w"]) -> WeightMask:
    """Keep every weight between the given hidden units."""
    ends = [np.ones((len(units), mlp.INPUTS), bool), *units.transpose(1, 0, 2)]
    ends.append(np.ones((len(units), 1), bool))
    parts = [
        (after[:, :, None] & before[:, None, :]).reshape(len(units), -1)
        for before, after in pairwise(ends)
    ]
    return np.concatenate(parts, axis=1)


def embed(weights: WeightMask, width: int, wider: int) -> WeightMask:
    """Return the masks of wider networks whose leading units are the given ones."""
    found = np.zeros((len(weights), mlp.weight_count(wider)), bool)
    for small, large in zip(mlp.layers(width), mlp.layers(wider), strict=True):
        part = weights[:, small.columns].reshape(-1, small.outputs, small.inputs)
        place = found[:, large.columns].reshape(-1, large.outputs, large.inputs)
        place[:, : small.outputs, : small.inputs] = part
        found[:, large.columns] = place.reshape(len(weights), -1)
    return found


def to_bits(mask: Bool[np.ndarray, " P"]) -> bytes:
    """Pack one mask into bytes, first parameter in the highest bit."""
    return np.packbits(mask).tobytes()


def from_bits(data: bytes, size: int) -> Bool[np.ndarray, " P"]:
    """Undo :func:`to_bits`."""
    bits: UInt8[np.ndarray, " P"] = np.unpackbits(
        np.frombuffer(data, np.uint8), count=size
    )
    return bits.astype(bool)
