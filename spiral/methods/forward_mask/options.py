"""Options and entries of the straight-through family."""

from functools import partial
from math import log2
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy, nothing_to_derive
from spiral.methods.forward_mask.straight_through import (
    Fixed,
    Gradient,
    Kind,
    StraightThrough,
)
from spiral.methods.parts import fractions, n_of_m
from spiral.methods.parts.allocation import allocation_option, check_pattern
from spiral.model import mlp
from spiral.protocol import budgets
from spiral.protocol.config import Options, fields, unit
from spiral.protocol.cost_profile import CostProfile

MOST_FRAMES = 10
"""Assumption: no stepwise ramp has more frames, whatever the number of weights."""


class StraightThroughOptions(Options):
    """Options of the whole family."""

    scope: Kind = Field(
        "global",
        description="rank over all layers, within each layer separately, or N:M along "
        "inputs",
    )
    allocation: Fixed = allocation_option(
        "ours; the authors rank within layers", legal=Fixed
    )
    nm_keep: int = n_of_m.NM_KEEP
    nm_group: int = n_of_m.NM_GROUP
    gradient: Gradient = Field(
        "ste",
        description="gradient of inactive weights: as if they were active (ste), or "
        "scaled by what they contribute (chain)",
    )
    begin: float = fractions.below_one(
        0.0, "fraction of training that is dense", "Zhou et al. 2021"
    )


class LayerOptions(StraightThroughOptions):
    """Options of the methods that rank as their authors do."""

    allocation: Fixed = allocation_option("Zhou et al. 2021", "uniform_alive", Fixed)


class StagedOptions(StraightThroughOptions):
    """Options of the methods that mask in stages."""

    begin: float = fractions.below_one(
        0.1, "fraction of training that is dense", "ours; the authors' scripts have 0"
    )
    end: float = fractions.above_zero(
        0.8,
        "fraction of training from which inactive weights contribute nothing",
        "ours; the authors' scripts have 1",
    )
    beta: float | None = Field(
        None,
        ge=0,
        description="how fast inactive weights fade, per step; None: done at `end`",
        json_schema_extra=unit("1/step"),
    )
    frames: int | None = Field(
        None,
        ge=1,
        description="frames of a stepwise ramp; None: as many as halve the active "
        "weights each time, at most ten",
        json_schema_extra=unit("frames"),
    )


TAXONOMY = Taxonomy(
    unit="weight",
    when="during",
    schedule="gradual",
    criterion="magnitude",
    grow="magnitude",
    cost="dense",
)


def check(table: pd.DataFrame) -> list[Mistake]:
    """Stages must follow each other, and patterns keep ``keep`` weights."""
    found = []
    columns = ["begin", "end", "task", "epochs", "batch"]
    rows = table[columns].fillna({"end": 1.0}).drop_duplicates()
    for row in rows.itertuples(index=False):
        begin, end, budget = row.begin, row.end, budgets.budget_of(row)
        steps = budget.at(end) - budget.at(begin)
        if steps < MOST_FRAMES:
            text = f"expected an end at least {MOST_FRAMES} steps after `begin`, "
            text += f"{begin:g}; got {end:g}, {steps} steps after it"
            found.append(Mistake("end", text, end))
    return [*found, *check_pattern(table), *n_of_m.check(table)]


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The dense stage, a shared prefix; then all weights, each config for itself."""
    begin = table["begin"].to_numpy(np.float64)
    kept = np.full((2, len(table)), float(weights))
    return CostProfile(kept, np.stack([begin / sharing, 1 - begin]))


def derive_frames(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Make as many frames as it takes to halve the active weights in each."""
    weights = table["width"].map(mlp.weight_count).astype(float)
    halvings = np.ceil(np.log2(weights / table["keep"].astype("Float64")))
    pairs = zip(table["nm_group"], table["nm_keep"], strict=True)
    of_pattern = [int(max(0.0, log2(m / n))) for m, n in pairs]
    halvings = halvings.where(table["scope"] != "nm", of_pattern)
    frames = (halvings + 1).clip(upper=MOST_FRAMES).astype("Int64")
    ramp = table["ramp"].fillna("stepwise")  # where it is no option
    return {"frames": frames.where(ramp == "stepwise")}


def entry(
    summary: str, options: type[Options], look: tuple[str, str], **setting: Any
) -> Entry:
    """Return the entry of one setting of the family."""
    colour, marker = look
    return Entry(
        build=partial(StraightThrough, **setting),
        summary=summary,
        citation="Bambhaniya et al. 2024, arXiv:2402.04744",
        taxonomy=TAXONOMY,
        colour=colour,
        marker=marker,
        options=options,
        check=check,
        derive=derive_frames if "frames" in fields(options) else nothing_to_derive,
        cost_profile=cost_profile,
    )
