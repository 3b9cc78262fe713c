"""``lth``: iterative magnitude pruning with rewinding."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from pydantic import Field

from spiral.methods.entry import Entry, Fidelity, Mistake, Taxonomy, fidelity
from spiral.methods.parts import counts, scores, selection
from spiral.model import masks, mlp, schedules
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Params, Plan, View


class LthOptions(Options):
    """Options of ``lth``."""

    fidelity: Fidelity = fidelity(levels=4, shrink="even", selection="strict")
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
        description="epoch to whose weights the kept weights are rewound",
        json_schema_extra=unit("epochs") | origin("Frankle & Carbin 2019"),
    )
    selection: Literal["rank", "strict"] = Field(
        "rank", description="keep exactly as many weights, or those above the last one"
    )


@dataclass(frozen=True)
class Lth:
    """Iterative magnitude pruning (Frankle & Carbin, ICLR 2019, arXiv:1803.03635).

    Train for all epochs; remove 20 % of the weights left, the smallest over all layers,
    rounded up; rewind the others to their values at ``rewind_epoch``; repeat with the
    schedule from its start and fresh momentum. The last level ends at exactly ``keep``.

    Departures: biases are not pruned, the output layer is pruned like the others. The
    code of Zhang & Papyan prunes four times, each time to (keep/W)^(1/4) of the
    weights, with a strict threshold that keeps one too few.
    """

    rate: float
    shrink: Literal["rate", "even"]
    levels: int
    rewind_epoch: int
    selection: Literal["rank", "strict"]

    def plan(self, budget: Budget) -> Plan:
        """One event after each training but the last, one to remember weights."""
        phases = self.levels + 1
        prunings = [level * budget.steps for level in range(1, phases)]
        return Plan(
            steps=phases * budget.steps,
            events=(self.rewind_epoch * budget.steps_per_epoch, *prunings),
            curves=schedules.curves(budget.epochs, budget.steps_per_epoch, phases),
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
        everything = np.ones_like(kept)
        change = Change(masks=kept, params=early, reset_momentum=everything)
        return change, (level + 1, early)

    def _prune(self, view: View, level: int) -> Bool[np.ndarray, "N W"]:
        """Keep the largest of the weights left."""
        keep = self._counts(view, level)
        return selection.select(scores.sizes_left(view), keep, self.selection)

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


def left_at_rate(level: int, total: int, rate: float) -> int:
    """Return the weights left after some levels, each of which removes a share of them.

    What a level removes is rounded up: at least one weight.
    """
    for _ in range(level):
        total -= ceil(rate * total)
    return total


def levels_needed(total: int, keep: int, rate: float) -> int:
    """Return after how many levels no more than ``keep`` weights are left."""
    levels = 1
    while left_at_rate(levels, total, rate) > keep:
        levels += 1
    return levels


def derive(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Make as many levels as the rate needs."""
    columns = (table["width"].map(mlp.weight_count), table["keep"], table["rate"])
    cases = pd.Series(list(zip(*columns, strict=True)), table.index)
    needed = {case: levels_needed(*case) for case in set(cases) if pd.notna(case[1])}
    return {"levels": cases.map(needed).astype("Int64")}


def check(table: pd.DataFrame) -> list[Mistake]:
    """The epoch to rewind to must lie within the first training."""
    late = table[table["rewind_epoch"] >= table["epochs"]]
    if late.empty:
        return []
    epoch, epochs = late["rewind_epoch"].iloc[0], late["epochs"].iloc[0]
    text = f"expected an epoch before {epochs}, the end of training, got {epoch}"
    return [Mistake("rewind_epoch", text, epoch)]


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """One part per level; configs share those before their counts differ."""
    rate, keep, levels = (
        table[name].to_numpy(np.float64) for name in ("rate", "keep", "levels")
    )
    even = (table["shrink"] == "even").to_numpy(bool)
    left = np.where(even, (keep / weights) ** (1 / levels), 1 - rate)
    level = np.arange(levels.max() + 1)[:, None]
    kept = np.where(level < levels, np.maximum(weights * left**level, keep), keep)
    shared = (level == 0) | (~even & (level < levels))
    share = np.where(shared, 1 / sharing, 1.0) * (level <= levels) / (levels + 1)
    return CostProfile(kept, share)


ENTRY = Entry(
    build=Lth,
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
