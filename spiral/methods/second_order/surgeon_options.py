"""Options and entries of the optimal brain surgeon's family."""

from typing import Any, Literal

import pandas as pd
from pydantic import Field

from spiral.methods.entry import (
    Entry,
    Mistake,
    Taxonomy,
    within_training,
    without_effect,
)
from spiral.methods.parts import fractions
from spiral.methods.parts.allocation import allocation_option
from spiral.methods.parts.supports import Compensate
from spiral.methods.second_order import surgeon
from spiral.methods.second_order.path import Allocation, Blocks, Matrix
from spiral.protocol.config import Options, fields, origin, unit

WIDEST = {"network": 32, "layer": 64, "unit": 256}
"""Up to which width the matrix of a block fits: 40, 140 and 0.5 MB there."""
EXACT = 16
"""The same for the Hessian, which takes about a minute there."""


def matrix(default: Matrix, source: str) -> Any:
    """Return the option ``matrix``, given where its default comes from."""
    text = "what stands for the Hessian"
    return Field(default, description=text, json_schema_extra=origin(source))


def compensate(default: Compensate, source: str) -> Any:
    """Return the option ``compensate``, given where its default comes from."""
    text = (
        "the weights that stay take the least of the quadratic model, or the sum of "
        "single updates, or do not change"
    )
    return Field(default, description=text, json_schema_extra=origin(source))


def allocation(source: str) -> Any:
    """Return the option ``allocation``, given where its default comes from."""
    return allocation_option(source, legal=Allocation)


class SurgeonOptions(Options):
    """Options of the family."""

    timing: Literal["once", "gradual"] = Field(
        "once",
        description="prune at one epoch, or along a cubic until `end`",
        json_schema_extra=origin("ours"),
    )
    at_epoch: int | None = Field(
        None,
        ge=0,
        description="epoch before which to prune once; None: after four fifths",
        json_schema_extra=unit("epochs") | origin("ours"),
    )
    events: int = Field(
        8,
        ge=1,
        description="number of gradual prunings",
        json_schema_extra=unit("events") | origin("ours"),
    )
    end: float = fractions.above_zero(
        0.75, "fraction of training at which gradual pruning ends", "ours, as gmp"
    )
    matrix: Matrix = matrix("gauss_newton", "ours; the Hessian itself is indefinite")
    gradient_batch: int = Field(
        1,
        ge=1,
        description="points over which each gradient of the Fisher matrix is a mean",
        json_schema_extra=unit("points") | origin("argparse of WoodFisher's code"),
    )
    points: int = Field(
        4096,
        ge=1,
        le=49_920,
        description="training points of which the matrix is made",
        json_schema_extra=unit("points") | origin("ours"),
    )
    damping: float = Field(
        1e-3,
        gt=0,
        description="λ added to the diagonal of the matrix",
        json_schema_extra=unit("-") | origin("ours"),
    )
    compensate: Compensate = compensate("joint", "Hassibi & Stork 1992")
    renewal: float = fractions.below_one(
        0.7,
        "share of the weights that are left when the matrix is computed "
        "anew; 0: one matrix for all",
        "ours",
    )
    matrix_blocks: Blocks = Field(
        "auto",
        description="which weights interact in the matrix; auto: those of a layer "
        "up to width 32, those of a unit beyond",
        json_schema_extra=origin("ours"),
    )
    allocation: Allocation = allocation("Hassibi & Stork 1992")


UNUSED = [
    ("timing", "once", ("events", "end")),
    ("timing", "gradual", ("at_epoch",)),
    ("matrix", "gauss_newton", ("gradient_batch",)),
    ("matrix", "exact", ("gradient_batch",)),
]
"""Option, its value, and the options that have no effect with it."""


def check(table: pd.DataFrame) -> list[Mistake]:
    """The epoch must be one of the training, options used, and the matrix must fit."""
    found = within_training("at_epoch")(table) + _unused(table)
    for blocks, widest in WIDEST.items():
        some = table["width"][table["matrix_blocks"] == blocks]
        wide = some[some > widest]
        if len(wide):
            text = f"expected at most width {widest} for {blocks}, got {wide.iloc[0]}"
            text += "; use smaller blocks"
            found.append(Mistake("matrix_blocks", text, blocks))
    wide = table["width"][(table["matrix"] == "exact") & (table["width"] > EXACT)]
    if len(wide):
        text = f"expected at most width {EXACT} for the Hessian, got {wide.iloc[0]}"
        found.append(Mistake("matrix", f"{text}; use gauss_newton or fisher", "exact"))
    return found


def _unused(table: pd.DataFrame) -> list[Mistake]:
    """Refuse options of the other timing, or of another matrix."""
    own = fields(SurgeonOptions)
    return [
        mistake
        for option, value, names in UNUSED
        for name in names
        for mistake in without_effect(
            table, name, own[name].default, table[option] == value, f"{option}: {value}"
        )
    ]


def entry(**own: Any) -> Entry:
    """Return the entry of one method of the family."""
    return Entry(
        taxonomy=Taxonomy(
            unit="weight",
            when="during",
            schedule="once",
            criterion="curvature",
            data="some batches",
            cost="dense to sparse",
            second_phase="fine-tune",
        ),
        check=check,
        cost_profile=surgeon.cost_profile,
        gradients=surgeon.gradients,
        marker="p",
        **own,
    )
