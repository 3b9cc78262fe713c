"""Dense and sparse phases in turn: ``acdc`` and ``acdc_pp``."""

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool
from pydantic import Field

from spiral import cubist, masks, schedules
from spiral.config import PER_NETWORK, Options
from spiral.job import Budget, Change, Plan, View
from spiral.methods import nm
from spiral.methods.entry import CostProfile, Mistake, Taxonomy

Scope = Literal["global", "uniform", "nm"]
Rates = Literal["schedule", "linear"]

HOST_EPOCHS = 50
"""The training that stretched phases are given for."""

REFERENCE_WARMUP = 2 / 88
"""Share of the training that the learning rate of ``linear`` takes to rise."""


class Phases(NamedTuple):
    """How long phases are, in epochs."""

    first_dense: float
    phase: float
    last_dense: float
    last_sparse: float
    stretched: bool
    """Whether these are epochs of a training of 50, or epochs of any training."""

    def beginnings(self, budget: Budget) -> tuple[int, ...]:
        """Return the steps at which phases begin: sparse, dense, … sparse."""
        stretch = budget.epochs / HOST_EPOCHS if self.stretched else 1.0
        epoch = stretch * budget.steps_per_epoch
        first = self.first_dense * epoch
        sparse = budget.steps - self.last_sparse * epoch
        dense = sparse - self.last_dense * epoch
        count = max(1, round((dense - first) / (self.phase * epoch)))
        inner = [first + i * (dense - first) / count for i in range(count)]
        last = [dense, sparse] if self.last_dense else []
        return tuple(round(step) for step in (*inner, *last))

    def mistake(self, budget: Budget) -> str | None:
        """Return why phases do not fill the training, or None if they do."""
        epochs = HOST_EPOCHS if self.stretched else budget.epochs
        rest = epochs - self.first_dense - self.last_dense - self.last_sparse
        count = round(rest / self.phase)
        if count < 1 or count % 2 == 0 or abs(count * self.phase - rest) > 1e-6:
            return (
                f"{self.phase:g} does not go an odd number of times into the "
                f"{rest:g} epochs between the first dense and the last phases"
            )
        begin = self.beginnings(budget)
        if min(np.diff(begin), default=1) < 1 or begin[-1] > budget.steps:
            return f"{self.phase:g} epochs are less than a step"
        return None


class AlternatingOptions(Options):
    """What both methods have in common."""

    first_dense: float = Field(
        2.5, ge=0, description="epochs (acdc: of 50) before the first sparse phase"
    )
    phase: float = Field(
        5.0,
        gt=0,
        description="epochs (acdc: of 50) of each phase between the first and the last "
        "two",
    )
    last_dense: float = Field(
        5.0, ge=0, description="epochs (acdc: of 50) of the last dense phase"
    )
    last_sparse: float = Field(
        7.5, ge=0, description="epochs (acdc: of 50) of the last sparse phase"
    )
    buffers: Literal["reset", "kept"] = Field(
        "reset", description="momentum when weights come back, or when they go"
    )
    scope: Scope = Field(
        "global",
        description="rank over all layers; the same share of each inner layer, the "
        "others dense; or N:M along inputs",
    )
    nm_keep: int = Field(2, ge=1, description="N of N:M: weights kept of each group")
    nm_group: int = Field(4, ge=2, description="M of N:M: weights of a group")
    twin: Literal["sparse", "dense", "dense_tuned"] = Field(
        "sparse",
        description="the network reported: the sparse one, the dense one before the "
        "last sparse phase, or that trained densely to the end; dense ones count as "
        "infeasible, since they do not keep `keep` weights",
        json_schema_extra=PER_NETWORK,
    )


