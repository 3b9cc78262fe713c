"""``slimming``: drive the scales of hidden units to zero, then remove the smallest."""

from typing import Any

import numpy as np
from jaxtyping import Float

from spiral.methods.entry import Entry
from spiral.methods.magnitude import magnitude
from spiral.methods.parts import hidden_units
from spiral.methods.units import structured
from spiral.methods.units.shrinking import TAXONOMY, Law, Shrinking, ShrinkingOptions
from spiral.model import mlp
from spiral.protocol.job import Params


def build(**options: Any) -> Shrinking:
    """Network slimming (Liu et al., ICCV 2017, arXiv:1708.06519), with weight norms.

    An L1 penalty on the scale γ_j of each unit; before epoch ``at_epoch`` the units of
    the smallest scales go, over all layers.

    Departures: there is no batch normalisation, whose γ is the published scale. Here it
    is the norm of the unit's incoming weights, which is γ where a layer is written as
    γ·v/‖v‖ (Salimans & Kingma 2016). The penalty takes the proximal step: every scale
    loses as much, down to 0. See ``shrinking``; the penalty is 1e-4 · 10.
    """
    return Shrinking(**options, law=Law(shrunk, scales))


def scales(params: Params, width: int) -> hidden_units.Scores:
    """Return the norm of each unit's incoming weights."""
    square = params.astype(np.float64) ** 2
    return np.sqrt(hidden_units.scores(square, width, "first", "ignore"))


def shrunk(params: Params, width: int, amount: Float[np.ndarray, " N"]) -> Params:
    """Return parameters in which every unit's scale is less by an amount."""
    scale = scales(params, width)
    lost = amount[:, None, None] / np.where(scale > 0, scale, 1)
    share = np.maximum(0, 1 - lost)
    found = params.copy()
    for hidden, layer in enumerate(mlp.layers(width)[:-1]):
        rows = params[:, layer.weights].reshape(-1, layer.outputs, layer.inputs)
        small = (rows * share[:, hidden, :, None]).astype(np.float32)
        found[:, layer.weights] = small.reshape(len(params), -1)
    return found


ENTRY = Entry(
    build=build,
    summary="scales of hidden units shrink while training, the smallest go",
    citation="Liu et al., ICCV 2017, arXiv:1708.06519",
    taxonomy=TAXONOMY,
    options=ShrinkingOptions,
    check=structured.check,
    cost_profile=magnitude.cost_profile,
    colour="#56B4E9",
    marker="+",
)
