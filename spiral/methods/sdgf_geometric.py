"""``sdgf_geometric``: weights compete in smaller groups in each frame, all train."""

from typing import Any

from spiral.methods.flow import Flow
from spiral.methods.staged import FadedOptions, entry


def build(**options: Any) -> Flow:
    """Return the method: groups of half the size in each frame, D is 0."""
    return Flow(**options, ramp="geometric")


ENTRY = entry(
    build=build,
    summary="weights compete in smaller groups in each frame, all train",
    options=FadedOptions,
)
