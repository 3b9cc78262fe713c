"""The contract of a method with the experiment, and how a breach is reported."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from spiral import extras
from spiral.errors import MethodError, SpiralError
from spiral.methods.own_file import place
from spiral.model import mlp
from spiral.protocol.job import Change, Plan
from spiral.results import columns

UNRELATED = (SpiralError, MemoryError, OSError)
"""Errors that are not a method's fault; they propagate unchanged."""


@contextmanager
def blamed(
    method: object, doing: str, configs: pd.DataFrame, step: int | None = None
) -> Iterator[None]:
    """Convert errors inside a method to a MethodError that names the rows.

    Args:
        method: The method, or its class.
        doing: What it was asked to do, for the message.
        configs: The pack.
        step: The training step, used to find the row (see ``MethodError``).

    Raises:
        MethodError: The method raised an error or breached its contract.
        MissingPackage: The method needs one that is not installed.
    """
    try:
        yield
    except MethodError as error:
        raise _at(step, f"{error}; {doing} of {pack(configs)}") from None
    except UNRELATED:
        raise
    except (Exception, SystemExit) as error:  # sys.exit(0) in a method is an error, too
        name = configs["method"].iloc[0]
        if isinstance(error, ImportError):
            missing = extras.explained(error, f"method {name}")
            if missing is not None:
                raise missing from None
        kind = method if isinstance(method, type) else type(method)
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        text = f"{type(error).__name__}: {error} ({place(error, file)})"
        if "read-only" in str(error):
            text += "; views are read-only: copy an array before changing it"
        asked = f"{name}: {doing} of {pack(configs)}"
        raise _at(step, f"{asked} raised {text}") from error


def _at(step: int | None, text: str) -> MethodError:
    """Return an error with its step."""
    error = MethodError(text)
    error.step = step
    return error


def pack(configs: pd.DataFrame) -> str:
    """Return a name for the rows of a pack."""
    count = len(configs)
    return row(configs.iloc[0]) + (f" and {count - 1:,} more" if count > 1 else "")


def row(config: pd.Series) -> str:
    """Return a name for one row."""
    named = [f"{name} {config[name]}" for name in ("width", "seed", "keep")]
    name = f"config {config['config_id'][:12]}" if "config_id" in config else "a config"
    return f"{name} ({', '.join(named)})"


def plan(found: Any, method: str) -> Plan:
    """Validate the value that ``Method.plan`` returned.

    Raises:
        MethodError: It is not a plan, its events are not integers that increase within
            0 … steps, or a curve has the wrong length.
    """
    if not isinstance(found, Plan):
        got = type(found).__name__
        raise MethodError(f"{method}: expected plan to return a Plan, got {got}")
    events = list(found.events)
    if not all(isinstance(event, Integral) for event in events):
        raise MethodError(f"{method}: expected integers as events, got {events}")
    steps = found.steps
    if events != sorted(set(events)) or not all(0 <= e <= steps for e in events):
        raise MethodError(
            f"{method}: expected increasing events within 0 … {steps}, got {events}"
        )
    for name, curve in found.curves.items():
        if len(curve) != steps:
            raise MethodError(
                f"{method}: expected {steps} factors in curve {name}, got {len(curve)}"
            )
    return found


def answer(found: Any, method: str) -> tuple[Change, Any]:
    """Validate the value that ``Method.act`` returned.

    Raises:
        MethodError: It is not a pair of a change and a state.
    """
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], Change):
        return found
    if isinstance(found, tuple):
        got = f"({', '.join(type(part).__name__ for part in found)})"
    else:
        got = type(found).__name__
    raise MethodError(f"{method}: expected act to return (Change, state), got {got}")


def check(change: Change, shape: tuple[int, ...], method: str) -> None:
    """Check the arrays of a change.

    Args:
        change: The change that a method returned.
        shape: [N, P].
        method: Its name.

    Raises:
        MethodError: An array has the wrong shape or type.
    """
    for field in ("masks", "reset_momentum", "trainable"):
        _check_array(method, field, getattr(change, field), shape, np.bool_)
    _check_array(method, "params", change.params, shape, np.float32)
    for field in ("lr_scale", "decay_scale"):
        _check_array(method, field, getattr(change, field), shape[:1], np.float64)
    for field in ("orders", "variants", "trained"):
        _check_array(method, field, getattr(change, field), shape[:1], np.int64)
    for field, kind in (("active_counts", np.int64), ("adapters", np.float32)):
        array = getattr(change, field)
        size = (*shape[:1], *np.shape(array)[1:])
        _check_array(method, field, array, size, kind)
    _check_status(method, change.status, shape[:1])


def _check_array(
    method: str, field: str, array: Any, shape: tuple[int, ...], kind: type
) -> None:
    """Raise MethodError unless an array is absent or as expected."""
    if array is None:
        return
    wanted = (
        f"{method}: expected Change.{field} to be {np.dtype(kind)} {list(shape)}, got "
    )
    if not isinstance(array, np.ndarray):
        raise MethodError(f"{wanted}{type(array).__name__}; return a NumPy array")
    if array.shape != shape or array.dtype != kind:
        hint = ""
        if array.shape[1:] == (_weights(shape[-1]),):
            hint = (
                "; it has one entry per weight: masks.with_biases(kept, view.width) "
                "extends it to one per parameter"
            )
        raise MethodError(f"{wanted}{array.dtype} {list(array.shape)}{hint}")


def _weights(params: int) -> int | None:
    """Return the weights of the network with this many parameters, if one exists."""
    with suppress(ValueError):
        return mlp.weight_count(mlp.width_of(params))
    return None


def _check_status(method: str, status: Any, shape: tuple[int, ...]) -> None:
    """Raise MethodError unless every status is one that a method may set."""
    if status is None:
        return
    words = set(status.ravel().tolist())
    known = words <= {"", *columns.METHOD_STATUSES}
    if status.shape != shape or status.dtype.kind != "U" or not known:
        raise MethodError(
            f"{method}: expected Change.status to be str {list(shape)}, each empty or "
            f"of {', '.join(columns.METHOD_STATUSES)}; got {status.dtype} "
            f"{list(status.shape)} {sorted(map(str, words))}"
        )
