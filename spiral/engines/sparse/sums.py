"""From many lanes to few: sums of the lanes of vectors, as Numba intrinsics."""

from typing import Any

from numba.core import types
from numba.extending import intrinsic

from spiral.engines.compiled import njit
from spiral.engines.sparse import llvm
from spiral.engines.sparse.llvm import I64, Builder, Value
from spiral.engines.sparse.vectors import L16, store

_RUNS = range(0, 16, 4)
_HALVES = [lane for base in (0, 8, 16, 24) for lane in range(base, base + 4)]
_STAGES = [
    ([lane for b in _RUNS for lane in (b, b + 16, b + 1, b + 17)], 2),
    ([lane for b in _RUNS for lane in (b, b + 1, b + 16, b + 17)], 2),
    (_HALVES, 4),
    (_HALVES, 4),
]
"""Lanes of two rows a, b (b's from 16 on) that a stage adds to those ``distance`` on.
Each stage halves the number of rows; sums move into the order of the rows."""


@intrinsic
def fold(_: Any, x: Any) -> Any:
    """Add the runs of 16 lanes: n lanes to 16."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        parts = llvm.parts(builder, args[0])
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [builder.fadd(a, b) for a, b in pairs]
        return parts[0]

    return L16(x), generate


@intrinsic
def dot(_: Any, x: Any, y: Any) -> Any:
    """Add the runs of 16 lanes of x·y, in two chains of fused multiply-adds."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        pairs = list(zip(*(llvm.parts(builder, a) for a in args), strict=True))
        # Two chains hide the latency of a multiply-add, which waits for the one before
        chains = [builder.fmul(a, b) for a, b in pairs[:2]]
        for i, (a, b) in enumerate(pairs[2:]):
            chains[i % 2] = llvm.call(builder, "llvm.fma", a, b, chains[i % 2])
        return builder.fadd(*chains)

    return L16(x, y), generate


@intrinsic
def row_sums(_: Any, array: Any, index: Any) -> Any:
    """Return the sums of 16 rows of 16 lanes, in order: a transpose that adds."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        data = llvm.address(context, builder, array, args[0])
        start = context.cast(builder, args[1], index, types.int64)
        rows = [
            llvm.load(builder, data, builder.add(start, I64(16 * k)), 16)
            for k in range(16)
        ]
        for low, distance in _STAGES:
            high = [lane + distance for lane in low]
            rows = [
                builder.fadd(
                    llvm.shuffle(builder, a, b, low), llvm.shuffle(builder, a, b, high)
                )
                for a, b in zip(rows[::2], rows[1::2], strict=True)
            ]
        return rows[0]

    return L16(array, index), generate


@njit(error_model="numpy", inline="always")
def add_up(total, x, scratch, sums):
    """Add a vector to a sum in float64, as 16 partial sums in float32.

    float64 for the total, as a float32 sum over an epoch would lose small losses.
    """
    store(scratch, sums, fold(x))
    for i in range(16):
        total += scratch[sums + i]
    return total
