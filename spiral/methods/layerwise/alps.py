"""``alps``: ADMM finds a layer's mask, least squares its weights."""

from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float64

from spiral.methods.layerwise import layers
from spiral.methods.layerwise.layers import Kept, Layer, Weights
from spiral.model import masks

RHO = 0.1
STEPS = 300
EVERY = 3
"""Steps after which ρ follows how much the mask changed."""
SETTLED = 3e-4
"""Change of the mask, as a share of what is kept, at which steps end."""
EARLIEST = 30
"""Steps before which they do not end for that."""

Matrix = Float64[np.ndarray, "J J"]


def build(damping: float, **options: Any) -> layers.LayerWise:
    """ALPS (Meng et al., NeurIPS 2024, arXiv:2406.07831).

    Weights are scaled by the norms of their inputs. ADMM goes back and forth between
    weights B of least error and weights D of which so many are not zero, held together
    by ρ, which grows the more the mask still changes and falls while it does not; then
    the weights of the mask are fitted.

    Departures: the final fit is exact, where the authors take ten steps of conjugate
    gradients; the constant 1 among a layer's inputs moves means into the bias.
    """
    return layers.LayerWise(**options, prune=partial(prune, damping=damping))


def prune(layer: Layer, keep: int, damping: float) -> tuple[Weights, Kept]:
    """Find the weights of a layer to keep, and fit them."""
    moments = layers.moments(layer, damping)
    scale = np.sqrt(moments.diagonal()) + 1e-8
    matrix = moments / scale / scale[:, None]
    best = admm(layer.weights * scale, matrix, layer.prunable, keep)
    kept = _hard(best, layer.prunable, keep)
    return fitted(layer.weights, moments, kept), kept


def admm(dense: Weights, matrix: Matrix, prunable: np.ndarray, keep: int) -> Weights:
    """Return weights whose largest are to be kept.

    Args:
        dense: Weights before pruning, [out, J].
        matrix: Second moments of the inputs.
        prunable: Inputs whose weights may go.
        keep: Weights to keep.
    """
    from spiral.model import curvature

    values, vectors = curvature.spectrum(matrix)
    goal, rho, grown = curvature.product(dense, matrix), RHO, False
    first = np.where(_hard(dense, prunable, keep), dense, 0)
    pull, sparse = np.zeros_like(dense), first
    before = first != 0
    for step in range(1, STEPS + 1):
        inverse = curvature.product(vectors / (values + rho), vectors.T)
        free = curvature.product(goal - pull + rho * sparse, inverse)
        sparse = free + pull / rho
        sparse = np.where(_hard(sparse, prunable, keep), sparse, 0)
        pull = pull + rho * (free - sparse)
        if step % EVERY:
            continue
        changed = int(((sparse != 0) != before).sum())
        before = sparse != 0
        if not changed and grown:
            break
        if not changed:
            rho /= 5
        elif changed <= 0.005 * keep and not grown:
            rho, sparse, pull = rho / 5, first, np.zeros_like(dense)
        else:
            rho, grown = min(1e6, rho * _growth(changed / keep)), True
        if step > EARLIEST and changed < SETTLED * keep:
            break
    return free


def _growth(change: float) -> float:
    """Return the factor on ρ after a mask changed by a share of what it keeps."""
    if change > 0.1:
        return 1.3
    return 1.2 if change > 0.005 else 1.1


def _hard(weights: Weights, prunable: np.ndarray, keep: int) -> Kept:
    """Keep the largest of a layer's weights, and all that may not go."""
    found = np.ones(weights.shape, bool)
    sizes = np.abs(weights[:, prunable])
    some = masks.keep_top(sizes.reshape(1, -1), np.array([keep]))
    found[:, prunable] = some.reshape(sizes.shape)
    return found


def fitted(dense: Weights, matrix: Matrix, kept: Kept) -> Weights:
    """Return the weights of least squared error on a mask, row by row."""
    from spiral.model import curvature

    found = np.where(kept, dense, 0)
    for row, own, new in zip(dense, kept, found, strict=True):
        if own.any() and not own.all():
            left = np.ascontiguousarray(matrix[np.ix_(own, own)])
            pull = (matrix[own][:, ~own] * row[~own]).sum(axis=1)
            new[own] = row[own] + curvature.solve(left, pull)
    return found


ENTRY = layers.entry(
    build=build,
    summary="ADMM for a layer's mask, then least squares",
    citation="Meng et al., NeurIPS 2024, arXiv:2406.07831; code: mazumder-lab/ALPS",
    criterion="reconstruction error",
    options=layers.DampedOptions,
    gradients=lambda table: 1000 * table["width"].to_numpy(np.float64) ** -0.5,
    colour="#AA4499",
)
