"""``imp`` and ``bimp``: options, how the two differ, what they cost."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import rounds
from spiral.methods.parts.allocation import Allocation, allocation_option
from spiral.methods.parts.retraining_rates import Buffers, Retraining, buffers_option
from spiral.methods.retraining.iterative import Cycles, Lengths, on_top, within
from spiral.protocol.config import Options, first_default, origin, preset, unit
from spiral.protocol.cost_profile import CostProfile


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
        lengths = self.of(table)
        epochs = (lengths.dense, *lengths.retrainings)
        return rounds.cost_profile(table["keep"], weights, epochs, sharing)


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
