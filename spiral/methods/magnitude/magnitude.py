"""``magnitude``: keep the largest weights once, then train on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from spiral.methods.entry import Entry, Taxonomy, within_training
from spiral.methods.parts import counts
from spiral.methods.parts.allocation import Allocation, allocation_option, largest
from spiral.model import masks
from spiral.protocol.config import Options
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View


class MagnitudeOptions(Options):
    """Options of ``magnitude``."""

    at_epoch: int | None = counts.AT_EPOCH
    allocation: Allocation = allocation_option("Zhang & Papyan 2024")


@dataclass(frozen=True)
class Magnitude:
    """One-shot magnitude pruning (Han et al., NeurIPS 2015).

    Departure: pruning falls within the one budget and schedule; the authors prune after
    a full training and fine-tune then.
    """

    at_epoch: int | None
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event before epoch ``at_epoch``."""
        return Plan.simple(budget, counts.pruning_step(budget, self.at_epoch))

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Keep the ``keep`` weights of largest absolute value."""
        kept = largest(view, view.keep, self.allocation)
        return Change(masks=masks.with_biases(kept, view.width)), None


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights until the pruning epoch, a shared prefix; then ``keep``."""
    dense = (table["at_epoch"] / table["epochs"]).fillna(0.5).to_numpy(np.float64)
    return CostProfile.dense_first(weights, table["keep"], dense / sharing, 1 - dense)


ENTRY = Entry(
    build=Magnitude,
    summary="one-shot global magnitude pruning at an epoch, then train on",
    citation="Han et al., NeurIPS 2015, arXiv:1506.02626",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="once",
        criterion="magnitude",
        cost="dense to sparse",
        second_phase="fine-tune",
    ),
    options=MagnitudeOptions,
    check=within_training("at_epoch"),
    cost_profile=cost_profile,
    colour="#0072B2",
    marker="o",
)
