"""The end of a learned mask: exactly ``keep`` weights, then plain training of these.

No method of ``learned`` that trains a weight map ends at a given number of weights by
itself. So at a fraction of the training its own scores rank the weights, the best
``keep`` stay with their effective values, and plain SGD goes on.
"""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Int
from pydantic import Field

from spiral.methods.parts import allocation, fractions, scores
from spiral.methods.parts.allocation import Allocation
from spiral.model import masks, mlp
from spiral.model.masks import WeightMask
from spiral.protocol import reparam
from spiral.protocol.config import origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Params, Plan, Reparam, View

Numbers = Float32[np.ndarray, "N Q"]


def end_option(default: float = 0.75, source: str = "ours, as in gmp") -> Any:
    """Return the option ``end``."""
    return fractions.above_zero(
        default,
        "fraction of training at which the mask becomes final and plain training of "
        "what is kept begins; 1: no such training",
        source,
    )


INTERVAL: Any = Field(
    97,
    ge=1,
    description="steps between counts of active weights",
    json_schema_extra=unit("steps")
    | origin("ours, as in gmp; the authors change it at every step"),
)
"""The option ``interval`` of methods whose active weights become fewer."""


def event(budget: Budget, end: float) -> int:
    """Return the step at which the mask becomes final."""
    return max(1, budget.at(end))


def plan(budget: Budget, end: float, here: Reparam, *others: int) -> Plan:
    """Return one run that starts with a weight map and ends it at ``end``."""
    events = sorted({0, *others, event(budget, end)})
    return Plan.simple(budget, *events, weight_map=here)


def level(budget: Budget, value: float) -> Float[np.ndarray, " T"]:
    """Return a curve that stays at one value."""
    return np.full(budget.steps, value)


def start(view: View, value: float | Float[np.ndarray, " N"] = 0.0) -> Numbers:
    """Return numbers s of a map, all equal within a network."""
    here = view.plan.weight_map
    assert isinstance(here, Reparam)
    size = reparam.count(view.width, here.kind)
    each = np.broadcast_to(np.asarray(value, np.float32), len(view.params))
    return np.repeat(each[:, None], size, axis=1)


def effective(view: View, *given: np.ndarray) -> Params:
    """Return the parameters on which networks run at the last step of a map.

    In float64: NumPy's powers of float32 depend on the shape of the pack.

    Args:
        view: What the method sees.
        given: What the map needs besides (see ``reparam.given``).
    """
    here = view.plan.weight_map
    assert isinstance(here, Reparam)
    assert view.adapters is not None
    c = np.full(len(view.params), here.curve[view.step - 1])
    stored, numbers = view.params.astype(np.float64), view.adapters.astype(np.float64)
    found: Params = reparam.effective(stored, numbers, here, c, given)
    return found.astype(np.float32)


def harden(
    view: View,
    params: Params,
    shared: Allocation = "global",
    ranks: Float[np.ndarray, "N W"] | None = None,
) -> Change:
    """Return the change that makes a mask final.

    Args:
        view: What the method sees.
        params: Effective parameters; those of the mask stay as they are.
        shared: How ``keep`` is shared among layers.
        ranks: Scores of the weights; None: their effective sizes.
    """
    kept = cut(view, params, view.keep, shared, ranks)
    return Change(
        masks=masks.with_biases(kept, view.width),
        params=params,
        reset_momentum=np.ones(params.shape, bool),
        decay_scale=np.ones(len(params)),
        plain=True,
    )


def cut(
    view: View,
    params: Params,
    keep: Int[np.ndarray, " N"],
    shared: Allocation,
    ranks: Float[np.ndarray, "N W"] | None = None,
) -> WeightMask:
    """Return which of the weights that are left rank highest (see :func:`harden`)."""
    left = masks.of_weights(view.masks, view.width)
    if ranks is None:
        ranks = scores.sizes(params, left, view.width).astype(np.float64)
        ranks = ranks * np.abs(ranks) if shared == "lamp" else ranks  # as published
    return allocation.choose(ranks, keep, shared, "rank", view.width, left)


def weights(view: View) -> Float32[np.ndarray, "N W"]:
    """Return the stored weights."""
    return view.params[:, mlp.is_weight(view.width)]


def cost_profile(
    table: pd.DataFrame, weights: int, sharing: np.ndarray, alone: Any = 1.0
) -> CostProfile:
    """All weights until the mask is final at ``end``, then ``keep``.

    Args:
        table: The configs.
        weights: Weights of the width.
        sharing: How many configs share the beginning of each.
        alone: Fraction of training from which on configs of different ``keep`` differ;
            by default they never do before ``end``.
    """
    end = table["end"].to_numpy(np.float64)
    begun = np.minimum(alone, end)
    before = begun / sharing + (end - begun)
    return CostProfile.dense_first(weights, table["keep"], before, 1 - end)
