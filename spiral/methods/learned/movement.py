"""``movement``: keep the weights that move away from zero."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import counts, fractions, harden, shares
from spiral.methods.parts.allocation import allocation_option
from spiral.methods.parts.shares import Quota
from spiral.model import mlp
from spiral.protocol.config import Options
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, Reparam, View

Shared = Literal["global", Quota]
"""Allocations that give counts; LAMP's follow from the scores."""


class MovementOptions(Options):
    """Options of ``movement``."""

    begin: float = fractions.below_one(
        0.1,
        "fraction of training in which all weights are active",
        "about the warm-up of Sanh et al. 2020",
    )
    interval: int = harden.INTERVAL
    end: float = harden.end_option()
    allocation: Shared = allocation_option("ours (theirs: uniform)", legal=Shared)


@dataclass(frozen=True)
class Movement:
    """Movement pruning (Sanh, Wolf & Rush, NeurIPS 2020, arXiv:2005.07683), hard.

    Scores s start at 0. Networks run on the weights of the k highest scores; every
    score, also those of inactive weights, gets the gradient w·∂L/∂θ, so -s sums up how
    far the loss wants to move a weight towards 0. k falls along a cubic between
    ``begin`` and ``end``, where the mask becomes final.

    Scores have the learning rate of the weights and no penalty: with zero starts, a
    factor on their rate changes no mask. While all weights are active scores gather
    without a ranking, so that ties of the start decide nothing.

    Departures: SGD with momentum for weights and scores (the authors: Adam); ranks
    over all layers by default, where theirs are within a matrix; then plain training. A
    training that ``stop_epoch`` ends before ``end`` has all its weights, also inactive
    ones, and no ``running_loss``.
    """

    begin: float
    interval: int
    end: float
    allocation: Shared

    def plan(self, budget: Budget) -> Plan:
        """Start the scores; count down the active weights; make the mask final."""
        here = Reparam("top", harden.level(budget, 1.0))
        last = harden.event(budget, self.end)
        first = min(budget.at(self.begin) + self.interval, last)
        return harden.plan(budget, self.end, here, *range(first, last, self.interval))

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Start the scores, set the count of active weights, or end."""
        if view.step == view.plan.events[-1]:
            assert view.adapters is not None
            params = np.array(view.params)
            return harden.harden(view, params, self.allocation, view.adapters), None
        if view.step == 0:
            return Change(adapters=harden.start(view)), None
        begin = int(self.begin * view.plan.steps)
        done = (view.step - begin) / (view.plan.events[-1] - begin)
        total = mlp.weight_count(view.width)
        active = np.rint(counts.cubic(done, view.keep, total)).astype(np.int64)
        if self.allocation == "global":
            return Change(active_counts=active[:, None]), None
        found = shares.quotas(active, view.width, self.allocation)
        return Change(active_counts=found.astype(np.int64)), None


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights to ``end``, shared until ``begin``; then ``keep``."""
    begin = table["begin"].to_numpy(np.float64)
    return harden.cost_profile(table, weights, sharing, begin)


ENTRY = Entry(
    build=Movement,
    summary="keeps the weights that training moves away from zero",
    citation="Sanh et al., NeurIPS 2020, arXiv:2005.07683; code: "
    "huggingface/block_movement_pruning",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="gradual",
        criterion="movement",
        grow="movement",
        cost="dense to sparse",
    ),
    options=MovementOptions,
    check=fractions.ends_after("begin"),
    cost_profile=cost_profile,
    colour="#8C564B",
    marker="^",
)
