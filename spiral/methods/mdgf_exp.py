"""``mdgf_exp``: hidden weights fade exponentially while all train."""

from typing import Any, Literal

from pydantic import Field

from spiral.config import preset
from spiral.methods import flow
from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.flow import Flow, StagedOptions, check, course

RECIPES = {
    "paper": {"begin": 0.0, "end": 1.0, "beta": 1e-4},
    "matched": {"begin": 0.0, "end": 1.0, "beta": 5.6e-4},
}
"""β per step of the authors' runs, of as many steps as these need (A2.4)."""


class MdgfExpOptions(StagedOptions):
    """Options of ``mdgf_exp``."""

    recipe: Literal["fit", "paper", "matched"] = preset(
        "fit",
        "fit: fades to 1/1000 at `end`; paper: the authors' β, no other stages; "
        "matched: β times steps as in the authors' run of 350 epochs",
        RECIPES,
    )
    ramp: flow.Ramp = Field(
        "none",
        description="what else tightens: the number of weights, or their groups",
    )


def build(**options: Any) -> Flow:
    """Return the method: D = exp(-βt), t steps after the dense stage."""
    return Flow(**options, decay="exponential")


ENTRY = Entry(
    build=build,
    summary="hidden weights fade exponentially while all train",
    citation="Bambhaniya et al. 2024, arXiv:2402.04744",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="gradual",
        criterion="magnitude",
        grow="magnitude",
    ),
    options=MdgfExpOptions,
    derive=flow.derive_frames,
    check=check,
    course=course,
)
