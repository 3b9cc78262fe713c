"""``magnitude``: keep the largest weights once, then train on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field

from spiral import masks
from spiral.config import Options
from spiral.job import Budget, Change, Plan, View
from spiral.methods.entry import CostProfile, Entry, Mistake, Taxonomy


class MagnitudeOptions(Options):
    """Options of ``magnitude``."""

    at_epoch: int | None = Field(
        None, ge=0, description="epoch before which it prunes; None is half-way"
    )


@dataclass(frozen=True)
class Magnitude:
    """One-shot global magnitude pruning (Han et al., NeurIPS 2015).

    Departure: pruning falls inside the one budget and schedule, rather than after a
    full training that fine-tuning follows.
    """

    at_epoch: int | None

    def plan(self, budget: Budget) -> Plan:
        """One event before epoch ``at_epoch``."""
        epoch = budget.epochs // 2 if self.at_epoch is None else self.at_epoch
        return Plan.simple(budget, epoch * budget.steps_per_epoch)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Keep the ``keep`` weights of largest absolute value, over all layers."""
        scores = np.abs(masks.of_weights(view.params, view.width))
        kept = masks.keep_top(scores, view.keep)
        return Change(masks=masks.with_biases(kept, view.width)), None


def check(table: pd.DataFrame) -> list[Mistake]:
    """Pruning must fall within the training."""
    late = table[(table["at_epoch"] > table["epochs"]).fillna(False)]
    if late.empty:
        return []
    epoch, epochs = late["at_epoch"].iloc[0], late["epochs"].iloc[0]
    text = f"{epoch} lies after the end of a training of {epochs} epochs"
    return [Mistake("at_epoch", text, epoch)]


def cost_profile(table: pd.DataFrame, weights: int, twins: np.ndarray) -> CostProfile:
    """All weights until the pruning epoch, shared by twins; then ``keep``."""
    dense = (table["at_epoch"] / table["epochs"]).fillna(0.5).to_numpy(np.float64)
    keep = table["keep"].to_numpy(np.float64)
    kept = np.stack([np.full(len(keep), float(weights)), keep])
    return CostProfile(kept, np.stack([dense / twins, 1 - dense]))


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
    check=check,
    cost_profile=cost_profile,
)
