"""What methods that prune one layer after the other share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy, within_training
from spiral.methods.magnitude import magnitude
from spiral.methods.parts import allocation, batches, brain_surgeon, shares
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View

Weights = Float64[np.ndarray, "out J"]
Inputs = Float64[np.ndarray, "B J"]
Kept = Bool[np.ndarray, "out J"]


@dataclass(frozen=True)
class Layer:
    """One linear layer, before it is pruned."""

    weights: Weights
    inputs: Inputs
    """What the layer sees of the points, from layers that are pruned already."""
    prunable: Bool[np.ndarray, " J"]
    """Inputs whose weights may go: all but the constant 1 of the biases."""


Prune = Callable[[Layer, int], tuple[Weights, Kept]]
"""Returns new weights, and which of them are kept: so many, and all biases."""


class LayerOptions(Options):
    """Options of the family."""

    at_epoch: int | None = Field(
        None,
        ge=0,
        description="epoch before which to prune; None: after four fifths",
        json_schema_extra=unit("epochs") | origin("ours"),
    )
    points: int = Field(
        1024,
        ge=1,
        le=49_920,
        description="training points that layers see",
        json_schema_extra=unit("points") | origin("ours; authors: 128 sequences"),
    )
    allocation: shares.Quota = allocation.allocation_option(
        "ours; authors: uniform, which leaves our first and last layers one weight of "
        "26",
        "erk",
        shares.Quota,
    )


class DampedOptions(LayerOptions):
    """Options of those that invert the second moments of a layer's inputs."""

    damping: float = Field(
        0.01,
        gt=0,
        description="λ as a share of the mean of the Hessian's diagonal",
        json_schema_extra=unit("-") | origin("code of SparseGPT and ALPS"),
    )


@dataclass(frozen=True)
class LayerWise:
    """Prune each layer on the outputs of those that are pruned before it.

    Biases are weights of an input that is always 1; they are not pruned. Whatever
    follows is the rest of the one training. Networks that have diverged are pruned by
    magnitude.
    """

    at_epoch: int | None
    points: int
    allocation: shares.Quota
    prune: Prune

    def plan(self, budget: Budget) -> Plan:
        """One event."""
        epoch = _epoch(budget.epochs, self.at_epoch)
        return Plan.simple(budget, epoch * budget.steps_per_epoch)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Prune all networks."""
        points, _ = batches.next_points(view, self.points)
        kept = allocation.largest(view, view.keep, self.allocation)
        params = view.params.copy()
        quotas = shares.quotas(view.keep, view.width, self.allocation)
        for n, counts in enumerate(quotas):
            if np.isfinite(params[n]).all():
                params[n], kept[n] = through(
                    params[n], points[n], counts, self.prune, view.width
                )
        found = masks.with_biases(kept, view.width)
        return Change(
            masks=found, params=params, reset_momentum=np.ones_like(found)
        ), None


def through(
    params: np.ndarray,
    points: np.ndarray,
    counts: Int[np.ndarray, " L"],
    prune: Prune,
    width: int,
) -> tuple[np.ndarray, Bool[np.ndarray, " W"]]:
    """Prune one network's layers, the first first.

    Args:
        params: Parameters [P].
        points: Points [B, 2].
        counts: Weights that each layer keeps.
        prune: Prunes one layer.
        width: Hidden width w.

    Returns:
        The new parameters [P], and which weights [W] are kept.
    """
    new, kept = params.astype(np.float64), np.zeros(mlp.weight_count(width), bool)
    for number, layer in enumerate(mlp.layers(width)):
        one = Layer(
            brain_surgeon.augmented(new, width)[number],
            brain_surgeon.layer_inputs(new, points, width)[number],
            np.arange(layer.inputs + 1) < layer.inputs,
        )
        weights, stay = prune(one, int(counts[number]))
        kept[layer.columns] = stay[:, :-1].ravel()
        new[layer.weights] = np.where(stay, weights, 0)[:, :-1].ravel()
        new[layer.biases] = weights[:, -1]
    return new.astype(np.float32), kept


def moments(layer: Layer, damping: float) -> Float64[np.ndarray, "J J"]:
    """Return mean(x xᵀ) + λI of a layer's inputs, λ a share of the mean diagonal."""
    from spiral.model import curvature

    found = curvature.gram(layer.inputs / np.sqrt(len(layer.inputs)))
    return found + damping * found.diagonal().mean() * np.eye(len(found))


def inverse_moments(layer: Layer, damping: float) -> Float64[np.ndarray, "J J"]:
    """Return the inverse of :func:`moments`."""
    from spiral.model import curvature

    return curvature.inverse(moments(layer, damping))


def _epoch(epochs: int, at_epoch: int | None) -> int:
    """Return the epoch before which networks are pruned."""
    return epochs * 4 // 5 if at_epoch is None else at_epoch


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights until the pruning epoch, a shared prefix; then ``keep``."""
    at_epoch = table["at_epoch"].fillna(table["epochs"] * 4 // 5)
    return magnitude.cost_profile(table.assign(at_epoch=at_epoch), weights, sharing)


def entry(criterion: str, **own: Any) -> Entry:
    """Return the entry of one method of the family."""
    return Entry(
        taxonomy=Taxonomy(
            unit="weight",
            when="during",
            schedule="once",
            criterion=criterion,
            allocation="erk",
            data="points without labels",
            cost="dense to sparse",
            second_phase="fine-tune",
        ),
        check=within_training("at_epoch"),
        cost_profile=cost_profile,
        marker="H",
        **own,
    )
