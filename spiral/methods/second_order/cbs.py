"""``cbs``: exchange kept and removed weights while the quadratic model improves."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from spiral.methods.parts import supports
from spiral.methods.parts.supports import Compensate, Kept, Quadratic, SwapCost
from spiral.methods.second_order import surgeon, surgeon_options
from spiral.methods.second_order.path import Allocation, Matrix
from spiral.protocol.config import origin, unit


class CbsOptions(surgeon_options.SurgeonOptions):
    """Options of ``cbs``."""

    matrix: Matrix = surgeon_options.matrix("fisher", "authors' code")
    compensate: Compensate = surgeon_options.compensate(
        "joint", "Yu et al. 2022: CBS-U"
    )
    allocation: Allocation = surgeon_options.allocation("Yu et al. 2022")
    begin_with: Literal["greedy", "magnitude"] = Field(
        "greedy",
        description="what is kept before the exchanges: what the brain surgeon keeps "
        "or the largest weights (authors)",
        json_schema_extra=origin("ours"),
    )
    swap_cost: SwapCost = Field(
        "joint",
        description="what an exchange costs: with all others compensating, or none "
        "(the published objective)",
        json_schema_extra=origin("ours"),
    )
    least_gain: float = Field(
        1e-4,
        ge=1e-9,  # less would be rounding, and exchanges might go on for ever
        description="gain that an exchange must have",
        json_schema_extra=unit("-") | origin("ε of the authors' README"),
    )


def build(
    begin_with: str, swap_cost: SwapCost, least_gain: float, **options: Any
) -> surgeon.Surgeon:
    """Combinatorial brain surgeon (Yu et al., ICML 2022, arXiv:2203.04466).

    Weights that are kept and weights that are removed change places, the best pair
    first, while that lowers the quadratic model by at least ε; then all others
    compensate at once (CBS-U).

    Departures: all pairs of a block are tried, and the best is exchanged each time; the
    authors look at 10 neighbours in two ranked lists and stop after 20 failures, from a
    randomised magnitude mask, without compensation in the objective (which is twice
    ours, so that their ε is half of ours). Weights of different blocks do not change
    places.
    """

    def choose(
        blocks: Sequence[Quadratic], removals: Int[np.ndarray, " G"]
    ) -> list[Kept]:
        if begin_with == "greedy":
            first = supports.greedy(blocks, removals)
        else:
            sizes = [np.abs(block.weights) for block in blocks]
            left = supports.left_by(blocks, removals)
            first = supports.largest(blocks, sizes, left)
        return [
            supports.swapped(block, kept, swap_cost, least_gain)
            for block, kept in zip(blocks, first, strict=True)
        ]

    return surgeon.build(choose, **options)


ENTRY = surgeon_options.entry(
    build=build,
    summary="exchanges of kept and removed weights in a quadratic model of the loss",
    citation="Yu et al., ICML 2022, arXiv:2203.04466; code: yuxwind/CBS",
    options=CbsOptions,
    colour="#CC79A7",
)
