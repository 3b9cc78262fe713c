"""Enumerate the masks of a shape up to renumbering hidden units: one of each orbit.

A unit of layer 1 is a pair (inputs, column of W2) and a unit of layer 3 a row of W3. A
mask up to renumbering layers 1 and 3 is thus two multisets, and of S_d1×S_d2×S_d3 only
S_d2 remains. Multisets of rows of W3 are the outer loop, multisets of pairs the inner
one; a mask that some order of layer 2 makes smaller, as ``canonical`` defines it, is
skipped. So each orbit is yielded once without storing the ones found before, and the
cost per mask is at most d2! comparisons instead of d1!·d2!·d3!.
"""

from collections.abc import Iterator
from functools import cache
from itertools import combinations_with_replacement, permutations
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Int8

from spiral.search.burnside import count
from spiral.search.shape import Shape, checked, span, spell, weight_count

BLOCK = 1 << 16
"""Masks in a block: 3 MB at 7-3-3."""

LARGEST = 7
"""Maximum units of layer 2, as each mask is compared with up to d2! orders (5,040)."""

MOST = 1_000_000
"""Maximum masks of a listing."""


class Units(NamedTuple):
    """Every possible unit of layer 1, in the kernel's numbering."""

    codes: Int[np.ndarray, " K"]
    """Ascending."""
    weights: Int[np.ndarray, " K"]
    lightest: Int[np.ndarray, " K"]
    """The fewest weights of any unit from this one on; bounds the walk from below."""
    heaviest: int
    """The most weights of any unit; bounds the walk from above."""
    union: int
    """The union of the codes of a complete mask: all inputs and units of layer 2."""


class Orders(NamedTuple):
    """Orders of layer 2 that may make a mask smaller; the first is the identity."""

    codes: Int[np.ndarray, "orders codes"]
    """The code of each unit of layer 1 in this order."""
    third: Int8[np.ndarray, "orders d2"]
    """-1, 0 or 1: a column of W3 is smaller, equal or larger in this order."""


class Walk(NamedTuple):
    """The position of the walk through the multisets of units of layer 1."""

    place: Int[np.ndarray, " 1"]
    """The place to change next; -1 at the end."""
    units: Int[np.ndarray, " d1"]
    codes: Int[np.ndarray, " d1"]
    weights: Int[np.ndarray, " d1+1"]
    """Weights of the units before each place."""
    moved: Int[np.ndarray, " d1"]
    """Buffer for reordered codes."""


def listing(shape: list[int], nnz: str | None = None) -> list[str]:
    """Return one mask of each orbit as a string for option ``matrices`` of ``mask``.

    Args:
        shape: Hidden units of the three layers.
        nnz: Weights, output layer included: ``20..22`` or ``20``.

    Raises:
        ValueError: An argument is invalid, or there are too many masks.
    """
    size = checked(shape)
    wanted = None if nnz is None else span(nnz)
    found = orbits(size, wanted)  # rejects a large shape before it is counted
    total = count(size, wanted).canonical
    if total > MOST:
        raise ValueError(
            f"expected at most {MOST:,} masks, got {total:,}; give a smaller range of "
            "nnz"
        )
    return [text for block in found for text in spell(block, size)]


def orbits(
    shape: Shape, nnz: range | None = None, size: int = BLOCK
) -> Iterator[Bool[np.ndarray, "N W"]]:
    """Yield one complete mask of each orbit, block by block, always in the same order.

    Args:
        shape: Hidden units; at most 7 in layer 2 (16,000 masks/s there).
        nnz: Weights, output layer included.
        size: Masks in a block; the last may have fewer.

    Raises:
        ValueError: The shape is invalid or too large.
    """
    shape = checked(shape)
    if shape[1] > LARGEST:
        raise ValueError(
            f"expected at most {LARGEST} units in layer 2, got {shape[1]}; masks of "
            "larger shapes can be counted but not enumerated"
        )
    every = range(weight_count(shape) + 1)
    return _blocks(shape, every if nnz is None else nnz, size)


