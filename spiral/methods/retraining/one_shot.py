"""``one_shot``: prune a checkpoint of a dense training once, then retrain in full."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy, within_training
from spiral.methods.parts.allocation import (
    SAYS_SCOPE,
    SCOPE,
    Allocation,
    Scope,
    allocation_option,
    build_scoped,
    check_scope,
    largest,
)
from spiral.model import masks, schedules
from spiral.protocol import budgets
from spiral.protocol.config import PER_NETWORK, Options, first_default, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, Sam, Sgd, View


class OneShotOptions(Options):
    """Options of ``one_shot``; the first four are temperatures of the dense network."""

    checkpoint: int | None = Field(
        None,
        ge=1,
        description="epoch of the dense training after which to prune [last]",
        json_schema_extra=unit("epochs"),
    )
    dense_lr: float | None = Field(
        None,
        gt=0,
        description="learning rate of the dense training [lr]",
        json_schema_extra=PER_NETWORK | unit("-"),
    )
    dense_batch: int | None = Field(
        None,
        ge=1,
        description="batch size of the dense training, for the same number of steps",
        json_schema_extra=unit("points"),
    )
    sam: float = Field(
        0.0,
        ge=0,
        description="ρ of sharpness-aware minimisation while dense",
        json_schema_extra=unit("-")
        | origin("Zhou et al. 2023: none unless it is the temperature"),
    )
    branch: int = Field(
        0,
        ge=0,
        description="number of the retraining: same weights, another batch order",
        json_schema_extra=PER_NETWORK | unit("-") | origin("ours: the first"),
    )
    retrain_share: float = Field(
        0.1,
        gt=0,
        description="learning rate of the retraining, as a share of `lr`",
        json_schema_extra=unit("-")
        | first_default(1.0)
        | origin("ours, tuned on seeds 1000-1019 at width 16"),
    )
    scope: Scope = SCOPE
    allocation: Allocation = allocation_option(
        "Zhang & Papyan 2024 (Zhou et al.: uniform)", **SAYS_SCOPE
    )


@dataclass(frozen=True)
class OneShot:
    """Trainings of the three-regime model (Zhou et al., ICML 2023, arXiv:2305.18383).

    Train densely at some temperature; keep the largest weights of a checkpoint; retrain
    for all epochs with the schedule from its start, plain SGD and fresh momentum. Equal
    configs that differ in ``branch`` share the dense network and its mask; how far
    apart they end determines the regime (``diagnose regimes``).

    Assumptions: checkpoints are of one dense training of ``epochs`` epochs, whose
    schedule they cut; batches of other sizes train for as many steps. Masks are global
    as in Zhang & Papyan (``allocation: uniform`` is the authors' way).
    """

    checkpoint: int | None
    dense_batch: int | None
    sam: float
    retrain_share: float = 0.1
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """Dense up to the checkpoint, then all epochs again; an event before each."""
        epochs = self.checkpoint or budget.epochs
        begin = epochs * budget.steps_per_epoch
        whole = schedules.curves(budget.epochs, budget.steps_per_epoch)
        return Plan(
            steps=begin + budget.steps,
            events=(0, begin),
            curves={n: np.concatenate([c[:begin], c]) for n, c in whole.items()},
            optimiser=Sam(self.sam) if self.sam else Sgd(),
        )

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Set the temperature, or prune."""
        if view.step == 0:
            own = pd.array(view.options["dense_lr"], "Float64")
            scale = own.to_numpy(np.float64, na_value=np.nan) / view.lr
            scale = np.nan_to_num(scale, nan=1.0)
            return Change(lr_scale=scale, batch=self.dense_batch), None
        chosen = largest(view, view.keep, self.allocation)
        kept = masks.with_biases(chosen, view.width)
        return Change(
            masks=kept,
            reset_momentum=np.ones_like(kept),
            lr_scale=np.full(len(kept), self.retrain_share),
            orders=view.options["branch"].astype(np.int64),
            batch=0,
            plain=True,
        ), None


def check(table: pd.DataFrame) -> list[Mistake]:
    """The checkpoint must be of the training, and options not contradict each other."""
    most = budgets.largest_batch_of_each(table)
    large = (table["dense_batch"] > most).fillna(False).to_numpy(bool)
    found = within_training("checkpoint")(table) + check_scope(table)
    if large.any():
        batch = int(table["dense_batch"][large].iloc[0])
        text = f"expected at most {most[large][0]:,}, half of the points, got {batch:,}"
        found.append(Mistake("dense_batch", text, batch))
    return found


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The dense part, a shared prefix with its own batches; then ``keep``."""
    epochs = table["epochs"].to_numpy(np.float64)
    dense = table["checkpoint"].fillna(table["epochs"]).to_numpy(np.float64)
    larger = table["dense_batch"].fillna(table["batch"]) / table["batch"]
    sam = np.where(table["sam"] > 0, 2.0, 1.0)  # two gradients a step
    total = dense + epochs
    before = dense / total / sharing * larger.to_numpy(np.float64) * sam
    return CostProfile.dense_first(weights, table["keep"], before, epochs / total)


ENTRY = Entry(
    build=partial(build_scoped, OneShot),
    summary="a dense checkpoint pruned once and retrained in full",
    citation="Zhou et al., ICML 2023, arXiv:2305.18383; Han et al. 2015",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="once",
        criterion="magnitude",
        cost="dense to sparse",
        second_phase="train",
    ),
    options=OneShotOptions,
    check=check,
    cost_profile=cost_profile,
    colour="#0072B2",
    marker="1",
)
