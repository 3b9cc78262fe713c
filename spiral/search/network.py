"""One network: its mask as a string, its kept parameters, and its evaluation.

The evaluation shares no code with the engines: NumPy, adding one input after the other
in a fixed order, so that every machine computes the same bits and can verify a stored
accuracy.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32

from spiral.model import masks, mlp
from spiral.search.canonical import canonical, core
from spiral.search.shape import Shape, read, spell
from spiral.tasks.task import Task


class Network(NamedTuple):
    """A network without dead or constant units, in canonical numbering."""

    shape: Shape
    matrices: str
    """Its mask in the format of option ``matrices`` of method ``mask``."""
    params: Float32[np.ndarray, " K"]
    """Kept parameters, in the order of a network as wide as its widest layer."""


class Score(NamedTuple):
    """Correctly classified points and mean loss, in one precision."""

    correct: int
    loss: float


def reduced(
    mask: Bool[np.ndarray, " P"], params: Float[np.ndarray, " P"], width: int
) -> Network | None:
    """Return the smallest network that computes the same function; None if constant.

    A constant unit (without inputs) is folded into the biases of the units it feeds;
    units that do not reach the output are dropped; hidden units are renumbered.
    """
    params = np.where(mask, params, 0.0).astype(np.float64)
    kept = mask & mlp.is_weight(width)
    stack = mlp.layers(width)
    for layer, following in pairwise(stack):
        rows = kept[layer.weights].reshape(layer.outputs, layer.inputs)
        constant = ~rows.any(axis=1)
        value = np.where(constant, np.maximum(params[layer.biases], 0), 0)
        feeds = params[following.weights].reshape(following.outputs, following.inputs)
        params[following.biases] += feeds @ value
        after = kept[following.weights].reshape(following.outputs, following.inputs)
        after &= ~constant
    small = core(kept, width)
    if not small.mask.any():
        return None
    flat, numbering = canonical(small.mask[None], small.shape)
    order = [
        units[numbers[0]] for units, numbers in zip(small.units, numbering, strict=True)
    ]
    ends = [np.arange(mlp.INPUTS), *order, np.arange(1)]
    wide = max(small.shape)
    found = np.zeros(mlp.param_count(wide))
    for source, target, before, after in zip(
        stack, mlp.layers(wide), ends[:-1], ends[1:], strict=True
    ):
        weights = params[source.weights].reshape(source.outputs, source.inputs)
        place = found[target.weights].reshape(target.outputs, target.inputs)
        place[: len(after), : len(before)] = weights[np.ix_(after, before)]
        found[target.biases][: len(after)] = params[source.biases][after]
    text = spell(flat, small.shape)[0]
    return Network(small.shape, text, found[_mask(text)].astype(np.float32))


def _mask(text: str) -> Bool[np.ndarray, " P"]:
    """Return the mask of weights and biases of a mask string."""
    shape, flat = read(text)
    wide = max(shape)
    block = masks.block(wide, np.array([shape]))
    block[block] = flat
    return masks.with_biases(block, wide)[0]


def unpacked(
    text: str, kept: Float[np.ndarray, " K"]
) -> tuple[Bool[np.ndarray, " P"], Float[np.ndarray, " P"], int]:
    """Return mask, parameters and width of a network as wide as its widest layer.

    Raises:
        ValueError: The number of parameters differs from that of the mask.
    """
    mask = _mask(text)
    if len(kept) != mask.sum():
        raise ValueError(f"expected {mask.sum()} kept parameters, got {len(kept)}")
    params = np.zeros(len(mask), kept.dtype)
    params[mask] = kept
    return mask, params, max(read(text)[0])


BLOCK = 2**20
"""Points that are evaluated at once."""


def score(text: str, kept: Float[np.ndarray, " K"], kind: type, task: Task) -> Score:
    """Evaluate a network on all points of a task.

    Args:
        text: Its mask.
        kept: Its kept parameters.
        kind: ``np.float64`` or ``np.float32``, the precision of all computations.
        task: Whose points.
    """
    _, params, width = unpacked(text, np.asarray(kept))
    layers = mlp.matrices(params.astype(kind), width)
    right, total = 0, 0.0
    for start in range(0, task.points, BLOCK):
        some = slice(start, start + BLOCK)
        z = _logits(layers, task.x[some].T.astype(kind), kind)
        positive = task.y[some] > 0
        # A logit of exactly 0 counts as wrong for both classes
        right += int(np.where(positive, z > 0, z < 0).sum())
        signed = np.where(positive, -z, z).astype(np.float64)
        total += np.logaddexp(0, signed).sum()
    return Score(right, float(total / task.points))


def _logits(
    layers: list[tuple[np.ndarray, np.ndarray]], h: np.ndarray, kind: type
) -> Float[np.ndarray, " D"]:
    """Return the logits of a network, given its layers, on points [2, D]."""
    *hidden, output = layers
    for weights, biases in hidden:
        h = np.maximum(_linear(weights, biases, h), kind(0))
    found: Float[np.ndarray, " D"] = _linear(*output, h)[0]
    return found


def _linear(weights: np.ndarray, biases: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return weights @ h + biases, summed input by input.

    Not by ``@``: the order of BLAS sums depends on the machine.
    """
    z = np.repeat(biases[:, None], h.shape[1], axis=1)
    for column, values in zip(weights.T, h, strict=True):
        for unit in np.flatnonzero(column):
            z[unit] += column[unit] * values
    return z
