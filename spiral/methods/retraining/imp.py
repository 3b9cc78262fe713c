"""``imp`` and ``bimp``: dense training, then cycles of pruning and retraining."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import counts, retraining_rates
from spiral.methods.parts.allocation import Allocation, allocation_option, largest
from spiral.methods.parts.retraining_rates import Buffers, Retraining, buffers_option
from spiral.model import masks, mlp, schedules
from spiral.protocol.config import Options, first_default, origin, preset, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View


class CyclesOptions(Options):
    """Options of both methods."""

    retraining: Retraining = Field(
        "allr", description="learning rates after each pruning"
    )
    buffers: Buffers = buffers_option("kept")
    allocation: Allocation = allocation_option("Zimmer et al. 2023")


class ImpOptions(CyclesOptions):
    """Options of ``imp``."""

    cycles: int = Field(
        4,
        ge=1,
        description="number of prunings",
        json_schema_extra=unit("prunings") | origin("ours"),
    )
    retrain_epochs: int = Field(
        5,
        ge=1,
        description="epochs after each pruning, on top of `epochs`",
        json_schema_extra=unit("epochs") | origin("ours"),
    )


TUNED = origin("ours, compared on seeds 1000-1019 at width 16")


class BimpOptions(CyclesOptions):
    """Options of ``bimp``."""

    recipe: Literal["once", "four"] = preset(
        "four",
        "one cycle in the last fifth, or four in the last two fifths",
        {"once": {"cycles": 1, "dense_share": 0.8}},
        **first_default("once"),
        **TUNED,
    )
    cycles: int = Field(
        4,
        ge=1,
        description="number of prunings",
        json_schema_extra=unit("prunings") | first_default(1) | TUNED,
    )
    dense_share: float = Field(
        0.6,
        gt=0,
        lt=1,
        description="share of the epochs before the first pruning",
        json_schema_extra=unit("-") | first_default(0.8) | TUNED,
    )


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
        kept = self._prune(view, state + 1)
        scale = None
        if self.retraining == "allr":
            stops = (*view.plan.events, view.plan.steps)
            share = (stops[state + 1] - stops[state]) / stops[0]
            scale = retraining_rates.adaptive(view, kept, share)
        stay = masks.with_biases(kept, view.width)
        reset = np.ones_like(stay) if self.buffers == "reset" else None
        return Change(masks=stay, reset_momentum=reset, lr_scale=scale), state + 1

    def _prune(self, view: View, cycle: int) -> Bool[np.ndarray, "N W"]:
        """Keep the largest of the weights left."""
        done = cycle / len(view.plan.events)
        left = counts.geometric(done, view.keep, mlp.weight_count(view.width))
        count = np.rint(left).astype(np.int64)
        return largest(view, count, self.allocation)


@dataclass(frozen=True)
class Kind:
    """How the two methods differ."""

    lengths: Callable[..., Lengths]
    """From epochs, cycles and the option ``last``."""
    last: str
    dense_rates: Literal["schedule", "linear"]

    def build(self, cycles: int, **options: Any) -> Cycles:
        """Return the method."""
        own = {"cycles": cycles, self.last: options.pop(self.last)}
        lengths = partial(self.lengths, **own)
        return Cycles(lengths, **options, dense_rates=self.dense_rates)

    def of(self, table: pd.DataFrame) -> Lengths:
        """Return the lengths that configs share."""
        row = table.iloc[0]
        return self.lengths(int(row["epochs"]), int(row["cycles"]), row[self.last])

    def check(self, table: pd.DataFrame) -> list[Mistake]:
        """Every cycle needs an epoch, and a replayed curve must be long enough."""
        found = []
        for _, part in table.groupby(["epochs", "cycles", self.last]):
            lengths = self.of(part)
            found += _check_replay(lengths, part)
            if not min(lengths.retrainings):
                count, epochs = part[["cycles", "epochs"]].iloc[0]
                left = epochs - lengths.dense
                text = f"{count} retrainings do not fit into {left} of {epochs} epochs"
                found.append(Mistake("cycles", text, count))
        return found

    def cost_profile(
        self, table: pd.DataFrame, weights: int, sharing: np.ndarray
    ) -> CostProfile:
        """The dense training, a shared prefix; then one part per cycle."""
        lengths, keep = self.of(table), table["keep"].to_numpy(np.float64)
        cycles = len(lengths.retrainings)
        done = np.arange(cycles + 1)[:, None] / cycles
        epochs = np.array([lengths.dense, *lengths.retrainings], float)
        share = np.repeat(epochs[:, None] / epochs.sum(), len(keep), axis=1)
        share[0] /= sharing
        return CostProfile(counts.geometric(done, keep, weights), share)


def _check_replay(lengths: Lengths, table: pd.DataFrame) -> list[Mistake]:
    """Learning rates can be replayed only as far back as they go."""
    longest = max(lengths.retrainings)
    if longest <= lengths.dense or not (table["retraining"] == "lrw").any():
        return []
    text = f"lrw replays the last {longest} epochs of a dense training of only"
    return [Mistake("retraining", f"{text} {lengths.dense}", "lrw")]


def _entry(kind: Kind, **own: Any) -> Entry:
    """Return the entry of either method."""
    return Entry(
        build=kind.build,
        taxonomy=Taxonomy(
            unit="weight",
            when="during",
            schedule="iterative",
            criterion="magnitude",
            cost="dense to sparse",
            second_phase="fine-tune",
        ),
        check=kind.check,
        cost_profile=kind.cost_profile,
        **own,
    )


IMP = _entry(
    Kind(on_top, "retrain_epochs", "schedule"),
    summary="a whole dense training, then cycles of pruning and retraining",
    citation="Zimmer et al., ICLR 2023, arXiv:2111.00843; Han et al. 2015",
    colour="#6699CC",
    marker="1",
    options=ImpOptions,
)

BIMP = _entry(
    Kind(within, "dense_share", "linear"),
    summary="dense training, then cycles of pruning and retraining, in one budget",
    citation="Zimmer et al., ICLR 2023, arXiv:2111.00843",
    colour="#DDCC77",
    marker="2",
    options=BimpOptions,
)
