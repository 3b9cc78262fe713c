"""``sparsegpt``: one pass over the columns of a layer, all units together."""

from functools import partial
from typing import Any

import numpy as np

from spiral.methods.layerwise import layers
from spiral.methods.layerwise.layers import Kept, Layer, Weights
from spiral.model import masks

COLUMNS = 128
"""Columns among which weights compete (authors' code)."""


def build(damping: float, **options: Any) -> layers.LayerWise:
    """SparseGPT (Frantar & Alistarh, ICML 2023, arXiv:2301.00774).

    The columns of a layer go from left to right; where a weight is removed, those on
    its right compensate, as the Cholesky factor U of the inverse Hessian says, which
    all units share. Of each block of 128 columns the lowest w²/U_ii² go.

    Departures: counts are exact (the authors' threshold removes one weight more, 13 of
    24 at one half); the constant 1 is the last column, so that biases compensate.
    """
    return layers.LayerWise(**options, prune=partial(prune, damping=damping))


def prune(layer: Layer, keep: int, damping: float) -> tuple[Weights, Kept]:
    """Remove weights column by column, until so many are left."""
    from spiral.model import curvature

    weights = layer.weights * (layer.inputs != 0).any(axis=0)
    upper = curvature.cholesky(layers.inverse_moments(layer, damping)).T
    kept = np.ones(weights.shape, bool)
    columns = np.flatnonzero(layer.prunable)
    removals = weights.shape[0] * len(columns) - keep
    for start in range(0, len(columns), COLUMNS):
        block = columns[start : start + COLUMNS]
        done, later = start / len(columns), (start + len(block)) / len(columns)
        count = round(removals * later) - round(removals * done)
        kept[:, block] = _best(weights[:, block], upper[block, block], count)
        for i in block:
            error = np.where(kept[:, i], 0, weights[:, i] / upper[i, i])
            weights[:, i:] -= np.outer(error, upper[i, i:])
    return np.where(kept, weights, 0), kept


def _best(weights: Weights, diagonal: np.ndarray, removals: int) -> Kept:
    """Keep all but the lowest w²/U_ii² of some columns; of equals the first stays."""
    scores = (weights / diagonal) ** 2
    keep = np.array([scores.size - removals])
    return masks.keep_top(scores.reshape(1, -1), keep).reshape(scores.shape)


ENTRY = layers.entry(
    build=build,
    summary="one pass over a layer's columns, those to come compensate",
    citation="Frantar & Alistarh, ICML 2023, arXiv:2301.00774; "
    "code: IST-DASLab/sparsegpt",
    criterion="reconstruction error",
    options=layers.DampedOptions,
    gradients=lambda table: 0.07 * table["points"].to_numpy(np.float64),
    colour="#88CCEE",
)
