"""``lth``: iterative magnitude pruning with rewinding."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from pydantic import Field

from spiral.methods.entry import Entry, Fidelity, Mistake, Taxonomy, fidelity
from spiral.methods.parts import counts, cycles
from spiral.methods.parts.allocation import Allocation, allocation_option, largest
from spiral.methods.parts.counts import left_at_rate, levels_needed
from spiral.methods.parts.cycles import CyclicOptions, cyclic
from spiral.model import masks, mlp, schedules
from spiral.protocol.config import origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Params, Plan, View

Rewind = Literal["weights", "rates", "both"]


class LevelOptions(CyclicOptions):
    """Options of ``lth``, which ``lrr`` has too."""

    rate: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="share of the weights that one level removes",
        json_schema_extra=unit("-") | origin("Frankle & Carbin 2019"),
    )
    shrink: Literal["rate", "even"] = Field(
        "rate",
        description="a level removes `rate` of the weights left, or all levels the "
        "same share, (keep/W)^(1/levels)",
    )
    levels: int | None = Field(
        None,
        ge=1,
        description="number of prunings; None: as many as `rate` needs",
        json_schema_extra=unit("prunings"),
    )
    rewind_epoch: int = Field(
        0,
        ge=0,
        description="epoch to which weights, learning rates or both are rewound",
        json_schema_extra=unit("epochs") | origin("Frankle & Carbin 2019"),
    )
    selection: Literal["rank", "strict"] = Field(
        "rank", description="keep exactly as many weights, or those above the last one"
    )
    allocation: Allocation = allocation_option("Frankle & Carbin 2019, deep networks")


class LthOptions(LevelOptions):
    """Options of ``lth``."""

    fidelity: Fidelity = fidelity(levels=4, shrink="even", selection="strict")
    rewind: Rewind = Field(
        "weights",
        description="what returns to `rewind_epoch`: the weights kept, while learning "
        "rates start again (Frankle & Carbin 2019), learning rates (Renda et al. 2020) "
        "or both (Frankle et al. 2020)",
        json_schema_extra=origin("Frankle & Carbin 2019"),
    )


@dataclass(frozen=True)
class Lth:
    """Iterative magnitude pruning (Frankle & Carbin, ICLR 2019, arXiv:1803.03635).

    Train for all epochs; remove 20 % of the weights left, the smallest over all layers,
    rounded up; rewind the others to their values at ``rewind_epoch``; repeat with the
    schedule from its start and fresh momentum. The last level ends at exactly ``keep``.

    ``rewind: rates`` leaves weights as they are and repeats the schedule from
    ``rewind_epoch`` on: learning-rate rewinding (Renda, Frankle & Carbin, ICLR 2020,
    arXiv:2003.02389). ``both`` does so from the weights of that epoch.

    Departures: biases are not pruned, the output layer is pruned like the others. The
    code of Zhang & Papyan prunes four times, each time to (keep/W)^(1/4) of the
    weights, with a strict threshold that keeps one too few.
    """

    rate: float
    shrink: Literal["rate", "even"]
    levels: int
    rewind_epoch: int
    selection: Literal["rank", "strict"]
    allocation: Allocation = "global"
    rewind: Rewind = "weights"

    def plan(self, budget: Budget) -> Plan:
        """One event after each training but the last, one to remember weights."""
        early = self.rewind_epoch * budget.steps_per_epoch
        again = 0 if self.rewind == "weights" else early
        length, levels = budget.steps - again, range(self.levels)
        curves = schedules.curves(budget.epochs, budget.steps_per_epoch)
        return Plan(
            steps=budget.steps + self.levels * length,
            events=(early, *(budget.steps + level * length for level in levels)),
            curves={
                name: np.concatenate([curve, np.tile(curve[again:], self.levels)])
                for name, curve in curves.items()
            },
            exact=self.selection == "rank",
        )

    def start(self, view: View) -> tuple[int, Params]:
        """Remember the level and the weights to rewind to."""
        return 0, view.params

    def act(
        self, view: View, state: tuple[int, Params]
    ) -> tuple[Change, tuple[int, Params]]:
        """Prune to the count of this level and rewind."""
        level, early = state
        if level == 0:  # the first event only stores the weights to rewind to
            return Change(), (1, view.params)
        kept = masks.with_biases(self._prune(view, level), view.width)
        params = None if self.rewind == "rates" else early
        change = Change(masks=kept, params=params, reset_momentum=np.ones_like(kept))
        return change, (level + 1, early)

    def _prune(self, view: View, level: int) -> Bool[np.ndarray, "N W"]:
        """Keep the largest of the weights left."""
        keep = self._counts(view, level)
        return largest(view, keep, self.allocation, self.selection)

    def _counts(self, view: View, level: int) -> Int[np.ndarray, " N"]:
        """Return how many weights a level leaves."""
        total = mlp.weight_count(view.width)
        if self.shrink == "even":
            count = counts.geometric(level / self.levels, view.keep, total)
            rounded = np.rint(count) if self.selection == "rank" else np.floor(count)
            return rounded.astype(np.int64)
        if level == self.levels:
            return view.keep
        return np.maximum(view.keep, left_at_rate(level, total, self.rate))


def derive(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Make as many levels as the rate needs."""
    columns = (table["width"].map(mlp.weight_count), table["keep"], table["rate"])
    cases = pd.Series(list(zip(*columns, strict=True)), table.index)
    needed = {case: levels_needed(*case) for case in set(cases) if pd.notna(case[1])}
    return {"levels": cases.map(needed).astype("Int64")}


def check(table: pd.DataFrame) -> list[Mistake]:
    """The epoch to rewind to must lie within the first training, or begin cycles."""
    end = table["epochs"].where(table["schedule_cycles"] == 1, 1)
    late = table[table["rewind_epoch"] >= end]
    if late.empty:
        return cycles.check(table)
    epoch, last = late["rewind_epoch"].iloc[0], end[late.index[0]] - 1
    text = f"expected an epoch from 0 to {last} (0 if training is cyclic), got {epoch}"
    return [Mistake("rewind_epoch", text, epoch)]


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """One part per level; configs share those before their counts differ."""
    rate, keep, levels = (
        table[name].to_numpy(np.float64) for name in ("rate", "keep", "levels")
    )
    even = (table["shrink"] == "even").to_numpy(bool)
    rates = (table["rewind"] != "weights").to_numpy(bool)
    again = (table["rewind_epoch"] / table["epochs"]).to_numpy(np.float64)
    length = np.where(rates, 1 - again, 1.0)  # of a level after the first
    left = np.where(even, (keep / weights) ** (1 / levels), 1 - rate)
    level = np.arange(levels.max() + 1)[:, None]
    kept = np.where(level < levels, np.maximum(weights * left**level, keep), keep)
    shared = (level == 0) | (~even & (level < levels))
    share = np.where(shared, 1 / sharing, 1.0) * np.where(level, length, 1.0)
    share = share * (level <= levels) / (1 + levels * length)
    return CostProfile(kept, share)


ENTRY = Entry(
    build=cyclic(Lth),
    summary="iterative magnitude pruning with rewinding to early weights",
    citation="Frankle & Carbin, ICLR 2019, arXiv:1803.03635",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="iterative",
        criterion="magnitude",
        cost="dense to sparse",
        second_phase="rewind",
    ),
    options=LthOptions,
    derive=derive,
    check=check,
    cost_profile=cost_profile,
    colour="#332288",
    marker="P",
)
