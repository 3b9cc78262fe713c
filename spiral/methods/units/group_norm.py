"""``group_norm``: shrink hidden units as groups, the smallest most; then some go."""

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

STRONGEST = 16.0
"""How much more the smallest unit of a layer shrinks than its largest."""


def build(**options: Any) -> Shrinking:
    """DepGraph's sparse training (Fang et al., CVPR 2023, arXiv:2301.12900).

    All weights of unit j shrink by γ_j times the penalty, γ_j = 16^((M - I_j)/(M - m)),
    where I is the norm of a unit's weights in and out, and M and m are the largest and
    smallest of its layer. A weight between two hidden units shrinks for both; biases do
    not. Before epoch ``at_epoch`` the units of the least I² over the layer's mean go.

    Departures: see ``shrinking``; the penalty is 1e-4 · 10 (momentum 0.9); γ is 1 where
    all units of a layer are equal, and a diverged one counts as 0.
    """
    return Shrinking(**options, law=Law(shrunk, scores))


def scores(params: Params, width: int) -> hidden_units.Scores:
    """Return the squared norm of each unit's weights, over the layer's mean."""
    return hidden_units.normalised(_squares(params, width), "mean")


def shrunk(params: Params, width: int, amount: Float[np.ndarray, " N"]) -> Params:
    """Return parameters after some steps of the penalty."""
    share = np.exp(-amount[:, None] * strengths(params, width))
    return (params * share).astype(np.float32)


def strengths(params: Params, width: int) -> Float[np.ndarray, "N P"]:
    """Return for each parameter the sum of γ over the units it is a weight of."""
    norm = np.sqrt(np.nan_to_num(_squares(params, width), posinf=0))
    high, low = (reduce(norm, axis=2, keepdims=True) for reduce in (np.max, np.min))
    spread = np.where(high > low, high - low, 1)
    gamma = np.where(high > low, STRONGEST ** ((high - norm) / spread), 1.0)
    found = np.zeros(params.shape)
    for hidden, places in enumerate(hidden_units.members(width)):
        found[:, places] += gamma[:, hidden, :, None]
    found[:, ~mlp.is_weight(width)] = 0
    return found


def _squares(params: Params, width: int) -> hidden_units.Scores:
    square = params.astype(np.float64) ** 2
    return hidden_units.scores(square, width, "sum", "ignore")


ENTRY = Entry(
    build=build,
    summary="hidden units shrink as groups while training, the smallest go",
    citation="Fang et al., CVPR 2023, arXiv:2301.12900",
    taxonomy=TAXONOMY,
    options=ShrinkingOptions,
    check=structured.check,
    cost_profile=magnitude.cost_profile,
    colour="#DDCC77",
    marker="+",
)
