"""Numbers that a file describes: those of a range, and some of an interval."""

import math
from decimal import Decimal, DecimalException, localcontext
from typing import Any

from spiral.sweep.grid.imports.found import MAX_VALUES, Swept, too_many

SUGGESTED = 5
"""Values suggested for a distribution."""

Number = int | float


def number(value: Any) -> Number | None:
    """Return a finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= 1e300 else None


def steps(start: Number, stop: Number, step: Number, with_stop: bool) -> Swept:
    """Return the numbers from start to stop.

    In decimals, so that 0.1, 0.2 and 0.3 are written like that.
    """
    with localcontext(prec=40):
        try:
            first, last, width = (Decimal(repr(each)) for each in (start, stop, step))
            count = int((last - first) / width) if width else -1
        except DecimalException:
            return Swept(why=f"expected a range, got {start} to {stop} by {step}")
        if count < 0:
            return Swept(why=f"the range {start} to {stop} by {step} is empty")
        if count > MAX_VALUES:
            return too_many(count)
        found = [first + n * width for n in range(count + 1)]
    if not with_stop and found[-1] == last:
        found.pop()
    whole = all(isinstance(each, int) for each in (start, step))
    values = tuple(int(each) if whole else float(each) for each in found)
    return Swept(values) if values else Swept(why="the range is empty")


def between(low: Number, high: Number, how: str, logarithmic: bool) -> Swept:
    """Suggest values of an interval, which has no list of values itself."""
    why = f"{how} from {low:g} to {high:g} lists no values, and none are drawn"
    if not low < high or (logarithmic and low <= 0):
        return Swept(why=f"{why}; choose some")
    even = [n / (SUGGESTED - 1) for n in range(SUGGESTED)]
    if logarithmic:
        found = [low * (high / low) ** share for share in even]
    else:
        found = [low + (high - low) * share for share in even]
    if isinstance(low, int) and isinstance(high, int) and not logarithmic:
        found = [*dict.fromkeys(map(round, found))]
    return Swept(why=f"{why}; choose some", suggested=tuple(map(brief, found)))


def brief(value: Number) -> Number:
    """Return a number with three digits."""
    return value if isinstance(value, int) else float(f"{value:.3g}")


def exponential(value: Number) -> Number:
    """Return e^value, bounded."""
    return math.exp(max(-600.0, min(600.0, value)))
