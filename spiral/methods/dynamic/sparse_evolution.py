"""``set``: sparse evolutionary training; small weights go, random ones come."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import fractions, rewire, scores, shares
from spiral.methods.parts.allocation import Allocation, allocation_option
from spiral.model import masks
from spiral.protocol.config import Options
from spiral.protocol.job import Change, View

Rounding = Literal["nearest", "down", "authors"]
DEVIATION = 0.1
"""Of new weights drawn from a normal law: authors' sparse implementation."""


class SetOptions(Options):
    """Options of ``set``."""

    update_interval: int = rewire.update_interval(390, "an epoch: authors' code")
    update_end: float = rewire.update_end(
        1.0, "authors' code; none after the last epoch"
    )
    drop: float = fractions.share(
        0.3, "ζ, the share of each layer's weights to replace", "Mocanu et al. 2018"
    )
    fraction: rewire.Fraction = Field(
        "constant",
        description="ζ over the training: constant (Mocanu et al. 2018), or falling "
        "to 0 at `update_end` along a cosine",
    )
    drop_by: Literal["signed", "magnitude"] = Field(
        "signed",
        description="what goes: the weights nearest to 0 of each sign separately "
        "(Mocanu et al. 2018), or of both together (JaxPruner)",
    )
    rounding: Rounding = Field(
        "nearest",
        description="how many of n weights of one sign go: ζn to the nearest integer "
        "(ours), or rounded down (as in rigl), or as in the authors' code, of n "
        "negative weights n - ⌊(1 - ζ)n⌋ and of n others ⌊ζn⌋ + 1",
    )
    new: Literal["zero", "normal"] = Field(
        "zero",
        description="value of new weights: 0 (authors' Keras code), or drawn from "
        "N(0, 0.1²) (their sparse code)",
    )
    allocation: Allocation = allocation_option("Mocanu et al. 2018", "erk")


@dataclass(frozen=True)
class SparseEvolution(rewire.Rewiring):
    """SET (Mocanu et al. 2018, arXiv:1707.04780).

    Starts from a random mask with the layer budgets of Erdős–Rényi. At the end of every
    epoch but the last, each layer loses the share ζ of its negative weights and of its
    others, those nearest to zero, and gains as many at random places, without momentum.
    A place that was left can be drawn again, as a new weight.

    Departures: layer budgets are exact, where the authors' are random (their standard
    deviation is 5 weights at 26 kept of width 16). All layers are sparse, where the
    authors' Keras code leaves the last one dense (assumption C3.1). A layer here has 5
    to 8 weights, so rounding decides how many go: ``rounding: authors`` counts as their
    thresholds do, but for weights of value 0, which these drop without counting them;
    here they go first.

    ITOP (Liu et al., ICML 2021, arXiv:2102.02887) is this method with
    ``update_interval: 300, drop: 0.5`` at 19,500 steps (1,500 of the authors' 97,500),
    and ``rigl`` with ``update_interval: 800, drop: 0.5`` (4,000 of 97,500). Its
    measure is the column ``explored``.
    """

    drop: float
    fraction: rewire.Fraction
    drop_by: Literal["signed", "magnitude"]
    rounding: Rounding
    new: Literal["zero", "normal"]
    allocation: Allocation

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Draw the first mask; rewire it."""
        if view.step == 0:
            return rewire.first(view, view.keep, self.allocation, "random"), None
        kept = masks.of_weights(view.masks, view.width)
        staying = self._stay(view, kept)
        gone = shares.of_mask(kept & ~staying, view.width)
        noise = rewire.noise(view, np.flatnonzero(gone.any(axis=1)))
        grown = rewire.grow(staying, noise, gone, view.width)
        return rewire.change(view, staying, grown, self._fresh(view)), None

    def _stay(self, view: View, kept: rewire.WeightMask) -> rewire.WeightMask:
        """Return the weights that stay: of every part the largest."""
        share, width = self.share(view, self.drop, self.fraction), view.width
        negative = kept & (masks.of_weights(view.params, width) < 0)
        parts = {"negative": negative, "positive": kept & ~negative}
        if self.drop_by == "magnitude":
            parts = {"all": kept}
        found = np.zeros_like(kept)
        for sign, part in parts.items():
            counts = shares.of_mask(part, width)
            left = counts - dropped(counts, share, self.rounding, sign)
            sizes = scores.sizes(view.params, part, width)
            found |= rewire.stay(sizes, left, width)
        return found

    def _fresh(self, view: View) -> np.ndarray | float:
        """Return the values of new weights."""
        if self.new == "zero":
            return 0.0
        purpose, size = f"fresh/{view.step}", masks.of_weights(view.masks, view.width)
        networks = range(len(view.keep))
        draws = [view.stream(n, purpose) for n in networks]
        return np.stack([d.normal(0, DEVIATION, size.shape[1]) for d in draws])


def dropped(
    counts: rewire.LayerCounts, share: float, rounding: Rounding, sign: str
) -> rewire.LayerCounts:
    """Return how many weights go of those of one sign."""
    if rounding == "nearest":
        return np.rint(counts * share).astype(np.int64)
    if rounding == "down":
        return (counts * share).astype(np.int64)
    if sign == "negative":
        return counts - (counts * (1 - share)).astype(np.int64)
    return np.minimum((counts * share).astype(np.int64) + 1, counts)


def check(table: pd.DataFrame) -> list[Mistake]:
    """Refuse the authors' rounding, which is of signs, for weights of both signs."""
    both = (table["drop_by"] == "magnitude") & (table["rounding"] == "authors")
    if not both.fillna(False).any():
        return []
    text = (
        "expected `nearest` or `down` where signs are ranked together, got 'authors'; "
        "set `drop_by: signed` or another rounding"
    )
    return [Mistake("rounding", text, "authors")]


ENTRY = Entry(
    build=SparseEvolution,
    summary="random ERK mask; each epoch swaps small weights for random ones",
    citation="Mocanu et al. 2018, arXiv:1707.04780; "
    "code: dcmocanu/sparse-evolutionary-artificial-neural-networks",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="alternating",
        criterion="magnitude by sign",
        grow="random",
        allocation="erk",
    ),
    options=SetOptions,
    check=check,
    colour="#666633",
    marker="o",
)