@dataclass(frozen=True)
class Alternating:
    """AC/DC (Peste et al., NeurIPS 2021, arXiv:2106.12379) and AC/DC++.

    Dense first; then phases take turns, sparse ones first. A sparse phase begins with
    the ``keep`` weights of largest absolute value, over all layers, and keeps its mask.
    A dense phase brings the others back as zeros and resets all momentum; nothing is
    reset when a sparse phase begins. The last sparse phase ends the training. One
    learning-rate schedule runs through all phases. A unit that loses all its weights
    never returns: zeros before and behind it leave no gradient.

    Assumptions: the phases are those of the authors' CIFAR-100 recipe by default, whose
    optimiser is closest to ours (A1.2). Bias masks follow the rule of Zhang & Papyan in
    sparse phases and return in dense ones; the authors mask no bias (A1.3). The step
    schedule stays as it is, so late phases train at 1 % (A1.5). ``uniform`` keeps the
    first and last layer dense, so it needs more weights than these have (A1.7).

    Departures: exactly ``keep`` weights stay, where the authors' threshold keeps one
    too few. Momentum of pruned weights is zero at once, where theirs fades; so with
    ``buffers: kept`` weights come back without any.
    """

    first_dense: float
    phase: float
    last_dense: float
    last_sparse: float
    buffers: Literal["reset", "kept"]
    scope: Scope
    nm_keep: int
    nm_group: int
    stretched: bool
    smoothing: float = 0.0
    rates: Rates = "schedule"

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
            reset_momentum = everything if self.buffers == "reset" else None
            return Change(masks=everything, reset_momentum=reset_momentum), state + 1
        kept = masks.with_biases(self._prune(view), view.width)
        if state + 1 < len(view.plan.events):
            return Change(masks=kept), state + 1
        twin = view.options["twin"]
        kept[twin != "sparse"] = True
        everything[twin == "dense"] = False
        return Change(masks=kept, trainable=everything), state + 1

    def _prune(self, view: View) -> Bool[np.ndarray, "N W"]:
        """Keep the largest weights."""
        size = np.abs(masks.of_weights(view.params, view.width))
        if self.scope == "nm":
            return nm.n_of_m(size, view.width, self.nm_keep, self.nm_group)
        if self.scope == "uniform":
            return nm.uniform(size, view.width, view.keep)
        return masks.keep_top(size, view.keep)


def phases_of(row: Any, stretched: bool) -> Phases:
    """Return the phases of a config, or of whatever else has them as attributes."""
    return Phases(
        float(row.first_dense),
        float(row.phase),
        float(row.last_dense),
        float(row.last_sparse),
        stretched,
    )


def budget_of(row: Any) -> Budget:
    """Return the budget of a config."""
    return Budget(int(row.epochs), cubist.POINTS // int(row.batch))


def check(table: pd.DataFrame, stretched: bool) -> list[Mistake]:
    """Phases must fill the training, and patterns meet the number of weights."""
    names = ["first_dense", "phase", "last_dense", "last_sparse", "epochs", "batch"]
    found = []
    for row in table[names].drop_duplicates().itertuples():
        text = phases_of(row, stretched).mistake(budget_of(row))
        found += [] if text is None else [Mistake("phase", text, row.phase)]
    return [*found, *_check_scope(table)]


def _check_scope(table: pd.DataFrame) -> list[Mistake]:
    """A pattern keeps what it keeps; uniform layers lie between two whole ones."""
    found = []
    names = ["scope", "width", "keep", "nm_keep", "nm_group"]
    for scope, width, keep, some, group in (
        table[names].drop_duplicates().itertuples(index=False)
    ):
        whole, pattern = nm.ends(width), f"{some}:{group} at width {width}"
        if scope == "uniform" and keep < whole:
            text = f"{keep} is less than the {whole} of both end layers (uniform)"
            found.append(Mistake("keep", text, keep))
        elif scope == "nm" and some > group:
            found.append(Mistake("nm_keep", f"{pattern} is no pattern", some))
        elif scope == "nm" and keep != nm.count(width, some, group):
            right = nm.count(width, some, group)
            found.append(Mistake("keep", f"{pattern} keeps {right}, not {keep}", keep))
    return found


def cost_profile(
    table: pd.DataFrame, weights: int, twins: np.ndarray, stretched: bool
) -> CostProfile:
    """The beginning that twins share, other dense phases, sparse ones, the last."""
    row, keep = table.iloc[0], table["keep"].to_numpy(np.float64)
    budget = budget_of(row)
    events = phases_of(row, stretched).beginnings(budget)
    lengths = np.diff([*events, budget.steps]) / budget.steps
    first, last = events[0] / budget.steps, lengths[-1]
    sparse, dense = lengths[:-1:2].sum(), lengths[1::2].sum()
    whole = np.full(len(keep), float(weights))
    end = np.where(table["twin"] == "sparse", keep, whole)
    share = np.repeat([[first], [dense], [sparse], [last]], len(keep), axis=1)
    share[0] /= twins
    return CostProfile(np.stack([whole, whole, keep, end]), share)


TAXONOMY = Taxonomy(
    unit="weight",
    when="during",
    schedule="alternating",
    criterion="magnitude",
    grow="all",
    cost="alternating",
)
