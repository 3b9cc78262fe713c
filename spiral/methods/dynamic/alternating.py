"""Dense and sparse phases in turn: ``acdc`` and ``acdc_pp``."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool

from spiral.methods.dynamic.phases import phases_of
from spiral.methods.parts import n_of_m, scores
from spiral.methods.parts.allocation import Allocation, largest
from spiral.methods.parts.retraining_rates import Buffers
from spiral.model import masks, schedules
from spiral.protocol.job import Budget, Change, Plan, View

Scope = Literal["global", "uniform", "nm"]
Rates = Literal["schedule", "linear"]

REFERENCE_WARMUP = 2 / 88
"""Share of the training that the learning rate of ``linear`` takes to rise."""


@dataclass(frozen=True)
class Alternating:
    """AC/DC (Peste et al., NeurIPS 2021, arXiv:2106.12379) and AC/DC++.

    The training begins dense; then phases alternate, sparse ones first. A sparse phase
    begins with the ``keep`` weights of largest absolute value, over all layers, and
    keeps its mask. A dense phase brings the others back as zeros and resets all
    momentum; nothing is reset when a sparse phase begins. The last sparse phase ends
    the training. One learning-rate schedule runs through all phases. A unit that loses
    all its weights never returns: zeros before and behind it leave no gradient.

    AC/DC++ (Kuznedelev et al. 2023, arXiv:2308.02060) does not stretch its phases:
    trainings of 50, 100, 200 and 500 epochs have 7, 17, 37 and 97 of them between the
    first and the last two. Warm-up, linear decay and label smoothing are those of the
    FFCV reference recipe, from memory of the paper's appendix; the weight decay stays
    ours, and growing input sizes mean nothing in the plane. Its label smoothing is its
    own option; ``label_smoothing`` of a config is refused unless ``smoothing`` is 0.

    Assumptions: the phases are those of the authors' CIFAR-100 recipe by default, whose
    optimiser is closest to ours. Their momentum is Nesterov's: set ``nesterov: true``
    in a config for it; the default is plain, as for all methods. Bias masks follow the
    rule of Zhang & Papyan in sparse phases, and biases return in dense ones; the
    authors mask no bias. The step schedule of a config stays as it is, so late phases
    train at 1 % of the learning rate. ``uniform`` keeps the first and last layer dense,
    so it needs more weights than these two have.

    Departures: exactly ``keep`` weights stay, where the authors' threshold keeps one
    too few. Momentum of pruned weights is zero at once, where theirs fades; so with
    ``buffers: kept`` weights come back without any. On CIFAR-100 the authors' momentum
    is Nesterov's: the config field ``nesterov``, off by default for every method.
    """

    first_dense: float
    phase: float
    last_dense: float
    last_sparse: float
    buffers: Buffers
    scope: Scope
    nm_keep: int
    nm_group: int
    stretched: bool
    smoothing: float = 0.0
    rates: Rates = "schedule"
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event at the beginning of each phase but the first."""
        phases = phases_of(self, self.stretched)
        events = phases.beginnings(budget)
        plan = Plan.simple(budget, *events, label_smoothing=self.smoothing)
        if self.rates == "schedule":
            return plan
        warmup = max(1, round(REFERENCE_WARMUP * budget.epochs))
        ramp = schedules.ramp(budget.steps, warmup * budget.steps_per_epoch)
        return replace(plan, curves=dict.fromkeys(plan.curves, ramp))

    def start(self, view: View) -> int:
        """Return how many phases have begun since the first."""
        return 0

    def act(self, view: View, state: int) -> tuple[Change, int]:
        """Begin a phase, sparse and dense in turn."""
        everything = np.ones_like(view.masks)
        if state % 2:
            reset = everything if self.buffers == "reset" else None
            return Change(masks=everything, reset_momentum=reset), state + 1
        kept = masks.with_biases(self._prune(view), view.width)
        if state + 1 < len(view.plan.events):
            return Change(masks=kept), state + 1
        twin = view.options["twin"]
        kept[twin != "sparse"] = True
        everything[twin == "dense"] = False
        return Change(masks=kept, trainable=everything), state + 1

    def _prune(self, view: View) -> Bool[np.ndarray, "N W"]:
        """Keep the largest weights."""
        if self.scope == "global":
            return largest(view, view.keep, self.allocation)
        size = scores.sizes_left(view)
        if self.scope == "nm":
            return n_of_m.n_of_m(size, view.width, self.nm_keep, self.nm_group)
        return n_of_m.uniform(size, view.width, view.keep)
