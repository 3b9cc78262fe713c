"""``cht`` and ``chts``: weights come where the graph of their layer suggests them."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import fractions, rewire, scores, shares, topology
from spiral.methods.parts.allocation import Allocation, allocation_option
from spiral.model import masks
from spiral.protocol.config import Options
from spiral.protocol.job import Change, View

CODE = "code: biomedical-cybernetics/Cannistraci-Hebb-training"


class ChtOptions(Options):
    """Options of ``cht`` and ``chts``."""

    update_interval: int = rewire.update_interval(390, "an epoch: authors' README")
    update_end: float = rewire.update_end(0.75, "authors' code with the README's flags")
    drop: float = fractions.share(
        0.3, "ζ, the share of each layer's weights to replace", "authors' README"
    )
    fraction: rewire.Fraction = Field(
        "constant",
        description="ζ over the training: constant (authors' code), or falling to 0 at "
        "`update_end` along a cosine (its flag adaptive_zeta)",
    )
    links: topology.Model = Field(
        "l3p",
        description="score of an absent weight: l3p sums over paths, l3n over their "
        "nodes (authors' README: l3p)",
    )
    chain_removal: Literal["yes", "no"] = Field(
        "yes",
        description="whether weights that lie on no path from input to output are "
        "replaced, too (authors' README: yes)",
    )
    allocation: Allocation = allocation_option("ours; authors' code: uniform", "erk")


@dataclass(frozen=True)
class CannistraciHebb(rewire.Rewiring):
    """CHT (Zhang et al., ICLR 2024) and CHTs (Zhang et al. 2025, arXiv:2501.19107).

    An update takes the share ζ of each layer's weights, rounded down, the smallest
    first; then all that are left on no path from input to output. As many come back to
    the layer where :mod:`spiral.methods.parts.topology` scores highest. CHTs samples
    instead of ranking, without replacement: what stays in proportion to |w|^T, with T
    rising from 1 to 3 until updates end, and what comes in proportion to its score.

    Departures and assumptions: the first mask is random with the budgets of ERK, where
    the authors' follows correlations of the inputs, of which there are two here; CHTs'
    decay of density and early stops are left out. Layers of 3 to 20 links give most
    places the score 0; these come last, in random order. The README removes by
    rank in CHTs, too. A weight that goes and comes back keeps its value, as there.
    """

    drop: float
    fraction: rewire.Fraction
    links: topology.Model
    chain_removal: Literal["yes", "no"]
    allocation: Allocation
    sampled: bool
    """Whether weights are sampled instead of ranked."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Draw the first mask; rewire it."""
        if view.step == 0:
            return rewire.first(view, view.keep, self.allocation, "cht"), None
        kept = masks.of_weights(view.masks, view.width)
        counts = shares.of_mask(kept, view.width)
        staying = self._stay(view, kept, counts)
        gone = counts - shares.of_mask(staying, view.width)
        grown = rewire.grow(staying, self._interest(view, staying), gone, view.width)
        return rewire.change(view, grown & kept, grown), None

    def _stay(
        self, view: View, kept: rewire.WeightMask, counts: rewire.LayerCounts
    ) -> rewire.WeightMask:
        """Return the weights that stay, without those on no path."""
        worth = scores.sizes_left(view).astype(np.float64)
        if self.sampled:
            draws = scores.drawn(view, f"stay/{view.step}")
            heat = 1 + 2 * view.step / self.last(view)
            worth = np.where(kept, sampling_order(worth, draws, heat), -np.inf)
        share = self.share(view, self.drop, self.fraction)
        left = counts - (counts * share).astype(np.int64)
        staying = rewire.stay(worth, left, view.width)
        if self.chain_removal == "no":
            return staying
        return masks.on_path(masks.with_biases(staying, view.width), view.width)

    def _interest(self, view: View, staying: rewire.WeightMask) -> rewire.Scores:
        """Return the scores of weights to come."""
        found = [topology.scores(row, view.width, self.links) for row in staying]
        draws = scores.drawn(view, f"grow/{view.step}")
        if self.sampled:
            return sampling_order(np.stack(found), draws)
        # Rounded: sums in another order must not decide between equal scores
        return np.round(np.stack(found), 9) + 1e-10 * draws


def sampling_order(
    weights: Float[np.ndarray, "N W"],
    draws: Float[np.ndarray, "N W"],
    power: float = 1.0,
) -> Float[np.ndarray, "N W"]:
    """Return scores whose k highest are k draws in proportion to weights^power.

    Without replacement: places are reached at exponential times, the rate of each its
    weight (Efraimidis & Spirakis 2006). Those of weight 0 come last, in random order.
    """
    some = weights > 0
    rate = np.log(np.where(some, weights, 1.0)) * power
    return np.where(some, rate - np.log(-np.log1p(-draws)), -1e9 + draws)


def _entry(sampled: bool, citation: str, marker: str) -> Entry:
    """Return the entry of either method."""
    how = "samples" if sampled else "ranks"
    return Entry(
        build=partial(CannistraciHebb, sampled=sampled),
        summary=f"random ERK mask; {how} new weights by the graph of their layer",
        citation=f"{citation}; {CODE}",
        taxonomy=Taxonomy(
            unit="weight",
            when="during",
            schedule="alternating",
            criterion="magnitude",
            grow="topology",
            allocation="erk",
        ),
        options=ChtOptions,
        colour="#336655",
        marker=marker,
    )


CHT = _entry(False, "Zhang et al., ICLR 2024", "o")
CHTS = _entry(True, "Zhang et al. 2025, arXiv:2501.19107", "^")
