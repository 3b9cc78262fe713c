"""Shapes d1×d2×d3 of hidden units, and the layout and spelling of their masks.

A mask of a shape is flat, bool [W]: W1 (d1×2), W2 (d2×d1), W3 (d3×d2) and W4 (1×d3),
row by row; rows are output units. It is *complete* if no matrix has a zero row or
column, so that every unit and both inputs are used. The output layer of a complete mask
is dense: a zero there would be a zero column, a unit of layer 3 without effect. A mask
that drops an output weight is therefore a mask of a smaller d3.
"""

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise, product

import numpy as np
from jaxtyping import Bool

from spiral.model import mask_text, masks, mlp

Shape = tuple[int, int, int]
"""Hidden units of the three layers, input side first."""


def checked(shape: Sequence[int]) -> Shape:
    """Return a valid shape.

    Raises:
        ValueError: It is not three positive numbers.
    """
    if len(shape) != 3 or min(shape) < 1:
        raise ValueError(f"expected a shape of three sizes ≥ 1, got {list(shape)}")
    first, second, third = shape
    return first, second, third


def span(text: str) -> range:
    """Parse ``20..22`` (both ends included) or ``20``.

    Raises:
        ValueError: The text has neither form.
    """
    found = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", text.strip())
    if found is None:
        raise ValueError(f"nnz: expected a number or a range like 20..22, got {text!r}")
    low, high = int(found[1]), int(found[2] or found[1])
    if low > high:
        raise ValueError(f"nnz: expected low..high, got the empty range {text!r}")
    return range(low, high + 1)


def dashed(shape: Shape) -> str:
    """Return a shape as a string like 3-2-2."""
    return "-".join(map(str, shape))


def outline(text: str) -> Shape:
    """Return the shape of a mask string without parsing its digits."""
    rows = [part.count(",") + 1 for part in text.split("/")]
    first, second, third = [*rows, 1, 1][:3]  # shorter strings are invalid masks
    return first, second, third


def sizes(shape: Shape) -> list[tuple[int, int]]:
    """Return the rows and columns of the four matrices."""
    ends = (mlp.INPUTS, *shape, 1)
    return [(outputs, inputs) for inputs, outputs in pairwise(ends)]


def weight_count(shape: Shape) -> int:
    """Return W, the weights of the dense block."""
    return sum(rows * columns for rows, columns in sizes(shape))


def fewest(shape: Shape) -> int:
    """Return the weights of the sparsest complete mask of a shape."""
    return sum(max(size) for size in sizes(shape))


def every(weights: int) -> list[Shape]:
    """Return all shapes with a complete mask of at most ``weights`` weights, sorted.

    Finitely many, as each unit has an incoming and an outgoing weight.
    """
    up_to = range(1, weights + 1)
    return [shape for shape in product(up_to, up_to, up_to) if fewest(shape) <= weights]


def matrices(flat: np.ndarray, shape: Shape) -> list[np.ndarray]:
    """Split flat masks or weights [..., W] into four matrices [..., out, in]."""
    stops = list(accumulate(rows * columns for rows, columns in sizes(shape)))
    parts = np.split(flat, stops[:-1], axis=-1)
    return [
        part.reshape(*flat.shape[:-1], *size)
        for part, size in zip(parts, sizes(shape), strict=True)
    ]


def spell(flat: Bool[np.ndarray, "N W"], shape: Shape) -> list[str]:
    """Return masks as strings for option ``matrices`` of method ``mask``."""
    blank = "/".join(",".join(["0" * c] * r) for r, c in sizes(shape))
    letters = np.frombuffer(blank.encode(), np.uint8)
    texts = np.tile(letters, (len(flat), 1))
    texts[:, letters == ord("0")] += flat
    return texts.view(f"S{letters.size}")[:, 0].astype(str).tolist()


def read(text: str) -> tuple[Shape, Bool[np.ndarray, " W"]]:
    """Parse a string written by :func:`spell`.

    Raises:
        ValueError: The string is not a mask.
    """
    shape = outline(text)
    kept = mask_text.parse(text, max(shape))
    block = masks.block(max(shape), np.array([shape]))
    return shape, kept[block[0]]
