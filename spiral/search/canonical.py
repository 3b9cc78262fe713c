"""A canonical numbering of hidden units: equal for masks that differ by renumbering.

Units of layer 3 are sorted by their output weight and their row of W3, units of layer 1
by their inputs and their column of W2 (a missing weight sorts before a kept one), so
everything follows from the order of layer 2. Its units are sorted by their number of
outgoing weights; of the orders that remain, the canonical one gives the smallest mask,
compared unit by unit: the unit's column of W3, then its row of W2.

The outgoing weights come first because ``enumerate`` then knows from W3 alone which
orders of layer 2 are left to try.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from spiral.model import masks, mlp
from spiral.search import order
from spiral.search.shape import Shape, matrices


class Numbering(NamedTuple):
    """The unit of one mask that each unit of another mask is, layer by layer."""

    first: Int[np.ndarray, "N d1"]
    second: Int[np.ndarray, "N d2"]
    third: Int[np.ndarray, "N d3"]

    def inverse(self) -> "Numbering":
        """Return the inverse numbering."""
        return Numbering(*(units.argsort(axis=1) for units in self))


class Core(NamedTuple):
    """A network without everything that is not on a path from input to output."""

    shape: Shape
    mask: Bool[np.ndarray, " W"]
    units: tuple[Int[np.ndarray, " d1"], Int[np.ndarray, " d2"], Int[np.ndarray, " d3"]]
    """The units of the network that remain."""


def canonical(
    flat: Bool[np.ndarray, "N W"], shape: Shape
) -> tuple[Bool[np.ndarray, "N W"], Numbering]:
    """Return masks in canonical numbering, and the numbering.

    Two masks have the same result if and only if they differ by renumbering; for
    complete masks it is the one that ``enumerate.orbits`` yields.

    Args:
        flat: Any masks of the shape, complete or not.
        shape: Hidden units; any size.

    Returns:
        The masks, and the numbering for which ``relabel(flat, shape, numbering)``
        equals
        them: unit i of layer 1 was unit ``numbering.first[n, i]`` of mask n. Renumber
        weights by ``relabel`` and biases by ``bias[numbering.first[n]]``.
    """
    found = [_number(*parts) for parts in zip(*matrices(flat, shape), strict=True)]
    numbering = Numbering(
        *(
            np.array([units[layer] for units in found], np.int64).reshape(
                len(flat), size
            )
            for layer, size in enumerate(shape)
        )
    )
    return relabel(flat, shape, numbering), numbering


def relabel(flat: np.ndarray, shape: Shape, numbering: Numbering) -> np.ndarray:
    """Return masks or weights [N, W] with their hidden units renumbered."""
    each = np.arange(len(flat))[:, None, None]
    ends = [
        np.broadcast_to(np.arange(size), (len(flat), size)) for size in (mlp.INPUTS, 1)
    ]
    chain = [ends[0], *numbering, ends[1]]
    parts = [
        part[each, after[:, :, None], before[:, None, :]].reshape(len(flat), -1)
        for part, before, after in zip(
            matrices(flat, shape), chain[:-1], chain[1:], strict=True
        )
    ]
    return np.concatenate(parts, axis=1)


def core(mask: Bool[np.ndarray, " P"], width: int) -> Core:
    """Return the part of a network that lies on a path from input to output.

    Constant units (a bias and outgoing weights only) are not on a path and are left
    out, though they shift the units after them. The core is complete, so its canonical
    mask is one of ``enumerate.orbits(shape)``, unless an input is unused (a zero column
    of W1): no enumeration contains those. A collapsed network has the shape (0, 0, 0).

    Args:
        mask: Mask of weights and biases; biases are ignored.
        width: Hidden width of the network.
    """
    useful = masks.on_path(mask[None], width)[0]
    parts = [
        useful[layer.columns].reshape(layer.outputs, layer.inputs)
        for layer in mlp.layers(width)
    ]
    first, second, third = (np.flatnonzero(p.any(axis=1)) for p in parts[:-1])
    ends = [np.arange(mlp.INPUTS), first, second, third, np.arange(1)]
    small = [
        part[np.ix_(after, before)].ravel()
        for part, before, after in zip(parts, ends[:-1], ends[1:], strict=True)
    ]
    shape = (len(first), len(second), len(third))
    return Core(shape, np.concatenate(small), (first, second, third))


def _number(
    w1: np.ndarray, w2: np.ndarray, w3: np.ndarray, w4: np.ndarray
) -> tuple[list[int], list[int], list[int]]:
    """Return the canonical order of the units of one mask."""
    third = len(w3)
    # Bit sets: layer 3 in the low bits, layer 1 above, as ``order`` expects them
    links = [order.bits(row) for row in np.concatenate([w3, w2.T]).T]
    # What distinguishes units before layer 2 is numbered: output weight, inputs
    kinds = np.array([*w4[0], *(2 + 2 * w1[:, 0] + w1[:, 1])])
    groups = [order.bits(kinds == kind) for kind in np.unique(kinds)]
    second = order.smallest(links, (1 << third) - 1, groups)
    for unit in second:
        groups = order.split(groups, links[unit])
    others = [unit for group in groups for unit in order.members(group)]
    return (
        [unit - third for unit in others if unit >= third],
        [*second],
        [unit for unit in others if unit < third],
    )
