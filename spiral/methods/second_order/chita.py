"""``chita``: pruning as sparse least squares, by iterative hard thresholding."""

from functools import partial
from typing import Any, Literal

from pydantic import Field

from spiral.methods.parts import thresholding
from spiral.methods.parts.supports import Compensate
from spiral.methods.second_order import surgeon, surgeon_options
from spiral.methods.second_order.path import Allocation, Matrix
from spiral.protocol.config import origin, unit


class ChitaOptions(surgeon_options.SurgeonOptions):
    """Options of ``chita``."""

    matrix: Matrix = surgeon_options.matrix("fisher", "authors' code")
    compensate: Compensate = surgeon_options.compensate(
        "joint", "Benbaki et al. 2023: backsolve"
    )
    allocation: Allocation = surgeon_options.allocation("Benbaki et al. 2023")
    slope: Literal["zero", "measured"] = Field(
        "zero",
        description="gradient in the model: none, as at a minimum, or that of the "
        "points (the authors' first-order term)",
        json_schema_extra=origin("ours; an argument of the authors' script"),
    )
    rounds: int = Field(
        100,
        ge=1,
        description="most steps within an active set, and most active sets",
        json_schema_extra=unit("-") | origin("ours"),
    )


def build(
    rounds: int, slope: Literal["zero", "measured"], **options: Any
) -> surgeon.Surgeon:
    """CHITA (Benbaki et al., ICML 2023, arXiv:2302.14623).

    The weights β with at most k entries that minimise the quadratic model, by gradient
    steps each followed by keeping the k largest, with a line search and a growing
    active set (``parts.thresholding``); then least squares on these (backsolve).

    Departures: k is exact, where the authors keep what is not zero, fewer weights if
    few have a gradient; biases are never removed. With ``renewal`` the Fisher matrix is
    computed anew as weights go (CHITA++), at counts that do not depend on k; the
    authors take 16 stages along a cubic.
    """
    choose = partial(thresholding.l0, rounds=rounds)
    return surgeon.build(choose, first_order=slope == "measured", **options)


ENTRY = surgeon_options.entry(
    build=build,
    summary="sparse least squares on gradients, by iterative hard thresholding",
    citation="Benbaki et al., ICML 2023, arXiv:2302.14623; code: mazumder-lab/CHITA",
    options=ChitaOptions,
    colour="#56B4E9",
)
