"""``soft_filter``: silence small hidden units every epoch, and let them return."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import hidden_units
from spiral.model import mlp
from spiral.protocol.config import Options
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View


class SoftFilterOptions(Options):
    """Options of ``soft_filter``."""

    scope: hidden_units.Scope = hidden_units.scope_option("layer")
    remainder: hidden_units.Remainder = hidden_units.REMAINDER


@dataclass(frozen=True)
class SoftFilter:
    """Soft filter pruning (He et al., IJCAI 2018, arXiv:1808.06866).

    After every epoch the units of the smallest norm are set to zero, but train on and
    may grow back; after the last they are removed.

    Departures: a unit's norm is over incoming weights, bias and outgoing weights, and
    only the outgoing ones are set to zero: without batch normalisation a ReLU unit
    without input has no gradient and could not return. Which units go depends on a
    budget of weights rather than on a share of each layer's filters.
    """

    scope: hidden_units.Scope
    remainder: hidden_units.Remainder

    def plan(self, budget: Budget) -> Plan:
        """An event after every epoch."""
        steps = budget.steps_per_epoch
        events = range(steps, budget.steps + 1, steps)
        return Plan.simple(budget, *events, exact=self.remainder == "weights")

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Silence units, or remove them at the end."""
        square = view.params.astype(np.float64) ** 2
        scores = hidden_units.scores(square, view.width, "sum", "score")
        stay = hidden_units.best_of(scores, view.keep, self.scope, self.remainder)
        if view.step == view.plan.steps:
            kept = hidden_units.mask_of(stay, view.params, view.keep, self.remainder)
            return Change(masks=kept), None
        return Change(params=silenced(view.params, stay, view.width)), None


def silenced(params: np.ndarray, stay: hidden_units.Units, width: int) -> np.ndarray:
    """Return parameters in which the other units have no outgoing weights."""
    quiet = params.copy()
    for hidden, layer in enumerate(mlp.layers(width)[1:]):
        part = quiet[:, layer.weights].reshape(-1, layer.outputs, layer.inputs)
        part = np.where(stay[:, hidden, None, :], part, np.float32(0))
        quiet[:, layer.weights] = part.reshape(len(quiet), -1)
    return quiet


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights to the end."""
    return CostProfile.even(np.full(len(table), float(weights)))


ENTRY = Entry(
    build=SoftFilter,
    summary="the smallest hidden units are silenced every epoch and may return",
    citation="He et al., IJCAI 2018, arXiv:1808.06866",
    taxonomy=Taxonomy(
        unit="neuron",
        when="during",
        schedule="iterative",
        criterion="magnitude",
        grow="all, as zeros",
        allocation="uniform",
        cost="dense",
    ),
    options=SoftFilterOptions,
    check=hidden_units.check,
    cost_profile=cost_profile,
    colour="#CC6677",
    marker="+",
)
