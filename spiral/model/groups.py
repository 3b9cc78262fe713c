"""Groups of weights that compete with each other for a place in a mask.

A scope defines the groups: all weights, those of a layer, those of a unit, or adjacent
inputs of a unit (N:M patterns). Each group keeps its own number of weights.
"""

from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from spiral.model import masks, mlp

Counts = Int[np.ndarray, "N G"]


class Scope(NamedTuple):
    """Which weights form a group."""

    kind: Literal["global", "layer", "unit", "inputs"]
    size: int = 1
    """For ``inputs``: M, the number of adjacent inputs of a unit in a group."""
    merged: int = 1
    """For ``inputs``: the number of groups (a power of 2) that compete as one, halved
    until it divides a unit's inputs."""


class Part(NamedTuple):
    """Adjacent groups of equal size."""

    columns: slice  # in the flat parameters [P]
    groups: slice  # among all groups of the scope [G]
    size: int  # parameters of a group; those of ``global`` include biases


@cache
def parts(width: int, scope: Scope) -> tuple[Part, ...]:
    """Return the places of the groups of a scope, in the order of the parameters.

    With scope ``inputs``, a layer whose number of inputs is not divisible by M is one
    group.
    """
    if scope.kind == "global":
        size = mlp.param_count(width)
        return (Part(slice(0, size), slice(0, 1), size),)
    found, first = [], 0
    for layer in mlp.layers(width):
        size = _group_size(layer, scope)
        last = first + layer.outputs * layer.inputs // size
        found.append(Part(layer.weights, slice(first, last), size))
        first = last
    return tuple(found)


def _group_size(layer: mlp.Layer, scope: Scope) -> int:
    """Return the size of the groups of a layer."""
    whole = layer.outputs * layer.inputs
    if scope.kind == "inputs":
        size = scope.size * scope.merged
        while layer.inputs % size and size > scope.size:
            size //= 2
        return whole if layer.inputs % size else size
    return layer.inputs if scope.kind == "unit" else whole


def count(width: int, scope: Scope) -> int:
    """Return G, the number of groups."""
    return parts(width, scope)[-1].groups.stop


def top(
    values: Float[np.ndarray, "N P"], counts: Counts, width: int, scope: Scope
) -> Bool[np.ndarray, "N P"]:
    """Keep the largest weights of every group and all biases.

    Args:
        values: Parameters, ranked by absolute value (see ``masks.keep_top``).
        counts: Weights that each group keeps, 0 … its size.
        width: Hidden width w.
        scope: The groups.
    """
    if scope.kind == "global":  # infinite biases avoid a copy of the weights alone
        sizes = np.abs(values)
        for layer in mlp.layers(width):
            sizes[:, layer.biases] = np.inf
        biases = mlp.param_count(width) - mlp.weight_count(width)
        return masks.keep_top(sizes, counts[:, 0] + biases)
    kept = np.ones(values.shape, bool)
    for part in parts(width, scope):
        kept[:, part.columns] = _top_of(values, counts, part)
    return kept


def _top_of(
    values: Float[np.ndarray, "N P"], counts: Counts, part: Part
) -> Bool[np.ndarray, "N S"]:
    """Keep the largest of every group of one part."""
    sizes = np.abs(values[:, part.columns])
    wanted = counts[:, part.groups].ravel()
    kept = masks.keep_top(sizes.reshape(-1, part.size), wanted)
    return kept.reshape(sizes.shape)


def survivors(kept: Bool[np.ndarray, "N P"], width: int, scope: Scope) -> Counts:
    """Count the kept weights of every group."""
    weights = kept & mlp.is_weight(width)
    found = [
        weights[:, part.columns].reshape(len(kept), -1, part.size).sum(axis=2)
        for part in parts(width, scope)
    ]
    return np.concatenate(found, axis=1)
