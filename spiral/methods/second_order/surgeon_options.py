"""Options of the optimal brain surgeon's family, and what cannot work together."""

from typing import Literal

import pandas as pd
from pydantic import Field

from spiral.methods.entry import Mistake, within_training
from spiral.methods.parts.supports import Compensate
from spiral.methods.second_order.path import Allocation, Blocks, Matrix
from spiral.protocol.config import Options, unit

WIDEST = {"network": 32, "layer": 64, "unit": 256}
"""Up to which width the matrix of a block fits: 40, 140 and 0.5 MB there."""
EXACT = 16
"""The same for the Hessian, which takes about a minute there."""


class SurgeonOptions(Options):
    """Options of the family."""

    timing: Literal["once", "gradual"] = Field(
        "once", description="prune at one epoch, or along a cubic until `end`"
    )
    at_epoch: int | None = Field(
        None,
        ge=0,
        description="epoch before which to prune once; None: after four fifths (ours)",
        json_schema_extra=unit("epochs"),
    )
    events: int = Field(
        8,
        ge=1,
        description="number of gradual prunings (ours)",
        json_schema_extra=unit("events"),
    )
    end: float = Field(
        0.75,
        gt=0,
        le=1,
        description="fraction of training at which gradual pruning ends (as gmp)",
        json_schema_extra=unit("-"),
    )
    matrix: Matrix = Field("gauss_newton", description="what stands for the Hessian")
    mini_batch: int = Field(
        1,
        ge=1,
        description="points over which each gradient of the Fisher matrix is a mean",
        json_schema_extra=unit("points"),
    )
    points: int = Field(
        4096,
        ge=1,
        le=49_920,
        description="training points of which the matrix is made (ours)",
        json_schema_extra=unit("points"),
    )
    damping: float = Field(
        1e-3,
        gt=0,
        description="λ added to the diagonal of the matrix (ours)",
        json_schema_extra=unit("-"),
    )
    compensate: Compensate = Field(
        "joint",
        description="the weights that stay take the least of the quadratic model, or "
        "the sum of single updates, or do not change",
    )
    renewal: float = Field(
        0.7,
        ge=0,
        lt=1,
        description="share of the weights that are left when the matrix is computed "
        "anew; 0: one matrix for all (ours)",
        json_schema_extra=unit("-"),
    )
    blocks: Blocks = Field(
        "auto",
        description="which weights interact in the matrix; auto: those of a layer "
        "up to width 32, those of a unit beyond (ours)",
    )
    allocation: Allocation = Field(
        "global",
        description="how the weights kept are shared among layers (parts.shares); "
        "global as published",
    )


def check(table: pd.DataFrame) -> list[Mistake]:
    """The epoch must be one of the training, and the matrix must fit."""
    found = within_training("at_epoch")(table)
    for blocks, widest in WIDEST.items():
        wide = table["width"][(table["blocks"] == blocks) & (table["width"] > widest)]
        if len(wide):
            text = f"expected at most width {widest} for {blocks}, got {wide.iloc[0]}"
            found.append(Mistake("blocks", f"{text}; use smaller blocks", blocks))
    wide = table["width"][(table["matrix"] == "exact") & (table["width"] > EXACT)]
    if len(wide):
        text = f"expected at most width {EXACT} for the Hessian, got {wide.iloc[0]}"
        found.append(Mistake("matrix", f"{text}; use gauss_newton or fisher", "exact"))
    return found
