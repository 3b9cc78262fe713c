"""``spa``: remove whole hidden units by any score of their coupled parameters."""

from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.magnitude import magnitude
from spiral.methods.parts import hidden_units
from spiral.methods.units import structured
from spiral.protocol.config import origin, unit

GRADIENTS = {"snip": 1, "taylor": 1, "grasp": 4, "obs": 1}
"""About how many gradients of a batch a criterion takes for each batch."""


class SpaOptions(structured.UnitOptions):
    """Options of ``spa``."""

    criterion: structured.Criterion = Field(
        "snip", description="score of parameters; `aggregate` combines them for a unit"
    )
    aggregate: hidden_units.Aggregate = Field(
        "sum",
        description="how to combine a unit's scores; first: incoming weights only",
    )
    normalise: hidden_units.Normalise = Field(
        "mean", description="statistic of a layer's scores that divides them"
    )
    biases: hidden_units.Biases = Field(
        "score", description="whether biases contribute to scores"
    )
    batches: int = Field(
        8,
        ge=1,
        le=390,
        description="batches in the scoring, where a score needs data",
        json_schema_extra=unit("batches") | origin("ours"),
    )


def build(**options: Any) -> structured.Structured:
    """SPA (Wang, Rachwan, Günnemann & Charpentier 2024, arXiv:2403.18955).

    ``at_epoch`` is its three times to prune: 0 is before training, half-way with
    fine-tuning, the last epoch without. ``criterion: l2`` with ``biases: ignore`` ranks
    as the default of Torch-Pruning (Fang et al., CVPR 2023) does.

    Departures: a chain of layers needs no graph; scores are divided by the mean of
    their magnitudes in a layer (the choice of aggregate and divisor is from memory of
    the paper); GraSP's is over all parameters, at temperature 1; OBS is layer by layer,
    with λ a hundredth of the mean of H's diagonal.
    """
    return structured.Structured(**options)


def gradients(table: pd.DataFrame) -> np.ndarray:
    """Return what the scores of each config cost."""
    each = table["criterion"].map(GRADIENTS).fillna(0).to_numpy(np.float64)
    return each * table["batches"].to_numpy(np.float64)


ENTRY = Entry(
    build=build,
    summary="coupled hidden units by any score, at any time",
    citation="Wang et al. 2024, arXiv:2403.18955",
    taxonomy=Taxonomy(
        unit="neuron",
        when="during",
        schedule="once",
        criterion="|w·g|",
        data="some batches",
        cost="dense to sparse",
        second_phase="fine-tune",
    ),
    options=SpaOptions,
    check=structured.check,
    cost_profile=magnitude.cost_profile,
    gradients=gradients,
    colour="#DDCC77",
    marker="3",
)
