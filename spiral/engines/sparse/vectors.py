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

FLOAT, I32, I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)

LOG2_E = 1.4426950408889634
EXP2 = (1.5403530e-4, 1.3333558e-3, 9.6181291e-3, 5.5504109e-2, 2.4022651e-1)
"""2^f on |f| <= 1/2 by a polynomial (then ln 2 and 1), highest power first."""

LOG1P = (
    *(0.0052534578, -0.0295885074, 0.078361668, -0.136747697, 0.191114311),
    *(-0.248443699, 0.333192713, -0.499995015, 0.999999971),
)
"""log(1 + t)/t on 0 <= t <= 1 by a polynomial (error 1.2e-7), highest power first."""

Builder = Any
Value = Any


class Lanes(types.Type):
    """A vector of ``n`` float32 lanes."""

    def __init__(self, n: int):
        self.n = n
        super().__init__(name=f"f32x{n}")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes):
        super().__init__(manager, kind, ir.VectorType(FLOAT, kind.n))


L16, L128 = Lanes(16), Lanes(128)


# ---- building blocks of LLVM code


def _constant(like: Value, x: float) -> Value:
    """Return a vector of equal lanes, shaped like another."""
    return ir.Constant(like.type, [ir.Constant(FLOAT, x)] * like.type.count)


def _address(context: Any, builder: Builder, array: Any, value: Value) -> Value:
    """Return the pointer to an array's first element."""
    return context.make_array(array)(context, builder, value).data


def _call(builder: Builder, name: str, *args: Value) -> Value:
    """Call an LLVM intrinsic on vectors."""
    kind = args[0].type
    full = f"{name}.v{kind.count}f32"
    function = builder.module.globals.get(full) or ir.Function(
        builder.module, ir.FunctionType(kind, [kind] * len(args)), full
    )
    return builder.call(function, args)


def _load(builder: Builder, data: Value, index: Value, lanes: int) -> Value:
    pointer = ir.VectorType(FLOAT, lanes).as_pointer()
    loaded = builder.load(builder.bitcast(builder.gep(data, [index]), pointer))
    loaded.align = 4  # of a float: rows of a network need not start at a cache line
    return loaded


def _shuffle(builder: Builder, x: Value, y: Value, order: list[int]) -> Value:
    lanes = ir.Constant(ir.VectorType(I32, len(order)), order)
    return builder.shuffle_vector(x, y, lanes)


def _parts(builder: Builder, x: Value) -> list[Value]:
    """Split a vector into runs of 16 lanes."""
    starts = range(0, x.type.count, 16)
    return [_shuffle(builder, x, x, list(range(s, s + 16))) for s in starts]


def _select_below(
    builder: Builder, op: str, x: Value, then: Value, other: Value
) -> Value:
    """Return ``then`` where x op 0, else ``other``; NaN is never below."""
    below = builder.fcmp_ordered(op, x, _constant(x, 0.0))
    return builder.select(below, then, other)


def _polynomial(builder: Builder, x: Value, factors: tuple[float, ...]) -> Value:
    """Evaluate a polynomial, highest power first."""
    total = _constant(x, factors[0])
    for factor in factors[1:]:
        total = _call(builder, "llvm.fma", total, x, _constant(x, factor))
    return total


def _exp2(builder: Builder, t: Value) -> Value:
    """2^t for |t| <= 126 (clamped; NaN passes): polynomial and exponent bits."""
    # The clamp compares instead of llvm.minnum, which would replace NaN by the bound
    for op, bound in (("<", -126.0), (">", 126.0)):
        limit = _constant(t, bound)
        t = builder.select(builder.fcmp_ordered(op, t, limit), limit, t)
    # 2^t = 2^fraction · 2^whole: a polynomial, and the whole part in the exponent bits
    whole = _call(builder, "llvm.rint", t)
    fraction = builder.fsub(t, whole)
    power = _polynomial(builder, fraction, (*EXP2, 6.9314718e-1, 1.0))
    integers = ir.VectorType(I32, t.type.count)
    bits = builder.add(builder.fptosi(whole, integers), integers([127] * t.type.count))
    scale = builder.shl(bits, integers([23] * t.type.count))
    return builder.fmul(power, builder.bitcast(scale, t.type))


# ---- memory


def _load_intrinsic(kind: Lanes) -> Callable[..., Any]:
    """Return ``load(array, i)``: the lanes from element i on."""

    @intrinsic
    def load(_: Any, array: Any, index: Any) -> Any:
        def generate(
            context: Any, builder: Builder, signature: Any, args: Any
        ) -> Value:
            data = _address(context, builder, array, args[0])
            place = context.cast(builder, args[1], index, types.int64)
            return _load(builder, data, place, kind.n)

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
            return _shuffle(builder, single, empty, [0] * kind.n)

        return kind(x), generate

    return splat


