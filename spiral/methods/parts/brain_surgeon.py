"""Optimal brain surgeon on one linear layer: score its inputs, remove some of them.

A layer sees inputs x (with a last one that is always 1, for its bias) and computes Wx.
Without an input the best that its other weights can do, for mean squared error on the
samples, follows from the inverse of H = mean(x xᵀ) + λI. In NumPy float64.
"""

import numpy as np
from jaxtyping import Float

from spiral.model import mlp

Weights = Float[np.ndarray, "out I"]
Matrix = Float[np.ndarray, "I I"]


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


def without(
    weights: Weights, inverse: Matrix, unit: int
) -> tuple[Weights, Matrix, float]:
    """Remove one input and let the other weights compensate for it.

    Returns:
        The new weights, the inverse of H without the input (its row and column are
        zero), and the error that this adds.
    """
    pivot, row = inverse[unit, unit], inverse[unit]
    cost = float((weights[:, unit] ** 2).sum() / pivot)
    updated = weights - np.outer(weights[:, unit], row / pivot)
    updated[:, unit] = 0
    left = inverse - np.outer(inverse[:, unit], row / pivot)
    left[unit] = left[:, unit] = 0
    return updated, left, cost


def eliminate(
    weights: Weights, inverse: Matrix, stay: int
) -> tuple[Weights, list[int], list[float]]:
    """Remove inputs, the cheapest each time, until ``stay`` and the constant are left.

    Of equals the higher index goes; NaN goes first.

    Returns:
        The new weights, the inputs in the order in which they went, what each added to
        the error.
    """
    alive = np.ones(len(inverse) - 1, bool)
    gone: list[int] = []
    added: list[float] = []
    while alive.sum() > stay:
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.nan_to_num(costs(weights, inverse)[:-1], nan=-np.inf)
        ranked = np.where(alive, each, np.inf)[::-1]
        unit = len(alive) - 1 - int(np.argmin(ranked))
        weights, inverse, cost = without(weights, inverse, unit)
        alive[unit] = False
        gone.append(unit)
        added.append(cost)
    return weights, gone, added
