"""``bimp``: dense training and cycles of pruning and retraining within one budget."""

from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.config import preset
from spiral.methods import cycles
from spiral.methods.cycles import Cycles, CyclesOptions, Lengths
from spiral.methods.entry import CostProfile, Entry, Mistake


class BimpOptions(CyclesOptions):
    """Options of ``bimp``."""

    recipe: Literal["once", "four"] = preset(
        "once",
        "one cycle in the last fifth, or four in the last two fifths",
        {"four": {"cycles": 4, "dense_share": 0.6}},
    )
    cycles: int = Field(1, ge=1, description="prunings")
    dense_share: float = Field(
        0.8, gt=0, lt=1, description="share of the epochs before the first pruning"
    )


def build(cycles: int, dense_share: float, **options: Any) -> Cycles:
    """Return the method: budgeted iterative magnitude pruning (BIMP).

    The learning rate of the dense training falls to 0 linearly whatever ``schedule``
    says. Of 50 epochs, ``once`` retrains for 10 after one pruning, ``four`` for 5 after
    each of four (B3.1).
    """
    fixed = partial(lengths, cycles=cycles, dense_share=dense_share)
    return Cycles(fixed, **options, dense_rates="linear")


def lengths(epochs: int, cycles: int, dense_share: float) -> Lengths:
    """Share out the epochs; what does not divide goes to the last retraining."""
    dense = max(1, int(round(dense_share * epochs, 9)))
    rest = epochs - dense
    each = rest // cycles
    return Lengths(dense, (*[each] * (cycles - 1), rest - each * (cycles - 1)))


def _of(table: pd.DataFrame) -> Lengths:
    """Return the lengths that configs share."""
    row = table.iloc[0]
    return lengths(int(row["epochs"]), int(row["cycles"]), float(row["dense_share"]))


def check(table: pd.DataFrame) -> list[Mistake]:
    """Every cycle needs an epoch, and a replayed curve must be long enough."""
    found = []
    for _, part in table.groupby(["epochs", "cycles", "dense_share"]):
        parts = _of(part)
        found += cycles.check_lrw(parts, part)
        if not min(parts.retrainings):
            count, epochs = part[["cycles", "epochs"]].iloc[0]
            left = epochs - parts.dense
            text = f"{count} retrainings do not fit into {left} of {epochs} epochs"
            found.append(Mistake("cycles", text, count))
    return found


def cost_profile(table: pd.DataFrame, weights: int, twins: np.ndarray) -> CostProfile:
    """The dense training, then the retrainings."""
    return cycles.cost_profile(_of(table), table, weights, twins)


ENTRY = Entry(
    build=build,
    summary="dense training, then cycles of pruning and retraining, in one budget",
    citation="Zimmer et al., ICLR 2023, arXiv:2111.00843",
    taxonomy=cycles.TAXONOMY,
    options=BimpOptions,
    check=check,
    cost_profile=cost_profile,
)
