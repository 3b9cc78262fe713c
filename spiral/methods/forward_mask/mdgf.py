"""``mdgf_linear`` and ``mdgf_exp``: inactive weights fade."""

from typing import Literal

from pydantic import Field

from spiral.methods.forward_mask.options import StagedOptions, entry
from spiral.methods.forward_mask.straight_through import Ramp
from spiral.protocol.config import preset


class RampedOptions(StagedOptions):
    """Options of the methods whose inactive weights fade; the mask may tighten too."""

    ramp: Ramp = Field(
        "none",
        description="what else tightens: the number of active weights, or their groups",
    )


class MdgfLinearOptions(RampedOptions):
    """Options of ``mdgf_linear``; β per step is that of the authors' runs."""

    recipe: Literal["fit", "paper"] = preset(
        "fit",
        "fit: fades to 0 at `end`; paper: the authors' β, no other stages",
        {"paper": {"begin": 0.0, "end": 1.0, "beta": 2e-4}},
    )


class MdgfExpOptions(RampedOptions):
    """Options of ``mdgf_exp``; β per step is that of the authors' runs."""

    recipe: Literal["fit", "paper", "matched"] = preset(
        "fit",
        "fit: fades to 1/1000 at `end`; paper: the authors' β, no other stages; "
        "matched: β times steps as in the authors' run of 350 epochs",
        {
            "paper": {"begin": 0.0, "end": 1.0, "beta": 1e-4},
            "matched": {"begin": 0.0, "end": 1.0, "beta": 5.6e-4},
        },
    )


# D = 1 - βt, t steps after the dense stage.
LINEAR = entry(
    "inactive weights fade linearly while all train",
    MdgfLinearOptions,
    ("#228833", "^"),
    decay="linear",
)

# D = exp(-βt).
EXPONENTIAL = entry(
    "inactive weights fade exponentially while all train",
    MdgfExpOptions,
    ("#228833", "v"),
    decay="exponential",
)
