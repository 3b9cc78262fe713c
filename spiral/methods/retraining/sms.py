"""``sms``: Sparse Model Soups, averages of several retrainings of one mask."""

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import retraining_rates, rounds
from spiral.methods.parts.allocation import Allocation, allocation_option
from spiral.methods.retraining.sparse_soups import Average, Rates, Sms, Vary
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile


class SmsOptions(Options):
    """Options of ``sms``."""

    members: int = Field(
        3,
        ge=1,
        le=64,
        description="retrainings that are averaged",
        json_schema_extra=unit("networks") | origin("ours"),
    )
    vary: Vary = Field("order", description="setting in which the retrainings differ")
    spread: float = Field(
        2.0,
        gt=1,
        description="largest factor between a member's setting and the config's "
        "(lengths only shrink)",
        json_schema_extra=unit("-") | origin("ours"),
    )
    average: Average = Field(
        "uniform",
        description="average all members after each cycle; those that help on a tenth "
        "of the points; or, without common cycles, all at the end, pruned again",
    )
    cycles: int = Field(
        3,
        ge=1,
        description="number of prunings, each with a retraining",
        json_schema_extra=unit("prunings") | origin("ours"),
    )
    retraining: Rates = Field("llr", description="learning rates after each pruning")
    retrain_epochs: int | None = Field(
        None,
        ge=1,
        description="epochs of a retraining; None: a tenth of `epochs`",
        json_schema_extra=unit("epochs"),
    )
    longer: int = Field(
        1,
        ge=1,
        description="factor on the length of retrainings, beyond `epochs`",
        json_schema_extra=unit("-") | origin("ours: as long as a member's"),
    )
    allocation: Allocation = allocation_option("Zimmer et al. 2024")


def check(table: pd.DataFrame) -> list[Mistake]:
    """Some epochs must be left for the dense training."""
    taken = table["cycles"] * table["retrain_epochs"]
    long = table[taken >= table["epochs"]]
    if long.empty:
        return []
    cycles, each, epochs = long[["cycles", "retrain_epochs", "epochs"]].iloc[0]
    text = f"{cycles} of {each} epochs leave none of {epochs} for the dense training"
    return [Mistake("cycles", text, cycles)]


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The dense part, once for all members and configs; then one part per cycle."""
    names = ["epochs", "cycles", "retrain_epochs", "longer", "members"]
    epochs, cycles, each, longer, members = table[names].iloc[0].astype(int)
    lengths = (epochs - cycles * each, *[each * longer] * cycles)
    return rounds.cost_profile(table["keep"], weights, lengths, sharing * members)


ENTRY = Entry(
    build=Sms,
    summary="averages of several retrainings after each magnitude pruning",
    citation="Zimmer, Spiegel & Pokutta, ICLR 2024, arXiv:2306.16788",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="iterative",
        criterion="magnitude",
        cost="dense to sparse",
    ),
    options=SmsOptions,
    derive=retraining_rates.a_tenth,
    check=check,
    cost_profile=cost_profile,
    colour="#88CCEE",
    marker="4",
)
