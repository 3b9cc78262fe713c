"""``snfs``: weights come where momentum is large, in layers where it is large."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import fractions, rewire, scores, shares
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Change, View

MOMENTUM = 0.9
"""Of the momentum that is computed anew at an update (authors' default)."""

Moments = Float[np.ndarray, "N W"]


class SnfsOptions(Options):
    """Options of ``snfs``."""

    update_interval: int = rewire.update_interval(390, "an epoch: authors' code")
    update_end: float = rewire.update_end(0.75, "ours; the authors swap to the end")
    drop: float = fractions.share(
        0.5, "share of each layer to swap at first", "authors' default"
    )
    redistribution: Literal["momentum", "none"] = Field(
        "momentum",
        description="whether layers gain in proportion to the mean momentum of their "
        "weights, or what they lost (authors' default: momentum)",
    )
    moment_batches: int = Field(
        44,
        ge=1,
        description="batches from which momentum is computed at an update; the weight "
        "of the 44th is 0.9^43, 1 %",
        json_schema_extra=unit("batches") | origin("ours"),
    )


@dataclass(frozen=True)
class SparseMomentum(rewire.Rewiring):
    """Sparse networks from scratch (Dettmers & Zettlemoyer 2019, arXiv:1907.04840).

    An update takes a share of each layer's weights, rounded up, the smallest; the share
    falls along a cosine to 0.005 at the end of training. As many come back, to layers
    in proportion to the mean absolute momentum of their weights, and in a layer where
    momentum is largest. What a full layer cannot take goes to the others.

    Assumption C7.2: engines keep no momentum of pruned weights, so that it is computed
    anew at an update, Σ 0.9^j g(batch t - j) at the present weights. Departures: the
    first mask has the budgets of ERK, where the authors' layers have equal densities;
    nearly dense layers lose as large a share as others; updates stop at ``update_end``.
    A weight that goes and comes back keeps its value, as in the authors' code. There is
    no ``allocation``: after the first mask momentum decides what layers have.
    """

    drop: float
    redistribution: Literal["momentum", "none"]
    moment_batches: int

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Draw the first mask; update it."""
        width = view.width
        if view.step == 0:
            return rewire.first(view, view.keep, "erk", "snfs"), None
        kept = masks.of_weights(view.masks, width)
        counts = shares.of_mask(kept, width)
        gone = np.ceil(counts * rewire.lasting(self.drop, view)).astype(np.int64)
        staying = rewire.stay(scores.sizes_left(view), counts - gone, width)
        moments = self._moments(view, kept)
        gains = gone
        if self.redistribution == "momentum":
            gains = redistributed(gone, counts - gone, kept, moments, width)
        grown = rewire.grow(staying, moments, gains, width)
        return rewire.change(view, grown & kept, grown), None

    def _moments(self, view: View, kept: rewire.WeightMask) -> Moments:
        """Return the absolute momentum of all weights, also of pruned ones."""
        everyone, total = np.arange(len(kept)), np.zeros(kept.shape)
        for back in range(min(self.moment_batches, view.step + 1)):
            slopes = rewire.slopes(view, kept, everyone, view.step - back)
            with np.errstate(invalid="ignore"):  # ∞ - ∞ of a diverged network
                total += MOMENTUM**back * slopes
        return np.nan_to_num(np.abs(total))


def redistributed(
    gone: rewire.LayerCounts,
    left: rewire.LayerCounts,
    kept: rewire.WeightMask,
    moments: Moments,
    width: int,
) -> rewire.LayerCounts:
    """Return how many weights each layer gains: as many in all as have gone."""
    found, moments = np.zeros_like(gone), relative(moments)
    for n in range(len(gone)):
        claims, room = [], []
        for layer, there in zip(mlp.layers(width), left[n], strict=True):
            own = moments[n, layer.columns][kept[n, layer.columns]]
            claims.append(own.mean() if own.size else 0.0)
            room.append(layer.outputs * layer.inputs - there)
        found[n] = shared_out(int(gone[n].sum()), np.array(claims), np.array(room))
    return found


def relative(values: Float[np.ndarray, "*N K"]) -> Float[np.ndarray, "*N K"]:
    """Return values ≥ 0 divided by the largest finite one, so that sums are finite.

    Infinite values become 1, and NaN 0: a diverged network, too, shares out all.
    """
    finite = np.nan_to_num(values, posinf=0)
    most = finite.max(axis=-1, keepdims=True)
    return np.where(np.isinf(values), 1.0, finite / np.where(most > 0, most, 1.0))


def shared_out(
    number: int, claims: Float[np.ndarray, " L"], room: Int[np.ndarray, " L"]
) -> Int[np.ndarray, " L"]:
    """Share a number in proportion to claims; nobody gets more than there is room for.

    What is left after rounding down goes to the largest fractions, ties to the first.
    What does not fit goes to the others, in proportion again. An infinite claim counts
    as much as the largest finite one.
    """
    found, claims = np.zeros_like(room), relative(claims)
    while number > 0:
        weights = np.where(found < room, claims, 0.0)
        if not weights.any():  # nobody who has room claims any
            weights = np.where(found < room, 1.0, 0.0)
        exact = np.round(number * weights / weights.sum(), 9)
        more = np.floor(exact).astype(np.int64)
        order = np.argsort(more - exact, kind="stable")
        more[order[: number - more.sum()]] += 1
        more = np.minimum(more, room - found)
        found += more
        number -= int(more.sum())
    return found


def gradients(table: pd.DataFrame) -> np.ndarray:
    """Return the number of gradients: some for every update."""
    return rewire.updates(table) * table["moment_batches"].to_numpy(np.float64)


ENTRY = Entry(
    build=SparseMomentum,
    summary="random ERK mask; swaps small weights for large momentum",
    citation="Dettmers & Zettlemoyer 2019, arXiv:1907.04840; "
    "code: TimDettmers/sparse_learning",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="alternating",
        criterion="magnitude",
        grow="momentum",
        allocation="by momentum",
        data="44 batches an update",
    ),
    options=SnfsOptions,
    gradients=gradients,
    colour="#999933",
    marker="X",
)
