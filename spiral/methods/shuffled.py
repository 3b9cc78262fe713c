"""``shuffled``: as many weights in each layer as another method, at random places."""

from dataclasses import replace
from typing import Any

import pandas as pd

from spiral.methods import scratch
from spiral.methods.entry import Mistake
from spiral.methods.scratch import Scratch


def build(**options: Any) -> Scratch:
    """Return the control for how weights are shared among layers.

    The mask of method ``of`` is permuted within each layer and trained from scratch:
    what is lost to ``scratch`` is what the places of weights are worth beyond their
    numbers in each layer (as Frankle et al., ICLR 2021, arXiv:2009.08576, shuffle).
    """
    return replace(scratch.build(**options), rewire=True)


def check(table: pd.DataFrame) -> list[Mistake]:
    """Weights cannot be fine-tuned at places where they were not trained."""
    found = scratch.ENTRY.check(table)
    if (table["second_phase"] == "fine_tune").any():
        text = "shuffled masks have no weights to fine-tune; train from scratch"
        found.append(Mistake("second_phase", text, "fine_tune"))
    return found


ENTRY = replace(
    scratch.ENTRY,
    build=build,
    summary="the mask of another method, shuffled within layers, from scratch",
    citation="control; Frankle et al., ICLR 2021, arXiv:2009.08576",
    taxonomy=replace(scratch.ENTRY.taxonomy, criterion="random", grow="random"),
    check=check,
)
