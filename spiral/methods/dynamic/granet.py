"""``granet``: gradual pruning, after each step of which some weights are swapped."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import counts, fractions, rewire, scores, shares
from spiral.methods.parts.allocation import Allocation, allocation_option, largest
from spiral.model import mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View


class GranetOptions(Options):
    """Options of ``granet``."""

    update_interval: int = rewire.update_interval(
        300, "ours; authors' script, CIFAR-10: 1,000 of 62,400"
    )
    update_end: float = rewire.update_end(0.75, "ours; the authors swap to the end")
    prune_end: float = Field(
        0.69,
        gt=0,
        lt=1,
        description="fraction of training at which pruning ends",
        json_schema_extra=unit("-") | origin("authors' default, epoch 110 of 160"),
    )
    start_density: float = fractions.share(
        0.5, "share of all weights that trains at first", "authors' default"
    )
    drop: float = fractions.share(
        0.5, "share of each layer to swap at first", "authors' default"
    )
    allocation: Allocation = allocation_option("authors' script")


@dataclass(frozen=True)
class Granet:
    """GraNet (Liu et al., NeurIPS 2021, arXiv:2106.10404).

    Starts from a random ERK mask of half the weights. At every event until
    ``prune_end`` the smallest weights of all layers go, to the count of the cubic of
    ``gmp``; then each layer swaps a share of its weights, the smallest for those with
    the largest gradient, rounded up. The share falls along a cosine to 0.005 at the end
    of training. Weights that the swap takes and gives back keep their value.

    Departures: counts are exact, where the authors' strict thresholds drop one weight
    more and ties; g is the gradient on the coming batch, not on the last one; swaps
    stop at ``update_end``, as rounding up moves a weight of every layer, however late.
    """

    update_interval: int
    update_end: float
    prune_end: float
    start_density: float
    drop: float
    allocation: Allocation

    def plan(self, budget: Budget) -> Plan:
        """The first mask, then prunings and swaps."""
        swaps = rewire.events(budget, self.update_interval, self.update_end)
        return Plan.simple(budget, *sorted({*swaps, *self._prunings(budget.steps)}))

    def _prunings(self, steps: int) -> tuple[int, ...]:
        """Return the steps at which weights are pruned; at least one."""
        last = max(1, int(self.prune_end * steps))
        interval = self.update_interval
        return tuple(range(interval, last + 1, interval)) or (last,)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Draw the first mask; prune and swap."""
        prunings = self._prunings(view.plan.steps)
        done = sum(step <= view.step for step in prunings) / len(prunings)
        begin = start_count(view.keep, mlp.weight_count(view.width), self.start_density)
        keep = np.rint(counts.cubic(done, view.keep, begin)).astype(np.int64)
        if view.step == 0:
            ranked = self.allocation in ("global", "lamp")
            first: Allocation = "erk" if ranked else self.allocation  # as published
            return rewire.first(view, keep, first, "granet"), None
        pruned = largest(view, keep, self.allocation)
        grown = self._swap(view, pruned)
        return rewire.change(view, grown & pruned, grown), None

    def _swap(self, view: View, pruned: rewire.WeightMask) -> rewire.WeightMask:
        """Swap some weights of every layer."""
        have = shares.of_mask(pruned, view.width)
        swaps = np.ceil(have * rewire.lasting(self.drop, view)).astype(np.int64)
        if not swaps.any():
            return pruned
        sizes = scores.sizes(view.params, pruned, view.width)
        staying = rewire.stay(sizes, have - swaps, view.width)
        slopes = rewire.steepness(view, pruned)
        return rewire.grow(staying, slopes, swaps, view.width)


def start_count(keep: np.ndarray, total: int, density: float) -> np.ndarray:
    """Return the weights that train at first: never fewer than are kept."""
    return np.maximum(keep, np.rint(density * total))


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The cubic in eight parts, then ``keep``."""
    columns = ("keep", "prune_end", "start_density")
    keep, end, density = (table[name].to_numpy(np.float64) for name in columns)
    begin = np.maximum(keep, density * weights)
    return counts.cubic_profile(keep, begin, end)


ENTRY = Entry(
    build=Granet,
    summary="gradual pruning with swaps of small weights for large gradients",
    citation="Liu et al., NeurIPS 2021, arXiv:2106.10404; code: VITA-Group/GraNet",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="gradual",
        criterion="magnitude",
        grow="gradient",
        data="a batch an update",
    ),
    options=GranetOptions,
    gradients=rewire.updates,
    cost_profile=cost_profile,
    colour="#999933",
    marker="^",
)
