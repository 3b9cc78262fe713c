"""``mdgf_exp``: hidden weights fade exponentially while all train."""

from typing import Any, Literal

from spiral.config import preset
from spiral.methods.flow import Flow
from spiral.methods.staged import RampedOptions, derive_frames, entry

RECIPES = {
    "paper": {"begin": 0.0, "end": 1.0, "beta": 1e-4},
    "matched": {"begin": 0.0, "end": 1.0, "beta": 5.6e-4},
}
"""β per step of the authors' runs, of as many steps as these need (A2.4)."""


class MdgfExpOptions(RampedOptions):
    """Options of ``mdgf_exp``."""

    recipe: Literal["fit", "paper", "matched"] = preset(
        "fit",
        "fit: fades to 1/1000 at `end`; paper: the authors' β, no other stages; "
        "matched: β times steps as in the authors' run of 350 epochs",
        RECIPES,
    )


def build(**options: Any) -> Flow:
    """Return the method: D = exp(-βt), t steps after the dense stage."""
    return Flow(**options, decay="exponential")


ENTRY = entry(
    build=build,
    summary="hidden weights fade exponentially while all train",
    options=MdgfExpOptions,
    derive=derive_frames,
)
