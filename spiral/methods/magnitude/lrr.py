"""``lrr``: iterative magnitude pruning that rewinds learning rates, not weights.

It is ``lth`` with ``rewind: rates``: each level trains on for all epochs, with fresh
momentum and the schedule from its start (or from ``rewind_epoch``).
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.magnitude import lth
from spiral.methods.parts.cycles import cyclic
from spiral.protocol.config import origin, unit
from spiral.protocol.cost_profile import CostProfile


class LrrOptions(lth.LevelOptions):
    """Options of ``lrr``."""

    rewind_epoch: int = Field(
        0,
        ge=0,
        description="epoch from which each level repeats the schedule of learning "
        "rates; 0: all of it",
        json_schema_extra=unit("epochs") | origin("Renda et al. 2020"),
    )


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """That of ``lth``."""
    return lth.cost_profile(table.assign(rewind="rates"), weights, sharing)


ENTRY = replace(
    lth.ENTRY,
    build=cyclic(partial(lth.Lth, rewind="rates")),
    summary="iterative magnitude pruning with rewinding of the learning rates only",
    citation="Renda et al., ICLR 2020, arXiv:2003.02389; code: "
    "nelaturuharsha/TurboPrune",
    taxonomy=replace(lth.ENTRY.taxonomy, second_phase="train"),
    options=LrrOptions,
    cost_profile=cost_profile,
    marker="X",
)
