"""Walks through a network, drawn by the sizes of its weights.

A walk takes one weight of each layer, from an input to the output or back. ``steps``
are the matrices it passes in the order of its way, [from, to] each.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64

Sizes = Float[np.ndarray, "from to"]
Chances = Float64[np.ndarray, "from to"]
Flags = Bool[np.ndarray, "from to"]

LEAST = 1e-9
"""Least chance of a weight relative to the likeliest of its row, so that a walk may
take weights of 0 where no others are left."""


def chances(sizes: Sizes) -> Chances:
    """Return the chance of every weight that leaves a unit, in proportion to its size.

    Args:
        sizes: Not negative; a row without positive ones gets equal chances.
    """
    best = sizes.max(axis=1, keepdims=True)
    relative = np.divide(sizes, best, out=np.ones(sizes.shape), where=best > 0)
    likely = np.maximum(relative, LEAST)
    found: Chances = likely / likely.sum(axis=1, keepdims=True)
    return found


def walk(
    random: np.random.Generator,
    steps: Sequence[Chances],
    new: Sequence[Flags],
    start: int,
    least: int,
    most: int,
) -> list[int] | None:
    """Draw a walk, given that it takes between ``least`` and ``most`` new weights.

    As if walks were drawn until one does: the chances of all numbers of new weights
    are known before the walk begins.

    Args:
        random: Random stream.
        steps: Chances of every step.
        new: Which weights count as new.
        start: The unit where it begins.
        least: Least number of new weights.
        most: Most of them.

    Returns:
        The unit after each step; None if no walk from ``start`` does.
    """
    ahead = [np.eye(1, most + 1).repeat(steps[-1].shape[1], axis=0)]
    for step, fresh in zip(steps[::-1], new[::-1], strict=True):
        found = np.where(fresh, 0, step) @ ahead[0]
        found[:, 1:] += np.where(fresh, step, 0) @ ahead[0][:, :-1]
        ahead.insert(0, found)  # chances of each number of new weights from here on
    first = np.where(np.arange(most + 1) < least, 0, ahead[0][start])
    if not first.any():
        return None
    unit, left, units = start, _drawn(random, first), []
    for step, fresh, after in zip(steps, new, ahead[1:], strict=True):
        rest = left - fresh[unit]
        likely = after[np.arange(len(after)), np.maximum(rest, 0)]
        unit = _drawn(random, step[unit] * np.where(rest < 0, 0, likely))
        left = int(rest[unit])
        units.append(unit)
    return units


def _drawn(random: np.random.Generator, likely: Float64[np.ndarray, " K"]) -> int:
    """Draw an index in proportion to numbers that are not negative."""
    total = np.cumsum(likely)
    return int(np.searchsorted(total / total[-1], random.random(), side="right"))
