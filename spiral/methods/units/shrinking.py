"""Sparse training: units shrink every few steps until the smallest are removed.

A penalty of λ times R adds λ∂R to the gradient, which momentum μ makes 1/(1 - μ) times
as much. Here R acts by itself, every ``interval`` steps, for all of these at once: so
any engine can train, and momentum does not delay the penalty. As in the authors' codes
it follows the learning rate of each step; ``penalty_rate: base`` shrinks by the
config's rate throughout, 22 % more until the middle of a cosine schedule.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field

from spiral.methods.entry import Taxonomy
from spiral.methods.parts import counts, hidden_units
from spiral.methods.units import structured
from spiral.protocol.config import first_default, origin, unit
from spiral.protocol.job import Budget, Change, Params, Plan, View

TAXONOMY = Taxonomy(
    unit="neuron",
    when="during",
    schedule="once",
    criterion="magnitude",
    cost="dense to sparse",
    second_phase="fine-tune",
)


PenaltyRate = Literal["base", "scheduled"]


class ShrinkingOptions(structured.UnitOptions):
    """Options of ``group_norm`` and ``slimming``."""

    interval: int = Field(
        39,
        ge=1,
        description="training steps between penalty steps",
        json_schema_extra=unit("steps") | origin("ours: a tenth of an epoch"),
    )
    penalty: float = Field(
        1e-3,
        ge=0,
        description="λ/(1 - μ): penalty per step, times the learning rate",
        json_schema_extra=unit("-")
        | origin("Torch-Pruning and Liu et al. 2017: λ = 1e-4, × 1/(1 - 0.9)"),
    )
    penalty_rate: PenaltyRate = Field(
        "scheduled",
        description="learning rate of the penalty: the config's, or that of each step",
        json_schema_extra=first_default("base")
        | origin("authors' codes: the penalty is part of the gradient"),
    )


@dataclass(frozen=True)
class Law:
    """What a method shrinks and how it ranks."""

    shrink: Callable[[Params, int, Float[np.ndarray, " N"]], Params]
    """Maps parameters, width and the penalty of some steps to new parameters."""
    scores: Callable[[Params, int], hidden_units.Scores]


@dataclass(frozen=True)
class Shrinking:
    """Shrink units every ``interval`` steps; remove the smallest at ``at_epoch``."""

    at_epoch: int | None
    scope: hidden_units.Scope
    remainder: hidden_units.Remainder
    interval: int
    penalty: float
    penalty_rate: PenaltyRate
    law: Law

    def plan(self, budget: Budget) -> Plan:
        """Events to shrink, and a last one to prune."""
        last = counts.pruning_step(budget, self.at_epoch)
        events = (*range(self.interval, last, self.interval), last)
        return Plan.simple(budget, *events, exact=self.remainder == "weights")

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Shrink units, or remove them at the last event."""
        if view.step < view.plan.events[-1]:
            amount = self._amount(view)
            return Change(params=self.law.shrink(view.params, view.width, amount)), None
        scores = self.law.scores(view.params, view.width)
        stay = hidden_units.best_of(scores, view.keep, self.scope, self.remainder)
        kept = hidden_units.mask_of(stay, view.params, view.keep, self.remainder)
        return Change(masks=kept), None

    def _amount(self, view: View) -> Float[np.ndarray, " N"]:
        """Return the penalty of the steps since the last event."""
        if self.penalty_rate == "base":
            return view.lr * self.penalty * self.interval
        passed = view.rates(view.step - self.interval, view.step)
        found: Float[np.ndarray, " N"] = passed.sum(axis=0, dtype=float) * self.penalty
        return found
