"""``mdgf_linear``: hidden weights fade linearly while all train."""

from typing import Any, Literal

from pydantic import Field

from spiral.config import preset
from spiral.methods import flow
from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.flow import Flow, StagedOptions, check, course

RECIPES = {"paper": {"begin": 0.0, "end": 1.0, "beta": 2e-4}}
"""β per step of the authors' runs, of as many steps as these need (A2.4)."""


class MdgfLinearOptions(StagedOptions):
    """Options of ``mdgf_linear``."""

    recipe: Literal["fit", "paper"] = preset(
        "fit",
        "fit: fades to nothing at `end`; paper: the authors' β, no other stages",
        RECIPES,
    )
    ramp: flow.Ramp = Field(
        "none",
        description="what else tightens: the number of weights, or their groups",
    )


def build(**options: Any) -> Flow:
    """Return the method: D = 1 - βt, t steps after the dense stage."""
    return Flow(**options, decay="linear")


ENTRY = Entry(
    build=build,
    summary="hidden weights fade linearly while all train",
    citation="Bambhaniya et al. 2024, arXiv:2402.04744",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="gradual",
        criterion="magnitude",
        grow="magnitude",
    ),
    options=MdgfLinearOptions,
    derive=flow.derive_frames,
    check=check,
    course=course,
)
