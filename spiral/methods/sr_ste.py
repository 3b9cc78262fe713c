"""``sr_ste``: ``ste`` that pulls hidden weights towards zero."""

from typing import Any

from pydantic import Field

from spiral.methods import ste
from spiral.methods.entry import Entry
from spiral.methods.flow import Flow, FlowOptions, check, cost_profile


class SrSteOptions(FlowOptions):
    """Options of ``sr_ste``."""

    pull: float = Field(
        2e-4, ge=0, description="extra L2 penalty on hidden weights, per step"
    )


def build(**options: Any) -> Flow:
    """Return the method: ``ste`` with λ(1 - m)·w in the gradient.

    λ = 2e-4 is the authors'; beside the L2 penalty of 5e-4 it is weak (A2.7). Where
    the learning rate times λ is below 1, larger λ end the flips of the mask.
    """
    return Flow(**options)


ENTRY = Entry(
    build=build,
    summary="ste with an extra penalty on hidden weights",
    citation="Zhou et al., ICLR 2021, arXiv:2102.04010",
    taxonomy=ste.ENTRY.taxonomy,
    options=SrSteOptions,
    check=check,
    cost_profile=cost_profile,
)
