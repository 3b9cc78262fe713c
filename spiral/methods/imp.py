"""``imp``: a whole dense training, then cycles of pruning and retraining."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods import cycles
from spiral.methods.cycles import Cycles, CyclesOptions, Lengths
from spiral.methods.entry import CostProfile, Entry, Mistake


class ImpOptions(CyclesOptions):
    """Options of ``imp``."""

    cycles: int = Field(4, ge=1, description="prunings")
    retrain_epochs: int = Field(
        5, ge=1, description="epochs after each pruning, on top of `epochs`"
    )


def build(cycles: int, retrain_epochs: int, **options: Any) -> Cycles:
    """Return the method.

    Assumption: retraining comes on top of the budget, as in the original, so these
    trainings are longer than others, which ``steps`` of a row tells (B3.2).
    """
    fixed = partial(lengths, cycles=cycles, retrain_epochs=retrain_epochs)
    return Cycles(fixed, **options)


def lengths(epochs: int, cycles: int, retrain_epochs: int) -> Lengths:
    """Return a whole dense training and equal retrainings."""
    return Lengths(epochs, (retrain_epochs,) * cycles)


def _of(table: pd.DataFrame) -> Lengths:
    """Return the lengths that configs share."""
    row = table.iloc[0]
    return lengths(*(int(row[n]) for n in ("epochs", "cycles", "retrain_epochs")))


def check(table: pd.DataFrame) -> list[Mistake]:
    """A replayed curve must be long enough."""
    alike = table.groupby(["epochs", "cycles", "retrain_epochs"])
    return [m for _, part in alike for m in cycles.check_lrw(_of(part), part)]


def cost_profile(table: pd.DataFrame, weights: int, twins: np.ndarray) -> CostProfile:
    """The dense training, then the retrainings."""
    return cycles.cost_profile(_of(table), table, weights, twins)


ENTRY = Entry(
    build=build,
    summary="a whole dense training, then cycles of pruning and retraining",
    citation="Zimmer et al., ICLR 2023, arXiv:2111.00843; Han et al. 2015",
    taxonomy=cycles.TAXONOMY,
    options=ImpOptions,
    check=check,
    cost_profile=cost_profile,
)
