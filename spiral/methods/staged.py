"""What the methods share that hide weights by and by: options, entry."""

from math import log2
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from spiral import mlp
from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.flow import (
    MOST_FRAMES,
    Decay,
    FlowOptions,
    Ramp,
    check,
    cost_profile,
)

TAXONOMY = Taxonomy(
    unit="weight",
    when="during",
    schedule="gradual",
    criterion="magnitude",
    grow="magnitude",
    cost="dense",
)


class StagedOptions(FlowOptions):
    """What methods that hide weights by and by have in common."""

    begin: float = Field(
        0.1, ge=0, lt=1, description="fraction of training that is dense"
    )
    end: float = Field(
        0.8,
        gt=0,
        le=1,
        description="fraction of training from which hidden weights count nothing",
    )
    beta: float | None = Field(
        None,
        ge=0,
        description="how fast hidden weights fade, per step; None: done at `end`",
    )
    frames: int | None = Field(
        None,
        ge=1,
        description="frames of a stepwise ramp; None: so many that each halves the "
        "weights shown, ten at most",
    )


class RampedOptions(StagedOptions):
    """Where hidden weights fade, and the masks may tighten too."""

    ramp: Ramp = Field(
        "none",
        description="what else tightens: the number of weights, or their groups",
    )


class FadedOptions(StagedOptions):
    """Where the masks tighten, and hidden weights may fade too."""

    decay: Decay = Field("none", description="how hidden weights fade, beside the ramp")


def derive_frames(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Make as many frames as it takes to halve the weights shown in each."""
    weights = table["width"].map(mlp.weight_count).astype(float)
    halvings = np.ceil(np.log2(weights / table["keep"].astype("Float64")))
    pairs = zip(table["nm_group"], table["nm_keep"], strict=True)
    of_pattern = [int(max(0.0, log2(m / n))) for m, n in pairs]
    halvings = halvings.where(table["scope"] != "nm", of_pattern)
    frames = (halvings + 1).clip(upper=MOST_FRAMES).astype("Int64")
    ramp = table["ramp"].fillna("stepwise")  # where it is no option
    return {"frames": frames.where(ramp == "stepwise")}


def entry(**own: Any) -> Entry:
    """Return an entry from what a method has of its own."""
    return Entry(
        citation="Bambhaniya et al. 2024, arXiv:2402.04744",
        taxonomy=TAXONOMY,
        check=check,
        cost_profile=cost_profile,
        **own,
    )
