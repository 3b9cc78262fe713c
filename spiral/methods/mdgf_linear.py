"""``mdgf_linear``: hidden weights fade linearly while all train."""

from typing import Any, Literal

from spiral.config import preset
from spiral.methods.flow import Flow
from spiral.methods.staged import RampedOptions, derive_frames, entry

RECIPES = {"paper": {"begin": 0.0, "end": 1.0, "beta": 2e-4}}
"""β per step of the authors' runs, of as many steps as these need (A2.4)."""


class MdgfLinearOptions(RampedOptions):
    """Options of ``mdgf_linear``."""

    recipe: Literal["fit", "paper"] = preset(
        "fit",
        "fit: fades to nothing at `end`; paper: the authors' β, no other stages",
        RECIPES,
    )


def build(**options: Any) -> Flow:
    """Return the method: D = 1 - βt, t steps after the dense stage."""
    return Flow(**options, decay="linear")


ENTRY = entry(
    build=build,
    summary="hidden weights fade linearly while all train",
    options=MdgfLinearOptions,
    derive=derive_frames,
)
