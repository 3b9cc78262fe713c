"""How far a mask is from a best known one, whatever the numbering of the hidden units.

The distance is the smallest over all permutations of the units of each hidden layer
(inputs and output stay). Units of layer 2 are tried in every order; for each of them
layers 1 and 3 are two assignment problems, solved exactly, so the result is exact as
long as few units of layer 2 keep a weight: see :data:`MOST`.
"""

from itertools import permutations
from math import perm
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Int8

from spiral.model import mlp
from spiral.search.canonical import core
from spiral.search.shape import Shape, matrices

MOST = 5_000
"""Ways to choose units of layer 2 that are tried: all of 18 units for a target with
3 of them, of 9 for one with 4. Of more units the most connected ones are tried, those
on a path from input to output first; the distance found is then an upper bound."""

NEVER = np.int8(-100)
"""Less than any overlap of a matching."""


class Distance(NamedTuple):
    """How far a mask is from the nearest of some masks."""

    hamming: int
    """Weights that only one of the two keeps."""
    jaccard: float
    """The same as a share of all weights that at least one keeps."""
    exact: bool
    """Whether no permutation can be better; else both are upper bounds."""


def nearest(
    mask: Bool[np.ndarray, " P"],
    width: int,
    targets: list[tuple[Shape, Bool[np.ndarray, " W"]]],
) -> Distance:
    """Return the distance to the nearest target mask.

    Args:
        mask: Of weights and biases; biases do not count.
        width: Hidden width of the network.
        targets: Masks of shapes (see ``search.shape``), at most 100 weights each.
    """
    return min(
        (_between(mask, width, *target) for target in targets),
        key=lambda found: (found.hamming, not found.exact),
    )


def overlap(
    small: list[Bool[np.ndarray, "out in"]], large: list[Bool[np.ndarray, "out in"]]
) -> int:
    """Return the most weights that two masks can share by renumbering hidden units.

    Args:
        small: Four matrices; of layer 2 every choice of units is tried.
        large: The same with at least as many units in each layer.
    """
    w1, w2, w3, w4 = (part.astype(np.int8) for part in small)
    m1, m2, m3, m4 = (part.astype(np.int8) for part in large)
    ways = np.array([*permutations(range(len(m2)), len(w2))])
    into = np.einsum("ji,nja->ian", w2, m2[ways], optimize=True)
    out_of = np.einsum("kj,cnj->kcn", w3, m3[:, ways], optimize=True)
    first = assign(into + (w1 @ m1.T)[..., None])
    third = assign(out_of + (w4.T @ m4)[..., None])
    return int((first.astype(int) + third).max())


def assign(gain: Int8[np.ndarray, "small large N"]) -> Int8[np.ndarray, " N"]:
    """Return the largest total gain of assigning each row a different column.

    Columns are offered one after the other; known is the best for every set of rows
    served so far.
    """
    rows, columns, count = gain.shape
    best = np.full((1 << rows, count), NEVER)
    best[0] = 0
    for column in range(columns):
        before = best.copy()
        for row in range(rows):
            split = (-1, 2, 1 << row, count)
            served = best.reshape(split)[:, 1]
            free = before.reshape(split)[:, 0]
            np.maximum(served, free + gain[row, column], out=served)
    return best[-1]


def _between(
    mask: Bool[np.ndarray, " P"], width: int, shape: Shape, flat: Bool[np.ndarray, " W"]
) -> Distance:
    """Return the distance of one mask from one target."""
    small = matrices(flat, shape)
    whole = [weights for weights, _ in mlp.matrices(mask, width)]
    nnz, other = sum(int(part.sum()) for part in whole), int(flat.sum())
    units = _units(whole, mask, width, shape)
    shared = overlap(small, _block(whole, units, shape))
    limit = sum(
        min(int(a.sum()), int(b.sum())) for a, b in zip(small, whole, strict=True)
    )
    every = len(units[1]) == _active(whole, 1).sum()
    hamming = nnz + other - 2 * shared
    return Distance(hamming, hamming / (nnz + other - shared), every or shared == limit)


def _active(whole: list[np.ndarray], layer: int) -> Bool[np.ndarray, " units"]:
    """Return which units of a hidden layer (0, 1, 2) keep any weight."""
    incoming, outgoing = whole[layer].any(axis=1), whole[layer + 1].any(axis=0)
    return np.logical_or(incoming, outgoing)


def _units(
    whole: list[np.ndarray], mask: Bool[np.ndarray, " P"], width: int, shape: Shape
) -> list[Int[np.ndarray, " units"]]:
    """Return the units of each hidden layer that may stand for those of the shape."""
    units = [np.flatnonzero(_active(whole, layer)) for layer in range(3)]
    most = len(units[1])
    while most > shape[1] and perm(most, shape[1]) > MOST:
        most -= 1
    if most < len(units[1]):
        on_path = np.isin(units[1], core(mask, width).units[1])
        links = whole[1].sum(axis=1) + whole[2].sum(axis=0)
        order = np.lexsort((-links[units[1]], ~on_path))
        units[1] = units[1][order[:most]]
    return units


def _block(
    whole: list[np.ndarray], units: list[Int[np.ndarray, " units"]], shape: Shape
) -> list[Bool[np.ndarray, "out in"]]:
    """Return the matrices between these units, and empty ones up to the shape."""
    inputs = [np.arange(mlp.INPUTS), *units]
    outputs = [*units, np.arange(1)]
    sizes = [mlp.INPUTS, *map(max, zip(map(len, units), shape, strict=True)), 1]
    found = []
    for part, after, before, rows, columns in zip(
        whole, outputs, inputs, sizes[1:], sizes[:-1], strict=True
    ):
        block = np.zeros((rows, columns), bool)
        block[: len(after), : len(before)] = part[np.ix_(after, before)]
        found.append(block)
    return found