load16, load128 = _load_intrinsic(L16), _load_intrinsic(L128)
splat16, splat128 = _splat_intrinsic(L16), _splat_intrinsic(L128)


@intrinsic
def store(_: Any, array: Any, index: Any, x: Any) -> Any:
    """Write the lanes of x from element ``index`` on."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        data = _address(context, builder, array, args[0])
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
        data = _address(context, builder, array, args[0])
        place = context.cast(builder, args[1], index, types.int64)
        return builder.load(builder.gep(data, [place]))

    return array.dtype(array, index), generate


@intrinsic
def take(_: Any, counter: Any) -> Any:
    """Return counter[0] and raise it by one, atomically."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        data = _address(context, builder, counter, args[0])
        # monotonic: only the count is shared; threads exchange no other data
        return builder.atomic_rmw("add", data, I64(1), "monotonic")

    return types.int64(counter), generate


# ---- arithmetic


@intrinsic
def fma(_: Any, x: Any, y: Any, z: Any) -> Any:
    """x·y + z, rounded once."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        return _call(builder, "llvm.fma", *args)

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
        return _select_below(builder, "<", args[0], _constant(args[0], 0.0), args[0])

    return x(x), generate


@intrinsic
def gate(_: Any, h: Any, x: Any) -> Any:
    """0 where h <= 0, else x; passes x where h is NaN."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        zero = _constant(args[1], 0.0)
        return _select_below(builder, "<=", args[0], zero, args[1])

    return x(h, x), generate


@intrinsic
def keep(_: Any, mask: Any, x: Any) -> Any:
    """x where mask > 0, else 0, also where x is NaN."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        zero = _constant(args[0], 0.0)
        kept = builder.fcmp_ordered(">", args[0], zero)
        return builder.select(kept, args[1], zero)

    return x(mask, x), generate


@intrinsic
def sigmoid(_: Any, z: Any) -> Any:
    """1 / (1 + exp(-z)), to 2e-7 absolute."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        t = builder.fmul(args[0], _constant(args[0], -LOG2_E))
        one = _constant(t, 1.0)
        return builder.fdiv(one, builder.fadd(one, _exp2(builder, t)))

    return z(z), generate


@intrinsic
def softplus(_: Any, z: Any) -> Any:
    """log(1 + exp(z)), to 3e-7 absolute beside float32's own rounding."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        # max(z, 0) + log(1 + t) with t = exp(-|z|) ≤ 1: no overflow, no cancellation
        size = _call(builder, "llvm.fabs", args[0])
        t = _exp2(builder, builder.fmul(size, _constant(size, -LOG2_E)))
        above = _select_below(builder, "<", args[0], _constant(size, 0.0), args[0])
        return _call(builder, "llvm.fma", t, _polynomial(builder, t, LOG1P), above)

    return z(z), generate


@intrinsic
def positive(_: Any, x: Any) -> Any:
    """1 where x > 0, else 0 (also for NaN)."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        above = builder.fcmp_ordered(">", args[0], _constant(args[0], 0.0))
        return builder.select(above, _constant(args[0], 1.0), _constant(args[0], 0.0))

    return x(x), generate


# ---- from many lanes to few

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
        parts = _parts(builder, args[0])
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [builder.fadd(a, b) for a, b in pairs]
        return parts[0]

    return L16(x), generate


@intrinsic
def dot(_: Any, x: Any, y: Any) -> Any:
    """Add the runs of 16 lanes of x·y, in two chains of fused multiply-adds."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        pairs = list(zip(*(_parts(builder, a) for a in args), strict=True))
        # Two chains hide the latency of a multiply-add, which waits for the one before
        chains = [builder.fmul(a, b) for a, b in pairs[:2]]
        for i, (a, b) in enumerate(pairs[2:]):
            chains[i % 2] = _call(builder, "llvm.fma", a, b, chains[i % 2])
        return builder.fadd(*chains)

    return L16(x, y), generate


@intrinsic
def row_sums(_: Any, array: Any, index: Any) -> Any:
    """Return the sums of 16 rows of 16 lanes, in order: a transpose that adds."""

    def generate(context: Any, builder: Builder, signature: Any, args: Any) -> Value:
        data = _address(context, builder, array, args[0])
        start = context.cast(builder, args[1], index, types.int64)
        rows = [
            _load(builder, data, builder.add(start, I64(16 * k)), 16) for k in range(16)
        ]
        for low, distance in _STAGES:
            high = [lane + distance for lane in low]
            rows = [
                builder.fadd(
                    _shuffle(builder, a, b, low), _shuffle(builder, a, b, high)
                )
                for a, b in zip(rows[::2], rows[1::2], strict=True)
            ]
        return rows[0]

    return L16(array, index), generate
