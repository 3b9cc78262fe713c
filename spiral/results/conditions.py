"""Conditions on columns: ``keep < 3*width + 2*width**2 and schedule != 'step'``.

Used by ``where`` in grids and by ``view --select``.

Python parses them but never evaluates them: only the operators below exist, and they
act on whole columns.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from spiral import spelling

MAX_LENGTH = 2000

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: np.isin,
    ast.NotIn: lambda a, b: ~np.isin(a, b),
}


class WhereError(ValueError):
    """A condition cannot be understood or evaluated."""


def names(text: str) -> set[str]:
    """Return the names that a condition uses.

    Raises:
        WhereError: It is not an expression.
    """
    return {n.id for n in ast.walk(_parse(text)) if isinstance(n, ast.Name)}


def evaluate(text: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return for each row whether the condition holds.

    Args:
        text: The condition.
        columns: The names it may use.

    Raises:
        WhereError: It uses anything but names, numbers, text, comparisons, arithmetic,
            ``and``, ``or``, ``not`` and ``in [...]``; or does not yield true or false.
    """
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(_value(_parse(text).body, columns))
    except RecursionError:
        raise WhereError("nested too deeply for a condition") from None
    except OverflowError:
        raise WhereError("a number is too large") from None
    if result.dtype != bool:
        raise WhereError(f"{text!r} is not true or false; compare it with a value")
    return result


def _parse(text: str) -> ast.Expression:
    if len(text) > MAX_LENGTH:
        raise WhereError(f"longer than {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings(action="ignore"):  # about escapes in text
            return ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise WhereError(f"cannot read {_short(text)!r} as a condition") from None


def _short(text: str) -> str:
    """Return text, shortened for a message."""
    return text if len(text) <= 80 else f"{text[:77]}..."


def _value(  # noqa: PLR0911 - one return per kind of node
    node: ast.expr, columns: Mapping[str, np.ndarray]
) -> Any:
    """Evaluate one node of the allowed grammar."""
    match node:
        case ast.Name(id=name):
            if name not in columns:
                hint = spelling.suggest(name, columns, spelling.KEYS)
                raise WhereError(f"unknown name {name!r}; {hint}")
            return columns[name]
        case ast.Constant(value=bool() | str() as value):
            return np.asarray(value)
        case ast.Constant(value=int() | float() as value):
            return _finite(np.float64(value), node)  # columns are exact below 2**53
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            both = _number(left, columns), _number(right, columns)
            return _finite(BINARY[type(op)](*both), node)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand, columns)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ~_truth(operand, columns)
        case ast.BoolOp(op=op, values=parts):
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return join.reduce(
                np.broadcast_arrays(*[_truth(part, columns) for part in parts])
            )
        case ast.Compare(left=left, ops=ops, comparators=others):
            return _chain(left, ops, others, columns)
    raise WhereError(f"{ast.unparse(node)!r} is not allowed in a condition")


def _finite(value: Any, node: ast.expr) -> Any:
    """Return a value; raise WhereError if it is one number, and not a finite one."""
    if np.ndim(value) == 0 and not np.isfinite(value):
        raise WhereError(f"{_short(ast.unparse(node))!r} is not a finite number")
    return value


def _number(node: ast.expr, columns: Mapping[str, np.ndarray]) -> Any:
    """Evaluate a node that must be a number."""
    value = np.asarray(_value(node, columns))
    if value.dtype.kind != "f":
        what = "text" if value.dtype.kind == "U" else "true or false"
        raise WhereError(f"{ast.unparse(node)!r} is {what}, not a number")
    return value


def _members(node: ast.expr) -> np.ndarray:
    """Evaluate the list to the right of ``in``: plain values of one kind."""
    if not isinstance(node, ast.List | ast.Tuple):
        raise WhereError(f"`in` needs a list of values, not {ast.unparse(node)!r}")
    values = [np.asarray(_value(part, {})) for part in node.elts]
    if any(value.ndim for value in values):
        raise WhereError("expected plain values in a list")
    for value in values[1:]:
        _check_alike(values[0], value)
    return np.array(values) if values else np.array([], np.float64)


def _check_alike(a: np.ndarray, b: np.ndarray) -> None:
    """Raise WhereError if one is text and the other is not."""
    if (a.dtype.kind == "U") != (b.dtype.kind == "U"):
        raise WhereError("cannot compare text with numbers")


def _truth(node: ast.expr, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Evaluate a node that must be true or false."""
    value = np.asarray(_value(node, columns))
    if value.dtype != bool:
        raise WhereError(f"{ast.unparse(node)!r} is not true or false")
    return value


def _chain(
    left: ast.expr,
    ops: list[ast.cmpop],
    others: list[ast.expr],
    columns: Mapping[str, np.ndarray],
) -> Any:
    """Evaluate ``a < b <= c`` as Python does: each neighbouring pair must hold."""
    result: Any = np.True_
    for a, op, b in zip((left, *others), ops, others, strict=False):
        if type(op) not in COMPARE:
            raise WhereError("`is` is not allowed in a condition; use == or !=")
        listed = isinstance(op, ast.In | ast.NotIn)
        first = np.asarray(_value(a, columns))
        second = _members(b) if listed else np.asarray(_value(b, columns))
        if second.size:
            _check_alike(first, second)
        result = result & np.asarray(COMPARE[type(op)](first, second), bool)
    return result
