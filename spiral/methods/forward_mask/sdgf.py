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
# Without N:M the density is that of ``keep`` from the first frame on, and the last
# frame, a unit's weights among each other, is ours. It nearly is ``ste`` with ``begin:
# 0.1``: mean accuracies over 26 to 65 of 560 weights are 0.560 and 0.562. The published
# one is N:M (``scope: nm``).
GEOMETRIC = replace(
    entry(
        "weights compete in smaller groups in each frame, while all train",
        FadedOptions,
        ("#EE6677", ">"),
        ramp="geometric",
    ),
    derive=nothing_to_derive,
)
