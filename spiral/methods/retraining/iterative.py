"""Dense training, then cycles of pruning and retraining: ``imp`` and ``bimp``."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

import numpy as np

from spiral.methods.parts import retraining_rates, rounds
from spiral.methods.parts.allocation import Allocation
from spiral.methods.parts.retraining_rates import Buffers, Retraining
from spiral.model import masks, schedules
from spiral.protocol.job import Budget, Change, Plan, View


class Lengths(NamedTuple):
    """How long the parts of a training are."""

    dense: int
    """Epochs before the first pruning."""
    retrainings: tuple[int, ...]
    """Epochs after each pruning."""


def on_top(epochs: int, cycles: int, retrain_epochs: int) -> Lengths:
    """Return a whole dense training and equal retrainings: ``imp``."""
    return Lengths(epochs, (retrain_epochs,) * cycles)


def within(epochs: int, cycles: int, dense_share: float) -> Lengths:
    """Share out the epochs; the remainder goes to the last retraining: ``bimp``."""
    dense = max(1, int(round(dense_share * epochs, 9)))
    rest = epochs - dense
    each = rest // cycles
    return Lengths(dense, (*[each] * (cycles - 1), rest - each * (cycles - 1)))


@dataclass(frozen=True)
class Cycles:
    """Iterative magnitude pruning with retraining (Zimmer et al., ICLR 2023).

    After a dense training each cycle keeps the same share of the weights left, those of
    largest absolute value over all layers, and retrains them from where they are, with
    learning rates of their own (``retraining``). The last cycle keeps exactly ``keep``,
    whatever their number. Momentum goes on through prunings, as in the authors' code,
    which has one optimiser; pruned weights lose theirs.

    ``imp`` retrains on top of the budget, as in the original, so its trainings are
    longer than others: the column ``steps`` of a row shows it. ``bimp`` (budgeted
    iterative magnitude pruning) does all within the budget; its dense training ends at
    a learning rate of 0, to which it falls linearly whatever ``schedule`` is. Of 50
    epochs, ``recipe: once`` retrains for 10 after one pruning, ``four`` for 5 after
    each of four.

    Assumptions: retraining changes its learning rate at every step, though schedules
    change theirs at epochs; where that is constant, ``ft`` is ``lrw``. The authors'
    momentum is Nesterov's: set ``nesterov: true`` for it. ``allr`` measures dropped
    weights, without the biases that go with their units.
    """

    lengths: Callable[[int], Lengths]
    """From the epochs of the budget."""
    retraining: Retraining
    buffers: Buffers
    dense_rates: Literal["schedule", "linear"] = "schedule"
    allocation: Allocation = "global"

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
                    + [
                        retraining_rates.curve(self.retraining, curve, n)
                        for n in steps[1:]
                    ]
                )
                for name, curve in curves.items()
            },
        )

    def start(self, view: View) -> int:
        """Return how many prunings have passed."""
        return 0

    def act(self, view: View, state: int) -> tuple[Change, int]:
        """Prune, and set the learning rate of the retraining."""
        done = (state + 1) / len(view.plan.events)
        kept = rounds.prune(view, done, self.allocation)
        scale = None
        if self.retraining == "allr":
            stops = (*view.plan.events, view.plan.steps)
            share = (stops[state + 1] - stops[state]) / stops[0]
            scale = retraining_rates.adaptive(view, kept, share)
        stay = masks.with_biases(kept, view.width)
        reset = np.ones_like(stay) if self.buffers == "reset" else None
        return Change(masks=stay, reset_momentum=reset, lr_scale=scale), state + 1
