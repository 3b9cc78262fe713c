"""Masks as plain tuples of rows, listed and renumbered in the slowest way."""

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np

Matrix = tuple[tuple[int, ...], ...]
Mask = tuple[Matrix, Matrix, Matrix]
Shape = tuple[int, int, int]


def complete_matrices(rows: int, columns: int) -> list[Matrix]:
    """All 0/1 matrices without zero rows or columns."""
    choices = product(product((0, 1), repeat=columns), repeat=rows)
    return [
        m for m in choices if all(map(any, m)) and all(map(any, zip(*m, strict=True)))
    ]


def complete_masks(shape: Shape) -> Iterator[Mask]:
    """All masks W1, W2, W3; the output layer is dense."""
    d1, d2, d3 = shape
    sizes = [(d1, 2), (d2, d1), (d3, d2)]
    return product(*(complete_matrices(*size) for size in sizes))


def renumbered(mask: Mask) -> Iterator[Mask]:
    """The mask under every renumbering of its hidden units."""
    w1, w2, w3 = mask
    ranges = (range(len(part)) for part in mask)
    for first, second, third in product(*map(permutations, ranges)):
        yield (
            tuple(w1[i] for i in first),
            tuple(tuple(w2[j][i] for i in first) for j in second),
            tuple(tuple(w3[k][j] for j in second) for k in third),
        )


def flat(mask: Mask) -> np.ndarray:
    """The mask as the package lays it out, with its dense output layer."""
    entries = [entry for part in mask for row in part for entry in row]
    return np.array(entries + [1] * len(mask[2]), bool)


def unflat(row: np.ndarray, shape: Shape) -> Mask:
    """Undo ``flat``."""
    left, parts, inputs = [int(entry) for entry in row], [], 2
    for units in shape:
        parts.append(tuple(tuple(left[i * inputs :][:inputs]) for i in range(units)))
        left, inputs = left[units * inputs :], units
    assert left == [1] * shape[2]
    return tuple(parts)
