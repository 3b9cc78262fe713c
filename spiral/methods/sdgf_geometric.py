"""``sdgf_geometric``: weights compete in smaller groups in each frame, all train."""

from typing import Any

from pydantic import Field

from spiral.methods import flow
from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.flow import Flow, StagedOptions, check, course


class SdgfGeometricOptions(StagedOptions):
    """Options of ``sdgf_geometric``."""

    decay: flow.Decay = Field(
        "none", description="how hidden weights fade, beside the ramp"
    )


def build(**options: Any) -> Flow:
    """Return the method: groups of half the size in each frame, D is 0."""
    return Flow(**options, ramp="geometric")


ENTRY = Entry(
    build=build,
    summary="weights compete in smaller groups in each frame, all train",
    citation="Bambhaniya et al. 2024, arXiv:2402.04744",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="gradual",
        criterion="magnitude",
        grow="magnitude",
    ),
    options=SdgfGeometricOptions,
    check=check,
    course=course,
)
