"""Pieces of LLVM code on vectors of floats, of which ``vectors`` makes operations."""

from typing import Any

from llvmlite import ir

FLOAT, I32, I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)

EXP2 = (1.5403530e-4, 1.3333558e-3, 9.6181291e-3, 5.5504109e-2, 2.4022651e-1)
"""2^f on |f| <= 1/2 by a polynomial (then ln 2 and 1), highest power first."""

Builder = Any
Value = Any


def constant(like: Value, x: float) -> Value:
    """Return a vector of equal lanes, shaped like another."""
    return ir.Constant(like.type, [ir.Constant(FLOAT, x)] * like.type.count)


def address(context: Any, builder: Builder, array: Any, value: Value) -> Value:
    """Return the pointer to an array's first element."""
    return context.make_array(array)(context, builder, value).data


def call(builder: Builder, name: str, *args: Value) -> Value:
    """Call an LLVM intrinsic on vectors."""
    kind = args[0].type
    full = f"{name}.v{kind.count}f32"
    function = builder.module.globals.get(full) or ir.Function(
        builder.module, ir.FunctionType(kind, [kind] * len(args)), full
    )
    return builder.call(function, args)


def load(builder: Builder, data: Value, index: Value, lanes: int) -> Value:
    """Load lanes from an element of an array on."""
    pointer = ir.VectorType(FLOAT, lanes).as_pointer()
    loaded = builder.load(builder.bitcast(builder.gep(data, [index]), pointer))
    loaded.align = 4  # of a float: rows of a network need not start at a cache line
    return loaded


def shuffle(builder: Builder, x: Value, y: Value, order: list[int]) -> Value:
    """Return some lanes of two vectors; those of ``y`` are numbered after ``x``'s."""
    lanes = ir.Constant(ir.VectorType(I32, len(order)), order)
    return builder.shuffle_vector(x, y, lanes)


def parts(builder: Builder, x: Value) -> list[Value]:
    """Split a vector into runs of 16 lanes."""
    starts = range(0, x.type.count, 16)
    return [shuffle(builder, x, x, list(range(s, s + 16))) for s in starts]


def select_below(
    builder: Builder, op: str, x: Value, then: Value, other: Value
) -> Value:
    """Return ``then`` where x op 0, else ``other``; NaN is never below."""
    below = builder.fcmp_ordered(op, x, constant(x, 0.0))
    return builder.select(below, then, other)


def polynomial(builder: Builder, x: Value, factors: tuple[float, ...]) -> Value:
    """Evaluate a polynomial, highest power first."""
    total = constant(x, factors[0])
    for factor in factors[1:]:
        total = call(builder, "llvm.fma", total, x, constant(x, factor))
    return total


def exp2(builder: Builder, t: Value) -> Value:
    """Return 2^t for |t| <= 126 (clamped; NaN passes)."""
    # The clamp compares instead of llvm.minnum, which would replace NaN by the bound
    for op, bound in (("<", -126.0), (">", 126.0)):
        limit = constant(t, bound)
        t = builder.select(builder.fcmp_ordered(op, t, limit), limit, t)
    # 2^t = 2^fraction · 2^whole: a polynomial, and the whole part in the exponent bits
    whole = call(builder, "llvm.rint", t)
    fraction = builder.fsub(t, whole)
    power = polynomial(builder, fraction, (*EXP2, 6.9314718e-1, 1.0))
    integers = ir.VectorType(I32, t.type.count)
    bits = builder.add(builder.fptosi(whole, integers), integers([127] * t.type.count))
    scale = builder.shl(bits, integers([23] * t.type.count))
    return builder.fmul(power, builder.bitcast(scale, t.type))
