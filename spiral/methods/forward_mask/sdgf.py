"""``sdgf_step`` and ``sdgf_geometric``: the mask tightens."""

from dataclasses import replace

from pydantic import Field

from spiral.methods.entry import nothing_to_derive
from spiral.methods.forward_mask.options import StagedOptions, entry
from spiral.methods.forward_mask.straight_through import Decay


class FadedOptions(StagedOptions):
    """Options of the methods whose mask tightens; inactive weights may fade too."""

    decay: Decay = Field(
        "none", description="how inactive weights fade, beside the ramp"
    )


# Half as many active weights in each frame.
STEPWISE = entry(
    "half as many active weights in each frame, while all train",
    FadedOptions,
    ("#EE6677", "<"),
    ramp="stepwise",
)

# Groups of half the size in each frame: as many frames as there are kinds of groups.
GEOMETRIC = replace(
    entry(
        "weights compete in smaller groups in each frame, while all train",
        FadedOptions,
        ("#EE6677", ">"),
        ramp="geometric",
    ),
    derive=nothing_to_derive,
)
