"""``taylor_unit``: remove the hidden units whose absence changes the loss least."""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.magnitude import magnitude
from spiral.methods.parts import counts, hidden_units
from spiral.methods.units import structured
from spiral.model import mlp
from spiral.protocol.config import origin, unit
from spiral.protocol.job import Budget, Change, Plan, View


class TaylorUnitOptions(structured.UnitOptions):
    """Options of ``taylor_unit``."""

    rounds: int = Field(
        10,
        ge=1,
        description="rounds of scoring and pruning",
        json_schema_extra=unit("rounds") | origin("ours"),
    )
    interval: int = Field(
        39,
        ge=1,
        description="training steps between rounds",
        json_schema_extra=unit("steps") | origin("ours: a tenth of an epoch"),
    )
    batches: int = Field(
        8,
        ge=1,
        le=390,
        description="batches in the scoring of a round",
        json_schema_extra=unit("batches") | origin("ours"),
    )


@dataclass(frozen=True)
class TaylorUnit:
    """First-order Taylor pruning (Molchanov et al., CVPR 2019, arXiv:1906.10771).

    A unit's score is (Σ θ·g)² over its incoming weights and bias, with the gradient g
    of a batch, and averaged over batches: what a gate on the unit would do to the loss,
    to first order. Round i of n leaves W · (keep/W)^(i/n) weights; training goes on in
    between.

    Departures: hidden units are the filters; rounds shrink the weights geometrically
    rather than by a number of filters; the batches are those that training sees next.
    """

    at_epoch: int | None
    scope: hidden_units.Scope
    remainder: hidden_units.Remainder
    rounds: int
    interval: int
    batches: int

    def plan(self, budget: Budget) -> Plan:
        """Events from ``at_epoch`` on, as many as fit into the training."""
        first = counts.pruning_step(budget, self.at_epoch)
        events = range(first, budget.steps + 1, self.interval)[: self.rounds]
        return Plan.simple(budget, *events, exact=self.remainder == "weights")

    def start(self, view: View) -> hidden_units.Units:
        """Remember the units that are left: all."""
        return np.ones((len(view.keep), hidden_units.HIDDEN, view.width), bool)

    def act(
        self, view: View, state: hidden_units.Units
    ) -> tuple[Change, hidden_units.Units]:
        """Score anew and prune to the count of this round."""
        events = view.plan.events
        last = view.step == events[-1]
        passed = events.index(view.step) + 1
        count = self._count(view, passed)
        scores = self.scores(view)
        if self.scope == "layer":
            scores = hidden_units.within_layers(np.where(state, scores, -np.inf))
        stay = hidden_units.best(scores, count, state, self.remainder)
        # Only the last round may remove single weights to meet ``keep`` exactly.
        rest: hidden_units.Remainder = self.remainder if last else "units"
        return Change(masks=hidden_units.mask_of(stay, view.params, count, rest)), stay

    def _count(self, view: View, passed: int) -> hidden_units.Counts:
        """Return the weights that a round leaves, rounded up; in the end ``keep``."""
        rounds = len(view.plan.events)
        if passed == rounds:
            return view.keep
        total = mlp.weight_count(view.width)
        left = np.ceil(counts.geometric(passed / rounds, view.keep, total))
        return np.maximum(view.keep, left.astype(np.int64))

    def scores(self, view: View) -> hidden_units.Scores:
        """Return the mean over batches of the squared change of the loss."""
        from spiral.model import gradients

        total = np.zeros((len(view.keep), hidden_units.HIDDEN, view.width))
        for i in range(self.batches):
            batch = view.batch(view.step + i)
            slope = gradients.gradient(view.params, batch, view.width)
            change = view.params * slope
            total += hidden_units.scores(change, view.width, "first", "score") ** 2
        return total / self.batches


ENTRY = Entry(
    build=TaylorUnit,
    summary="hidden units whose removal would change the loss most stay, in rounds",
    citation="Molchanov et al., CVPR 2019, arXiv:1906.10771",
    taxonomy=Taxonomy(
        unit="neuron",
        when="during",
        schedule="iterative",
        criterion="(Σ w·g)²",
        data="some batches a round",
        cost="dense to sparse",
        second_phase="fine-tune",
    ),
    options=TaylorUnitOptions,
    check=structured.check,
    cost_profile=magnitude.cost_profile,
    gradients=lambda table: (table["rounds"] * table["batches"]).to_numpy(np.float64),
    colour="#56B4E9",
    marker="2",
)
