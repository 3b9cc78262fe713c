"""How many of the weights kept each layer gets.

``erk`` has further ones.
"""

from collections.abc import Callable
from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Int

from spiral.model import masks, mlp
from spiral.model.masks import WeightMask

Quota = Literal["uniform", "uniform_alive", "erk", "igq"]
"""Names of the rules; see the functions of :data:`RULES`."""

Counts = Int[np.ndarray, " N"]
Shares = Int[np.ndarray, "N L"]
Table = Int[np.ndarray, "W1 L"]
"""The shares of 0, 1, …, all weights."""


def quotas(keep: Counts, width: int, rule: Quota, left: Shares | None = None) -> Shares:
    """Share the weights kept among layers, by a rule that is monotone in ``keep``.

    A layer's share never increases when ``keep`` decreases, so a method that prunes in
    steps never asks for a weight that is gone. (Largest remainders, the usual rounding,
    do so for 10 of 300 counts at width 16 with ERK: the Alabama paradox.)

    Args:
        keep: Weights to share, 0 … W each.
        width: Hidden width w.
        rule: How they are shared.
        left: Weights that each layer still has, if it may get no more. What it cannot
            take goes to the layers that are next in line. Ignored for networks in which
            fewer than ``keep`` weights are left.
    """
    table = _table(width, rule)
    found = table[keep]
    if left is None or (found <= left).all():
        return found
    # Shares of some larger number, limited by what is left, add up to ``keep``
    low, high = keep.copy(), np.full(len(keep), len(table) - 1)
    while (low < high).any():
        middle = (low + high) // 2
        enough = np.minimum(table[middle], left).sum(axis=1) >= keep
        low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
    some = left.sum(axis=1) >= keep
    return np.where(
        some[:, None], np.minimum(table[np.minimum(low, high)], left), found
    )


def of_mask(kept: WeightMask, width: int) -> Shares:
    """Return the number of weights that a mask keeps in each layer."""
    counts = [kept[:, layer.columns].sum(axis=1) for layer in mlp.layers(width)]
    return np.stack(counts, axis=1)


def layer_sizes(width: int) -> list[int]:
    """Return the number of weights of each layer."""
    return [layer.inputs * layer.outputs for layer in mlp.layers(width)]


def proportional(keep: Counts, width: int) -> Shares:
    """Share the weights kept among layers in proportion to the layers' sizes."""
    return masks.allocate(keep, layer_sizes(width))


def at_least_one(keep: Counts, width: int) -> Shares:
    """Share as ``proportional`` does, but leave no layer empty where that is possible.

    The largest share gives a weight to each layer that has none.
    """
    found = proportional(keep, width).astype(np.int64)
    layers = found.shape[1]
    for layer in range(layers):
        poor = np.flatnonzero((found[:, layer] == 0) & (keep >= layers))
        found[poor, found[poor].argmax(axis=1)] -= 1
        found[poor, layer] = 1
    return found


def _uniform(width: int) -> Table:
    """The same density in every layer: ``proportional``."""
    return proportional(np.arange(mlp.weight_count(width) + 1), width)


def _uniform_alive(width: int) -> Table:
    """``at_least_one``; of fewer weights than layers the first layers get one each."""
    found = at_least_one(np.arange(mlp.weight_count(width) + 1), width)
    layers = found.shape[1]
    found[:layers] = np.tri(layers, k=-1)
    return found


def _erk(width: int) -> Table:
    """Erdős–Rényi: shares in proportion to inputs plus outputs, up to a dense layer.

    The ideal shares are those of ``erk.densities``, where fully connected layers have
    the same with and without kernels (ERK). They are rounded to the nearest for a
    common factor of all layers (Webster's method), and add up.
    """
    ends = np.array([layer.inputs + layer.outputs for layer in mlp.layers(width)])
    return masks.seats(
        layer_sizes(width), lambda layer, number: ends[layer] / (number + 0.5)
    )


def _igq(width: int) -> Table:
    """Ideal gas quotas: 1/share = 1/size + f with one f ≥ 0 for all layers.

    No f is dense; a large one gives all layers equal shares. They are rounded to the
    nearest for a common f, and add up; the authors stop within a weight of ``keep``.

    Source: Vysogorets & Kempe, JMLR 2023.
    """
    sizes = np.array(layer_sizes(width))
    return masks.seats(
        layer_sizes(width),
        lambda layer, number: 1 / (number + 0.5) - 1 / sizes[layer],
    )


RULES: dict[Quota, Callable[[int], Table]] = {
    "uniform": _uniform,
    "uniform_alive": _uniform_alive,
    "erk": _erk,
    "igq": _igq,
}


@cache
def _table(width: int, rule: Quota) -> Table:
    return RULES[rule](width)
