"""One-shot removal of hidden units by a score of their parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float

from spiral.methods.entry import Mistake, within_training
from spiral.methods.parts import brain_surgeon, counts, hidden_units
from spiral.methods.parts.batches import next_batches
from spiral.protocol.config import Options
from spiral.protocol.job import Budget, Change, Plan, View

Criterion = Literal["l1", "l2", "snip", "taylor", "grasp", "obs"]
"""Scores of a parameter θ with gradient g and Hessian H of the loss: |θ|, θ², |θg|, θg
(whose sum over a unit counts by magnitude), θ·Hg, and θ²/[H⁻¹] of a layer's inputs."""

DAMPING = 0.01


class UnitOptions(Options):
    """Options of methods that remove units by a score."""

    at_epoch: int | None = counts.AT_EPOCH
    scope: hidden_units.Scope = hidden_units.scope_option("global")
    remainder: hidden_units.Remainder = hidden_units.REMAINDER


@dataclass(frozen=True)
class Structured:
    """Structured pruning of coupled units, once.

    A score of each parameter; a unit's is that of its incoming row, bias and outgoing
    column together; each layer is normalised; units of all layers are ranked.
    """

    at_epoch: int | None
    scope: hidden_units.Scope
    remainder: hidden_units.Remainder
    criterion: Criterion
    aggregate: hidden_units.Aggregate
    normalise: hidden_units.Normalise
    biases: hidden_units.Biases
    batches: int = 1

    def plan(self, budget: Budget) -> Plan:
        """One event before epoch ``at_epoch``."""
        event = counts.pruning_step(budget, self.at_epoch)
        return Plan.simple(budget, event, exact=self.remainder == "weights")

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Score once and keep the best units."""
        scores = self._scores(view)
        stay = hidden_units.best_of(scores, view.keep, self.scope, self.remainder)
        kept = hidden_units.mask_of(stay, view.params, view.keep, self.remainder)
        return Change(masks=kept), None

    def _scores(self, view: View) -> hidden_units.Scores:
        """Score units by their parameters."""
        values = CRITERIA[self.criterion](view, self.batches)
        found = hidden_units.scores(values, view.width, self.aggregate, self.biases)
        if self.criterion == "taylor":
            found = np.abs(found)
        return hidden_units.normalised(found, self.normalise)


Values = Float[np.ndarray, "N P"]


def _l1(view: View, batches: int) -> Values:
    return np.abs(view.params.astype(np.float64))


def _l2(view: View, batches: int) -> Values:
    return view.params.astype(np.float64) ** 2


def _snip(view: View, batches: int) -> Values:
    return np.abs(_taylor(view, batches))


def _taylor(view: View, batches: int) -> Values:
    from spiral.model import gradients

    batch = next_batches(view, batches)
    return view.params * gradients.gradient(view.params, batch, view.width)


def _grasp(view: View, batches: int) -> Values:
    from spiral.model import gradients

    batch = next_batches(view, batches)
    slope = gradients.gradient(view.params, batch, view.width)
    return view.params * gradients.hessian_times(view.params, slope, batch, view.width)


def _obs(view: View, batches: int) -> Values:
    points, _ = next_batches(view, batches)
    found = np.empty(view.params.shape)
    for row, params, seen in zip(found, view.params, points, strict=True):
        parts = []
        inputs = brain_surgeon.layer_inputs(params, seen, view.width)
        layers = brain_surgeon.augmented(params, view.width)
        for weights, x in zip(layers, inputs, strict=True):
            each = weights**2 / np.diagonal(brain_surgeon.inverse_hessian(x, DAMPING))
            parts += [each[:, :-1].ravel(), each[:, -1]]
        row[:] = np.concatenate(parts)
    return found


CRITERIA: dict[Criterion, Callable[[View, int], Values]] = {
    "l1": _l1,
    "l2": _l2,
    "snip": _snip,
    "taylor": _taylor,
    "grasp": _grasp,
    "obs": _obs,
}


def check(table: pd.DataFrame) -> list[Mistake]:
    """Pruning must fall within the training, and a unit per layer must fit."""
    return [*within_training("at_epoch")(table), *hidden_units.check(table)]
