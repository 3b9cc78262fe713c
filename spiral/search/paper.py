"""The masks of the second search phase of *Sparsest Models Elude Pruning*.

A matrix is a tuple of rows (output units), top first; a row is an integer whose highest
binary digit is the first column (input).
"""

from collections.abc import Iterator
from itertools import islice, product
from math import comb
from typing import Annotated

from pydantic import Field

from spiral.protocol.config import Options

MOST = 1_000_000
"""Maximum masks of a block, and of a matrix before zero columns are excluded."""

Size = Annotated[int, Field(ge=1, le=16)]


class PaperMasks(Options):
    """Arguments of ``paper_masks``: all masks of one block, the output layer dense."""

    shape: list[Size] = Field(
        min_length=3, max_length=3, description="units of the three hidden layers"
    )
    below: int | None = Field(
        None, ge=1, description="only masks with fewer weights in the first 3 matrices"
    )
    first: int | None = Field(
        None,
        ge=1,
        description="use only this many second matrices of each number of weights",
    )


def texts(wanted: PaperMasks) -> list[str]:
    """Return masks in the format of option ``matrices`` of method ``mask``.

    Raises:
        ValueError: There are too many masks.

    Source: Zhang & Papyan, ICML 2024: each matrix up to the order of its rows. (A
    network may still occur several times, with its hidden units renumbered.)
    """
    d1, d2, d3 = wanted.shape
    parts = (
        by_weights(d1, 2),
        by_weights(d2, d1, wanted.first),
        by_weights(d3, d2),
    )
    chosen = [
        [masks for _, masks in triple]
        for triple in product(*(part.items() for part in parts))
        if wanted.below is None or sum(nnz for nnz, _ in triple) < wanted.below
    ]
    total = sum(len(a) * len(b) * len(c) for a, b, c in chosen)
    if total > MOST:
        raise ValueError(
            f"expected at most {MOST:,} masks, got {total:,}; lower `below` or `first`"
        )
    output = "1" * d3
    return [
        f"{a}/{b}/{c}/{output}" for triple in chosen for a, b, c in product(*triple)
    ]


def by_weights(
    rows: int, columns: int, first: int | None = None
) -> dict[int, list[str]]:
    """Return the masks of a matrix for each number of weights, rows joined by ','.

    Args:
        rows: Output units.
        columns: Input units.
        first: Masks of each number of weights; all by default.

    Raises:
        ValueError: The matrix has too many masks.
    """
    if comb(2**columns + rows - 2, rows) > MOST:  # multisets of nonzero rows
        raise ValueError(
            f"expected at most {MOST:,} masks of a matrix, got more for "
            f"{rows}x{columns}; give a smaller shape"
        )
    return {
        nnz: [
            ",".join(f"{row:0{columns}b}" for row in mask)
            for mask in islice(matrices(rows, columns, nnz), first)
        ]
        for nnz in range(max(rows, columns), rows * columns + 1)
    }


def matrices(rows: int, columns: int, nnz: int) -> Iterator[tuple[int, ...]]:
    """Yield the masks of one matrix with ``nnz`` weights, in the paper's order.

    No row or column is zero; of masks that differ only in the order of their rows one
    is listed. The order matters, because ``first`` takes the beginning of the list.
    """
    for shares in budgets(nnz, rows, columns):
        for mask in fillings(shares, columns):
            used = 0
            for row in mask:
                used |= row
            if used == 2**columns - 1:
                yield mask


def budgets(nnz: int, rows: int, most: int) -> Iterator[tuple[int, ...]]:
    """Yield the non-increasing ways to divide weights among rows, smallest first."""
    if rows == 1:
        if 1 <= nnz <= most:
            yield (nnz,)
        return
    for first in range(-(-nnz // rows), min(most, nnz - rows + 1) + 1):
        for rest in budgets(nnz - first, rows - 1, first):
            yield (first, *rest)


def fillings(shares: tuple[int, ...], columns: int) -> Iterator[tuple[int, ...]]:
    """Yield the matrices with these row sums; the top row varies fastest.

    Of rows with equal sums the upper is not the smaller number.
    """
    if not shares:
        yield ()
        return
    share, *lower = shares
    tops = [n for n in range(2**columns - 1, 0, -1) if n.bit_count() == share]
    for rest in fillings(tuple(lower), columns):
        least = rest[0] if lower and lower[0] == share else 0
        for top in tops:
            if top >= least:
                yield (top, *rest)