def _blocks(shape: Shape, nnz: range, size: int) -> Iterator[Bool[np.ndarray, "N W"]]:
    """Yield blocks of masks."""
    from spiral.search import kernel  # imported late: Numba loads slowly

    d1, d2, d3 = shape
    units = _units(d2)
    block, filled = np.empty((size, weight_count(shape)), bool), 0
    for rows in _third_layers(d2, d3):
        bits = _bits(rows, d2)
        rest = np.append(bits, np.ones(d3, bool))
        limits = (nnz.start - rest.sum(), nnz.stop - 1 - rest.sum())
        # Found once per W3: only these orders need to be tried on its masks
        orders, walk = _orders(rows, d2), _start(d1)
        while walk.place[0] >= 0:
            filled = kernel.fill(block, filled, walk, units, orders, limits, rest)
            if filled == size:
                yield block
                block, filled = np.empty_like(block), 0
    if filled:
        yield block[:filled]


def _start(d1: int) -> Walk:
    """Return the walk before its first step."""
    place, *units = (np.zeros(n, np.int64) for n in (1, d1, d1, d1 + 1, d1))
    walk = Walk(place, *units)
    walk.units[0] = -1
    return walk


@cache
def _units(d2: int) -> Units:
    """Return the units of layer 1: each has some inputs and some outgoing weights."""
    inputs, column = np.meshgrid(np.arange(1, 4), np.arange(1, 1 << d2), indexing="ij")
    codes = (inputs << d2 | column).ravel()
    weights = np.bitwise_count(codes).astype(np.int64)
    lightest = np.minimum.accumulate(weights[::-1])[::-1].copy()
    return Units(codes, weights, lightest, d2 + 2, (4 << d2) - 1)


def _third_layers(d2: int, d3: int) -> Iterator[Int[np.ndarray, " d3"]]:
    """Yield the multisets of rows of W3 with column sums that ascend from 1.

    Every orbit has such a mask, as layer 2 can be sorted by outgoing weights.
    """
    for rows in combinations_with_replacement(range(1, 1 << d2), d3):
        found = np.array(rows)
        degrees = _bits(found, d2).sum(axis=0)
        if degrees[0] > 0 and (np.diff(degrees) >= 0).all():
            yield found


def _orders(rows: Int[np.ndarray, " d3"], d2: int) -> Orders:
    """Return the orders of layer 2 that keep the column sums of W3 ascending.

    Others cannot make a mask smaller. For each, the first unit whose column of W3
    differs decides the comparison there, whatever W2 is, so only its sign is kept.
    """
    orders, columns = _reordered(d2)
    degrees = _bits(rows, d2).sum(axis=0)
    live = (degrees[orders] == degrees).all(axis=1)
    codes = np.arange(4)[:, None] << d2 | columns[live, None]
    third = _bits(np.sort(columns[live][:, rows], axis=1), d2).astype(np.int8)
    difference = third - third[0]
    first = (difference != 0).argmax(axis=1, keepdims=True)
    return Orders(
        codes.reshape(len(codes), -1),
        np.take_along_axis(difference, first, axis=1)[:, 0],
    )


@cache
def _reordered(
    d2: int,
) -> tuple[Int[np.ndarray, "orders d2"], Int[np.ndarray, "orders codes"]]:
    """Return all orders of layer 2, and every row of W3 in each of them."""
    orders = np.array([*permutations(range(d2))])
    bits = _bits(np.arange(1 << d2), d2)
    columns = np.zeros((len(orders), 1 << d2), np.int64)
    for unit in orders.T:
        columns = columns << 1 | bits[:, unit].T
    return orders, columns


def _bits(codes: Int[np.ndarray, "..."], d2: int) -> Bool[np.ndarray, "... d2"]:
    """Return the last d2 binary digits, the highest first."""
    digits: Bool[np.ndarray, "... d2"] = (
        codes[..., None] >> np.arange(d2)[::-1] & 1
    ).astype(bool)
    return digits
