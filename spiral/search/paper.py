"""The masks that *Sparsest Models Elude Pruning* trains in its second search phase.

A matrix is a tuple of rows (output units), top first; a row is a number whose highest
binary digit is the first column (input), so that equal numbers are equal rows.
"""

from collections.abc import Iterator
from itertools import islice, product
from math import comb
from typing import Annotated

from pydantic import Field

from spiral.protocol.config import Options

MOST = 1_000_000
"""No block may have more masks, nor a matrix (its zero columns not yet excluded)."""

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
        None, ge=1, description="so many second matrices of each number of weights"
    )


def texts(wanted: PaperMasks) -> list[str]:
    """Return masks in the format of option ``matrices`` of method ``mask``.

    Raises:
        ValueError: There are too many.

    Source: Zhang & Papyan, ICML 2024: each matrix up to the order of its rows. (The
    same network may still come several times, as masks of renamed hidden units.)
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
        raise ValueError(f"{total:,} masks, over {MOST:,}; lower `below` or `first`")
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
        first: How many of each number of weights; all by default.

    Raises:
        ValueError: The matrix has too many.
    """
    if comb(2**columns + rows - 2, rows) > MOST:  # sets of rows that are not zero
        raise ValueError(f"a {rows}x{columns} matrix has over {MOST:,} masks")
    return {
        nnz: [
            ",".join(f"{row:0{columns}b}" for row in mask)
            for mask in islice(matrices(rows, columns, nnz), first)
        ]
        for nnz in range(max(rows, columns), rows * columns + 1)
    }


def matrices(rows: int, columns: int, nnz: int) -> Iterator[tuple[int, ...]]:
    """Yield the masks of one matrix with so many weights, in the paper's order.

    No row and no column is zero; of masks that differ in the order of their rows only
    one is listed.
    """
    for shares in budgets(nnz, rows, columns):
        for mask in fillings(shares, columns):
            used = 0
            for row in mask:
                used |= row
            if used == 2**columns - 1:
                yield mask


def budgets(nnz: int, rows: int, most: int) -> Iterator[tuple[int, ...]]:
    """Yield the non-increasing ways to share weights among rows, smallest first."""
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
