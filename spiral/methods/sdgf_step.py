"""``sdgf_step``: shows fewer weights in each of some frames, trains all."""

from typing import Any

from spiral.methods.flow import Flow
from spiral.methods.staged import FadedOptions, derive_frames, entry


def build(**options: Any) -> Flow:
    """Return the method: half as many weights in each frame, D is 0."""
    return Flow(**options, ramp="stepwise")


ENTRY = entry(
    build=build,
    summary="shows half as many weights in each frame, trains all",
    options=FadedOptions,
    derive=derive_frames,
)
