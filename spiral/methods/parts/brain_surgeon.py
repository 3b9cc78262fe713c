"""Optimal brain surgeon: remove what costs least, and let the rest compensate for it.

Blocks of weights do not interact. Within a block, H is the curvature of a squared
error, and what the other weights can do at best without one of them follows from the
inverse of H. In one linear layer, a layer's inputs x (with a last one that is always 1,
for its bias) have H = mean(x xᵀ) + λI for each of its outputs. In NumPy float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from spiral.model import mlp

Weights = Float[np.ndarray, "out I"]
Matrix = Float[np.ndarray, "I I"]

ROWS = 32
"""Rows of an inverse that change at once: what is subtracted stays in the cache. All
1,056 rows of a layer at width 32 at once take twice the time."""

STAYS = -1
"""Group of what is never removed."""


class Removal(NamedTuple):
    """One input that was removed."""

    block: int
    unit: int
    cost: float
    """The error that this adds."""


@dataclass(frozen=True)
class Block:
    """Weights [out, I] that share the inverse of their H [I, I]; both change."""

    weights: Weights
    inverse: Matrix
    groups: Int[np.ndarray, " I"]
    """Which number of removals each input counts towards, or ``STAYS``."""

    def prices(self) -> Float[np.ndarray, " I"]:
        """Return the error that removing each input adds; -inf for NaN."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            each = costs(self.weights, self.inverse)
        return np.nan_to_num(each, nan=-np.inf, posinf=np.finfo(float).max)

    def remove(self, unit: int) -> float:
        """Remove one input and let the other weights compensate for it.

        The inverse of H without the input is left, its row and column zero.
        """
        pivot, row = self.inverse[unit, unit], self.inverse[unit].copy()
        column, own = self.inverse[:, unit].copy(), self.weights[:, unit].copy()
        cost = float((own**2).sum() / pivot)
        self.weights[...] -= np.outer(own, row / pivot)
        for begin in range(0, len(row), ROWS):
            part = slice(begin, begin + ROWS)
            self.inverse[part] -= np.outer(column[part], row / pivot)
        self.weights[:, unit] = self.inverse[unit] = self.inverse[:, unit] = 0
        return cost


def layer_inputs(
    params: Float[np.ndarray, " P"], points: Float[np.ndarray, "B 2"], width: int
) -> list[Float[np.ndarray, "B I"]]:
    """Return the inputs of each layer of one network, and the constant 1."""
    ones = np.ones((len(points), 1))
    seen = [np.concatenate([points.astype(np.float64), ones], axis=1)]
    for weights in augmented(params, width)[:-1]:
        h = np.maximum(seen[-1] @ weights.T, 0)
        seen.append(np.concatenate([h, ones], axis=1))
    return seen


def augmented(params: Float[np.ndarray, " P"], width: int) -> list[Weights]:
    """Return each layer's weights with its biases as the last column (copies)."""
    return [
        np.concatenate([weights, biases[:, None]], axis=1).astype(np.float64)
        for weights, biases in mlp.matrices(params, width)
    ]


def inverse_hessian(inputs: Float[np.ndarray, "B I"], damping: float) -> Matrix:
    """Invert H, where λ is a share of the mean of the diagonal.

    NaN where the inputs are not finite or all zero.
    """
    hessian = inputs.T @ inputs / len(inputs)
    shift = damping * np.diagonal(hessian).mean()
    if not np.isfinite(hessian).all():
        return np.full(hessian.shape, np.nan)
    return np.linalg.inv(hessian + shift * np.eye(len(hessian)))


def costs(weights: Weights, inverse: Matrix) -> Float[np.ndarray, " I"]:
    """Return the error that removing each input adds: ‖W[:, j]‖² / [H⁻¹]jj."""
    return (weights**2).sum(axis=0) / np.diagonal(inverse)


def eliminate(
    weights: Weights, inverse: Matrix, stay: int
) -> tuple[Weights, list[int], list[float]]:
    """Remove inputs, the cheapest each time, until ``stay`` and the constant are left.

    Returns:
        The new weights, the inputs in the order in which they went, what each added to
        the error.
    """
    groups = np.zeros(len(inverse), np.int64)
    groups[-1] = STAYS
    block = Block(weights.copy(), inverse.copy(), groups)
    gone = cheapest_first([block], np.array([len(groups) - 1 - stay]))
    return block.weights, [one.unit for one in gone], [one.cost for one in gone]


def cheapest_first(
    blocks: Sequence[Block], removals: Int[np.ndarray, " G"]
) -> list[Removal]:
    """Remove inputs of some blocks, the cheapest of all each time.

    Of equals the last goes; NaN goes first.

    Args:
        blocks: They change in place.
        removals: How many inputs of each group to remove.

    Returns:
        What went, in this order.
    """
    groups = np.concatenate([block.groups for block in blocks])
    starts = np.cumsum([0, *(len(block.groups) for block in blocks)])
    left = np.maximum(removals, 0)
    prices = np.concatenate([block.prices() for block in blocks])
    prices[(groups == STAYS) | (left[groups] == 0)] = np.inf
    gone = []
    for _ in range(left.sum()):
        place = len(prices) - 1 - int(np.argmin(prices[::-1]))
        number = int(np.searchsorted(starts, place, side="right")) - 1
        block, unit = blocks[number], place - int(starts[number])
        gone.append(Removal(number, unit, block.remove(unit)))
        prices[place] = np.inf
        own = prices[starts[number] : starts[number + 1]]
        own[...] = np.where(own == np.inf, np.inf, block.prices())
        left[groups[place]] -= 1
        if left[groups[place]] == 0:
            prices[groups == groups[place]] = np.inf
    return gone
