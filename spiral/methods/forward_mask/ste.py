"""``ste`` and ``sr_ste``: an inactive weight contributes nothing, but trains."""

from dataclasses import replace

from pydantic import Field

from spiral.methods.forward_mask.options import (
    TAXONOMY,
    StraightThroughOptions,
    entry,
)
from spiral.protocol.config import unit


class SrSteOptions(StraightThroughOptions):
    """Options of ``sr_ste``."""

    pull: float = Field(
        2e-4,
        ge=0,
        description="extra L2 penalty on inactive weights, per step",
        json_schema_extra=unit("-"),
    )


# D is 0: an inactive weight contributes nothing.
STE = replace(
    entry(
        "runs on its largest weights and trains all of them",
        StraightThroughOptions,
        ("#4477AA", "o"),
    ),
    citation="Zhou et al., ICLR 2021, arXiv:2102.04010",
    taxonomy=replace(TAXONOMY, schedule="alternating"),
)

# λ(1 - m)·w in the gradient: the authors' λ = 2e-4 is weak beside an L2 penalty of
# 5e-4. As long as the learning rate times λ is below 1, a larger λ ends the flips of
# the mask.
SR_STE = replace(
    STE,
    summary="ste with an extra penalty on inactive weights",
    options=SrSteOptions,
    marker="s",
)
