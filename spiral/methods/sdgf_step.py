"""``sdgf_step``: shows fewer weights in each of some frames, trains all."""

from typing import Any

from pydantic import Field

from spiral.methods import flow
from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.flow import Flow, StagedOptions, check, course


class SdgfStepOptions(StagedOptions):
    """Options of ``sdgf_step``."""

    decay: flow.Decay = Field(
        "none", description="how hidden weights fade, beside the ramp"
    )


def build(**options: Any) -> Flow:
    """Return the method: half as many weights in each frame, D is 0."""
    return Flow(**options, ramp="stepwise")


ENTRY = Entry(
    build=build,
    summary="shows half as many weights in each frame, trains all",
    citation="Bambhaniya et al. 2024, arXiv:2402.04744",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="gradual",
        criterion="magnitude",
        grow="magnitude",
    ),
    options=SdgfStepOptions,
    derive=flow.derive_frames,
    check=check,
    course=course,
)
