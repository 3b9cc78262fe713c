"""Explicit vectors inside Numba: a type that *is* an LLVM ``<n x float>``.

LLVM does not keep 128 accumulators in registers for plain loops, but it does for a
vector type (3-3-3 blocks on 2 cores: 493 networks/s against 218 with loops). Operations
are Numba intrinsics; lane counts follow from the operands' types. Loads and stores are
not checked against array bounds: ``lists`` builds valid indices only.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

from spiral.engines.sparse import llvm
from spiral.engines.sparse.llvm import FLOAT, I32, I64, Builder, Value

LOG2_E = 1.4426950408889634

LOG1P = (
    *(0.0052534578, -0.0295885074, 0.078361668, -0.136747697, 0.191114311),
    *(-0.248443699, 0.333192713, -0.499995015, 0.999999971),
)
"""log(1 + t)/t on 0 <= t <= 1 by a polynomial (error 1.2e-7), highest power first."""


class Lanes(types.Type):
    """A vector of ``n`` float32 lanes."""

    def __init__(self, n: int):
        self.n = n
        super().__init__(name=f"f32x{n}")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes):
        super().__init__(manager, kind, ir.VectorType(FLOAT, kind.n))


L16, L64, L128 = Lanes(16), Lanes(64), Lanes(128)


# ---- memory


def _load_intrinsic(kind: Lanes) -> Callable[..., Any]:
    """Return ``load(array, i)``: the lanes from element i on."""

    @intrinsic
    def load(_: Any, array: Any, index: Any) -> Any:
        def generate(
            context: Any, builder: Builder, signature: Any, args: Any
        ) -> Value:
            data = llvm.address(context, builder, array, args[0])
            place = context.cast(builder, args[1], index, types.int64)
            return llvm.load(builder, data, place, kind.n)

        return kind(array, index), generate

    return load


def _splat_intrinsic(kind: Lanes) -> Callable[..., Any]:
    """Return ``splat(x)``: the same number in every lane."""

    @intrinsic
    def splat(_: Any, x: Any) -> Any:
        def generate(
            context: Any, builder: Builder, signature: Any, args: Any
        ) -> Value:
            number = context.cast(builder, args[0], x, types.float32)
            vector = ir.VectorType(FLOAT, kind.n)
            empty = ir.Constant(vector, ir.Undefined)
            single = builder.insert_element(empty, number, I32(0))
            return llvm.shuffle(builder, single, empty, [0] * kind.n)

        return kind(x), generate

    return splat


load16, load64, load128 = (_load_intrinsic(kind) for kind in (L16, L64, L128))
splat16, splat64, splat128 = (_splat_intrinsic(kind) for kind in (L16, L64, L128))


@intrinsic
def store(_: Any, array: Any, index: Any, x: Any) -> Any:
    """Write the lanes of x from element ``index`` on."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        data = llvm.address(context, builder, array, args[0])
        place = context.cast(builder, args[1], index, types.int64)
        pointer = ir.VectorType(FLOAT, x.n).as_pointer()
        written = builder.store(
            args[2], builder.bitcast(builder.gep(data, [place]), pointer)
        )
        written.align = 4
        return context.get_dummy_value()

    return types.void(array, index, x), generate


@intrinsic
def read(_: Any, array: Any, index: Any) -> Any:
    """Return one element, without bounds check or negative indices."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        data = llvm.address(context, builder, array, args[0])
        place = context.cast(builder, args[1], index, types.int64)
        return builder.load(builder.gep(data, [place]))

    return array.dtype(array, index), generate


@intrinsic
def take(_: Any, counter: Any) -> Any:
    """Return counter[0] and raise it by one, atomically."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        data = llvm.address(context, builder, counter, args[0])
        # monotonic: only the count is shared; threads exchange no other data
        return builder.atomic_rmw("add", data, I64(1), "monotonic")

    return types.int64(counter), generate


# ---- arithmetic


@intrinsic
def fma(_: Any, x: Any, y: Any, z: Any) -> Any:
    """x·y + z, rounded once."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        return llvm.call(builder, "llvm.fma", *args)

    return x(x, y, z), generate


@intrinsic
def add(_: Any, x: Any, y: Any) -> Any:
    """x + y."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        return builder.fadd(*args)

    return x(x, y), generate


@intrinsic
def mul(_: Any, x: Any, y: Any) -> Any:
    """x·y."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        return builder.fmul(*args)

    return x(x, y), generate


@intrinsic
def sub(_: Any, x: Any, y: Any) -> Any:
    """x - y."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        return builder.fsub(*args)

    return x(x, y), generate


@intrinsic
def relu(_: Any, x: Any) -> Any:
    """0 where x < 0, else x; NaN stays."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        return llvm.select_below(
            builder, "<", args[0], llvm.constant(args[0], 0.0), args[0]
        )

    return x(x), generate


@intrinsic
def gate(_: Any, h: Any, x: Any) -> Any:
    """0 where h <= 0, else x; passes x where h is NaN."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        zero = llvm.constant(args[1], 0.0)
        return llvm.select_below(builder, "<=", args[0], zero, args[1])

    return x(h, x), generate


@intrinsic
def keep(_: Any, mask: Any, x: Any) -> Any:
    """x where mask > 0, else 0, also where x is NaN."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        zero = llvm.constant(args[0], 0.0)
        kept = builder.fcmp_ordered(">", args[0], zero)
        return builder.select(kept, args[1], zero)

    return x(mask, x), generate


@intrinsic
def sigmoid(_: Any, z: Any) -> Any:
    """1 / (1 + exp(-z)), to 2e-7 absolute."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        t = builder.fmul(args[0], llvm.constant(args[0], -LOG2_E))
        one = llvm.constant(t, 1.0)
        return builder.fdiv(one, builder.fadd(one, llvm.exp2(builder, t)))

    return z(z), generate


@intrinsic
def softplus(_: Any, z: Any) -> Any:
    """log(1 + exp(z)), to 3e-7 absolute beside float32's own rounding."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        # max(z, 0) + log(1 + t) with t = exp(-|z|) ≤ 1: no overflow, no cancellation
        size = llvm.call(builder, "llvm.fabs", args[0])
        t = llvm.exp2(builder, builder.fmul(size, llvm.constant(size, -LOG2_E)))
        above = llvm.select_below(
            builder, "<", args[0], llvm.constant(size, 0.0), args[0]
        )
        return llvm.call(
            builder, "llvm.fma", t, llvm.polynomial(builder, t, LOG1P), above
        )

    return z(z), generate


@intrinsic
def positive(_: Any, x: Any) -> Any:
    """1 where x > 0, else 0 (also for NaN)."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        above = builder.fcmp_ordered(">", args[0], llvm.constant(args[0], 0.0))
        return builder.select(
            above, llvm.constant(args[0], 1.0), llvm.constant(args[0], 0.0)
        )

    return x(x), generate
