"""Dense training, then cycles of pruning and retraining: ``imp`` and ``bimp``."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from pydantic import Field

from spiral import masks, mlp, schedules
from spiral.config import Options
from spiral.job import Budget, Change, Plan, View
from spiral.methods import retraining
from spiral.methods.entry import CostProfile, Mistake, Taxonomy
from spiral.methods.retraining import Retraining


class CyclesOptions(Options):
    """What both methods have in common."""

    retraining: Retraining = Field(
        "allr", description="learning rates after each pruning"
    )
    buffers: Literal["reset", "kept"] = Field(
        "kept", description="momentum when weights come back, or when they go"
    )


class Lengths(NamedTuple):
    """How long the parts of a training are."""

    dense: int
    """Epochs before the first pruning."""
    retrainings: tuple[int, ...]
    """Epochs after each pruning."""


@dataclass(frozen=True)
class Cycles:
    """Iterative magnitude pruning with retraining (Zimmer et al., ICLR 2023).

    After a dense training each cycle keeps the same share of the weights left, those of
    largest absolute value over all layers, and retrains them from where they are, with
    learning rates of their own (``retraining``). The last cycle keeps exactly ``keep``,
    whatever their number. Momentum goes on through prunings, as in the authors' code,
    which has one optimiser; pruned weights lose theirs.

    Assumptions: retraining changes its learning rate at every step, though schedules
    change theirs at epochs; where that is constant, ``ft`` is ``lrw`` (B3.3). Momentum
    is plain, as everywhere here (B3.4). What ``allr`` measures are dropped weights,
    without the biases that go with their units.
    """

    lengths: Callable[[int], Lengths]
    """From the epochs of the budget."""
    retraining: Retraining
    buffers: Literal["reset", "kept"]
    dense_rates: Literal["schedule", "linear"] = "schedule"

    def plan(self, budget: Budget) -> Plan:
        """One event before each retraining."""
        dense, cycles = self.lengths(budget.epochs)
        steps = [epochs * budget.steps_per_epoch for epochs in (dense, *cycles)]
        curves = schedules.curves(dense, budget.steps_per_epoch)
        if self.dense_rates == "linear":
            curves = dict.fromkeys(curves, schedules.ramp(steps[0]))
        return Plan(
            steps=sum(steps),
            events=tuple(accumulate(steps[:-1])),
            curves={
                name: np.concatenate(
                    [curve]
                    + [retraining.curve(self.retraining, curve, n) for n in steps[1:]]
                )
                for name, curve in curves.items()
            },
        )

    def start(self, view: View) -> int:
        """Return how many prunings have passed."""
        return 0

    def act(self, view: View, state: int) -> tuple[Change, int]:
        """Prune, and say how fast to retrain."""
        kept = self._prune(view, state + 1)
        scale = None
        if self.retraining == "allr":
            stops = (*view.plan.events, view.plan.steps)
            share = (stops[state + 1] - stops[state]) / stops[0]
            scale = retraining.adaptive(view, kept, share)
        stay = masks.with_biases(kept, view.width)
        reset_momentum = np.ones_like(stay) if self.buffers == "reset" else None
        return Change(
            masks=stay, reset_momentum=reset_momentum, lr_scale=scale
        ), state + 1

    def _prune(self, view: View, cycle: int) -> Bool[np.ndarray, "N W"]:
        """Keep the largest of the weights left."""
        kept = masks.of_weights(view.masks, view.width)
        size = np.abs(masks.of_weights(view.params, view.width))
        size = np.where(kept, np.nan_to_num(size), np.float32(-1))
        total = mlp.weight_count(view.width)
        count = left_evenly(cycle, len(view.plan.events), view.keep, total)
        return masks.keep_top(size, count)


def left_evenly(
    cycle: int, cycles: int, keep: Int[np.ndarray, " N"], total: int
) -> Int[np.ndarray, " N"]:
    """Return the weights left after some of the cycles, each keeping the same share."""
    return np.rint(total * (keep / total) ** (cycle / cycles)).astype(np.int64)


def check_lrw(lengths: Lengths, table: pd.DataFrame) -> list[Mistake]:
    """Learning rates can be replayed only as far back as they go."""
    too_long = max(lengths.retrainings) > lengths.dense
    if not too_long or not (table["retraining"] == "lrw").any():
        return []
    text = f"lrw replays {max(lengths.retrainings)} epochs of a dense training of"
    return [Mistake("retraining", f"{text} {lengths.dense}", "lrw")]


def cost_profile(
    lengths: Lengths, table: pd.DataFrame, weights: int, twins: np.ndarray
) -> CostProfile:
    """The dense training, which twins share, then one part a cycle."""
    keep = table["keep"].to_numpy(np.float64)
    cycles = len(lengths.retrainings)
    kept = weights * (keep / weights) ** (np.arange(cycles + 1)[:, None] / cycles)
    epochs = np.array([lengths.dense, *lengths.retrainings], float)
    share = np.repeat(epochs[:, None] / epochs.sum(), len(keep), axis=1)
    share[0] /= twins
    return CostProfile(kept, share)


TAXONOMY = Taxonomy(
    unit="weight",
    when="during",
    schedule="iterative",
    criterion="magnitude",
    cost="dense to sparse",
    second_phase="fine-tune",
)
