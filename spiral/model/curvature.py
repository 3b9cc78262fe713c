"""Curvature of one network's loss: the Jacobian, and matrices like the Hessian.

All in float64 and on one thread: BLAS adds up in another order on more threads, and a
sum that is rounded otherwise may decide a mask.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from spiral.model import gradients, mlp
from spiral.model.gradients import one_thread

Matrix = Float[np.ndarray, "K K"]
Rows = Float[np.ndarray, "B K"]
Places = Int[np.ndarray, " K"]
"""The parameters that a matrix is about, in its order."""


class _Passes(NamedTuple):
    """What a network computes on some points, forward and backward."""

    values: Tensor
    """Inputs of all layers and their constants 1, [B, V]."""
    slopes: Tensor
    """Derivative of the logit by what each unit adds up, [B, U]."""
    logits: Tensor


@dataclass(frozen=True)
class Expansion:
    """The derivatives of one network's mean loss on some points.

    A parameter that is zero because it is masked has the derivative of a kept one.
    """

    params: Shaped[np.ndarray, " P"]
    points: Shaped[np.ndarray, "B 2"]
    labels: Shaped[np.ndarray, " B"]
    width: int

    @one_thread()
    def jacobian(self, places: Places) -> Rows:
        """Return the derivative of each point's logit by some parameters."""
        return self._jacobian(places).numpy()

    @one_thread()
    def gradients(self, places: Places) -> Rows:
        """Return the gradient of each point's loss, (p - y) times the Jacobian."""
        labels = torch.from_numpy(self.labels.astype(np.float64))
        off = torch.sigmoid(self._passes.logits) - labels
        return (off[:, None] * self._jacobian(places)).numpy()

    @one_thread()
    def gauss_newton(self, places: Places) -> Matrix:
        """Return Jᵀ diag(p(1 - p)) J / B, with p the probability of class 1.

        The Hessian without the second derivatives of the logits, so it has no negative
        eigenvalue. The labels do not matter.
        """
        likely = torch.sigmoid(self._passes.logits)
        scale = (likely * (1 - likely) / len(likely)).sqrt()
        rows = scale[:, None] * self._jacobian(places)
        return (rows.T @ rows).numpy()

    def fisher(self, places: Places, batch: int = 1) -> Matrix:
        """Return Σ g gᵀ / m over the gradients g of m batches (empirical Fisher).

        Args:
            places: The parameters.
            batch: Points over which each g is a mean; an incomplete last batch is left
                out.
        """
        rows = self.gradients(places)
        m = len(rows) // batch
        means = rows[: m * batch].reshape(m, batch, -1).mean(axis=1)
        return gram(means / np.sqrt(m))

    def hessian(self, places: Places) -> Matrix:
        """Return the Hessian: one product for each row, which is slow."""
        count = len(places)
        directions = np.zeros((count, len(self.params)))
        directions[np.arange(count), places] = 1
        same = np.broadcast_to(self.params, directions.shape)
        batch = (
            np.broadcast_to(self.points, (count, *self.points.shape)),
            np.broadcast_to(self.labels, (count, *self.labels.shape)),
        )
        rows = gradients.hessian_times(same, directions, batch, self.width)[:, places]
        return (rows + rows.T) / 2

    @cached_property
    def _passes(self) -> _Passes:
        """Go forward and backward once."""
        params = torch.from_numpy(self.params.astype(np.float64))
        stack = mlp.matrices(params, self.width)
        seen = [torch.from_numpy(self.points.astype(np.float64))]
        for weights, biases in stack:
            z = seen[-1] @ weights.T + biases
            seen.append(torch.relu(z))
        slopes = [torch.ones_like(z)]
        for (weights, _), h in zip(stack[:0:-1], seen[-2:0:-1], strict=True):
            slopes.insert(0, (slopes[0] @ weights) * (h > 0))
        values = [part for h in seen[:-1] for part in (h, torch.ones_like(z))]
        return _Passes(torch.cat(values, 1), torch.cat(slopes, 1), z[:, 0])

    def _jacobian(self, places: Places) -> Tensor:
        """Multiply what parameters see by what their units do to the logit."""
        values, slopes, _ = self._passes
        units, seen = (end[torch.from_numpy(places)] for end in _ends(self.width))
        return slopes[:, units] * values[:, seen]


@one_thread()
def gram(rows: Rows) -> Matrix:
    """Return the products of all pairs of columns."""
    found = torch.from_numpy(rows)
    return (found.T @ found).numpy()


@one_thread()
def inverse(matrix: Matrix) -> Matrix:
    """Invert a matrix."""
    return torch.linalg.inv(torch.from_numpy(matrix)).numpy()


@one_thread()
def solve(
    matrix: Matrix, right: Shaped[np.ndarray, "..."]
) -> Shaped[np.ndarray, "..."]:
    """Solve a system of linear equations, for a vector or the columns of a matrix."""
    left, given = torch.from_numpy(matrix), torch.from_numpy(right)
    return torch.linalg.solve(left, given).numpy()


@one_thread()
def cholesky(matrix: Matrix) -> Matrix:
    """Return the lower triangular L with L Lᵀ equal to a positive definite matrix."""
    return torch.linalg.cholesky(torch.from_numpy(matrix)).numpy()


@one_thread()
def spectrum(matrix: Matrix) -> tuple[Float[np.ndarray, " K"], Matrix]:
    """Return the eigenvalues of a symmetric matrix, ascending, and their vectors."""
    values, vectors = torch.linalg.eigh(torch.from_numpy(matrix))
    return values.numpy(), vectors.numpy()


@one_thread()
def product(
    left: Float[np.ndarray, "A K"], right: Float[np.ndarray, "K B"]
) -> Float[np.ndarray, "A B"]:
    """Multiply two matrices."""
    return (torch.from_numpy(left) @ torch.from_numpy(right)).numpy()


@cache
def _ends(width: int) -> tuple[Tensor, Tensor]:
    """Return the unit that each parameter feeds, and the value that it multiplies.

    Units and values are numbered layer by layer; the last value of a layer's inputs is
    the constant 1, which biases multiply.
    """
    units = np.empty(mlp.param_count(width), np.int64)
    values = np.empty_like(units)
    unit = value = 0
    for layer in mlp.layers(width):
        own, inputs = unit + np.arange(layer.outputs), np.arange(layer.inputs)
        units[layer.weights] = np.repeat(own, layer.inputs)
        values[layer.weights] = value + np.tile(inputs, layer.outputs)
        units[layer.biases], values[layer.biases] = own, value + layer.inputs
        unit, value = unit + layer.outputs, value + layer.inputs + 1
    return torch.from_numpy(units), torch.from_numpy(values)
