"""``obc``: the brain surgeon in each row of a layer."""

from functools import partial
from typing import Any

import numpy as np

from spiral.methods.layerwise import layers
from spiral.methods.layerwise.layers import Kept, Layer, Weights
from spiral.methods.parts import brain_surgeon
from spiral.methods.parts.brain_surgeon import STAYS, Block


def build(damping: float, **options: Any) -> layers.LayerWise:
    """Optimal brain compression (Frantar & Alistarh, NeurIPS 2022, arXiv:2208.11580).

    Each unit has the squared error of its output as a quadratic model, exact and with
    one inverse; of all units of a layer the cheapest weight goes, whereupon the other
    weights and the bias of its unit compensate.

    Departures: the constant 1 among a layer's inputs moves means into the bias; inputs
    come from the pruned layers before.
    """
    return layers.LayerWise(**options, prune=partial(prune, damping=damping))


def prune(layer: Layer, keep: int, damping: float) -> tuple[Weights, Kept]:
    """Remove the weight of a layer that costs least, until so many are left."""
    inverse = layers.inverse_moments(layer, damping)
    groups = np.where(layer.prunable, 0, STAYS)
    rows = [Block(row[None].copy(), inverse.copy(), groups) for row in layer.weights]
    kept = np.ones(layer.weights.shape, bool)
    removals = len(rows) * int(layer.prunable.sum()) - keep
    for one in brain_surgeon.cheapest_first(rows, np.array([removals])):
        kept[one.block, one.unit] = False
    return np.concatenate([row.weights for row in rows]), kept


ENTRY = layers.entry(
    build=build,
    summary="brain surgeon in each unit, for the squared error of its output",
    citation="Frantar & Alistarh, NeurIPS 2022, arXiv:2208.11580; code: IST-DASLab/OBC",
    criterion="reconstruction error",
    options=layers.DampedOptions,
    gradients=lambda table: 60 * table["width"].to_numpy(np.float64) ** 0.75,
    colour="#332288",
)
