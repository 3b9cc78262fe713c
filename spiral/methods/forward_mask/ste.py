"""Straight-through estimators: an inactive weight contributes nothing, but trains.

``ste`` and ``sr_ste`` rank over all layers, ``ste_layer`` and ``sr_ste_layer`` within
each, as their authors do.
"""

from dataclasses import replace

from pydantic import Field

from spiral.methods.forward_mask.options import (
    TAXONOMY,
    LayerOptions,
    StraightThroughOptions,
    entry,
)
from spiral.protocol.config import origin, unit


class SrSteOptions(StraightThroughOptions):
    """Options of ``sr_ste``."""

    pull: float = Field(
        2e-4,
        ge=0,
        description="extra L2 penalty on inactive weights, per step",
        json_schema_extra=unit("-") | origin("Zhou et al. 2021: authors' code"),
    )


class SrSteLayerOptions(LayerOptions, SrSteOptions):
    """Options of ``sr_ste_layer``."""


# D is 0: an inactive weight contributes nothing.
STE = replace(
    entry(
        "runs on its largest weights, of all layers, and trains all of them",
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

# The authors rank within each layer, or N:M, which ``keep`` rarely meets. Under the
# global ranking few small networks have a path when training begins (see
# ``straight_through``), so that it says little of their method.
STE_LAYER = replace(
    STE,
    summary="ste that ranks within each layer, as its authors do",
    options=LayerOptions,
    taxonomy=replace(STE.taxonomy, allocation="uniform_alive"),
    marker="1",
)
SR_STE_LAYER = replace(
    STE_LAYER,
    summary="sr_ste that ranks within each layer, as its authors do",
    options=SrSteLayerOptions,
    marker="2",
)
