"""``wanda``: weights times the norm of their inputs, without any update."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from spiral.methods.layerwise import layers
from spiral.methods.layerwise.layers import Kept, Layer, Weights
from spiral.model import masks
from spiral.protocol.config import origin

Compare = Literal["row", "layer"]

COMPARE: Any = Field(
    "row",
    description="which weights compete: those of one unit, or of a layer",
    json_schema_extra=origin("authors' code"),
)
"""The option ``compare``, also of methods that begin with this one's mask."""


class WandaOptions(layers.LayerOptions):
    """Options of ``wanda``."""

    compare: Compare = COMPARE


def build(compare: Compare, **options: Any) -> layers.LayerWise:
    """Wanda (Sun et al., ICLR 2024, arXiv:2306.11695).

    Keep the weights of highest |W_ij|·‖X_j‖, equally many of every unit.

    Departures: counts are exact, so that units differ by at most one weight (the first
    have more). With 16 inputs and one to three weights a unit, the published comparison
    within rows is the worst there is: see ``compare: layer``. Weights of
    different layers never compete: each layer is pruned before the inputs of the next
    are known.
    """
    return layers.LayerWise(**options, prune=PRUNE[compare])


def by_layer(layer: Layer, keep: int) -> tuple[Weights, Kept]:
    """Keep the highest scores of a layer."""
    kept = masks.keep_top(_scores(layer).reshape(1, -1), np.array([keep]))
    return _with_biases(layer, kept)


def by_row(layer: Layer, keep: int) -> tuple[Weights, Kept]:
    """Keep the highest scores of each unit."""
    found = _scores(layer)
    each = masks.allocate(np.array([keep]), [found.shape[1]] * len(found))[0]
    return _with_biases(layer, masks.keep_top(found, each))


PRUNE = {"row": by_row, "layer": by_layer}


def _scores(layer: Layer) -> np.ndarray:
    """Return |W_ij|·‖X_j‖ of the weights that may go."""
    norms = np.sqrt((layer.inputs**2).sum(axis=0))
    return (np.abs(layer.weights) * norms)[:, layer.prunable]


def _with_biases(layer: Layer, kept: np.ndarray) -> tuple[Weights, Kept]:
    """Return the weights as they are, and the mask that keeps biases, too."""
    found = np.ones(layer.weights.shape, bool)
    found[:, layer.prunable] = kept.reshape(len(found), -1)
    return np.where(found, layer.weights, 0), found


ENTRY = layers.entry(
    build=build,
    summary="largest |weight| times the norm of its input, in each unit",
    citation="Sun et al., ICLR 2024, arXiv:2306.11695; code: locuslab/wanda",
    criterion="|w|·‖x‖",
    options=WandaOptions,
    gradients=lambda table: 0.04 * table["points"].to_numpy(np.float64),
    colour="#117733",
)
