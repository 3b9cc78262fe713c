"""``rigl``: drop small weights and grow those with large gradients."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from spiral.methods.entry import Entry, Fidelity, Taxonomy, fidelity
from spiral.methods.parts import erk, fractions, rewire, shares
from spiral.methods.parts.allocation import Allocation, allocation_option, choose
from spiral.methods.parts.scores import drawn
from spiral.methods.parts.selection import by_layer
from spiral.model import masks
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Budget, Change, Plan, View


class RiglOptions(Options):
    """Options of ``rigl``."""

    fidelity: Fidelity = fidelity(
        layer_rounding="up",
        first_update=100,
        counted_from=1,
        zeros="as_any",
        selection="sorted",
    )
    update_interval: int = rewire.update_interval(
        100, "Evci et al. 2020: authors' code"
    )
    update_end: float = rewire.update_end(0.75, "Evci et al. 2020: authors' code")
    first_update: int = Field(
        0,
        ge=0,
        description="step of the first update",
        json_schema_extra=unit("steps") | origin("authors' TensorFlow code"),
    )
    counted_from: int = Field(
        0,
        ge=0,
        le=1,
        description="number of the first training step",
        json_schema_extra=unit("steps") | origin("ours: all steps count from 0"),
    )
    drop: float = fractions.share(
        0.3,
        "share of each layer's weights that the first update swaps",
        "Evci et al. 2020: authors' code",
    )
    least_swap: int = Field(
        0,
        ge=0,
        description="least number of weights that a layer swaps",
        json_schema_extra=unit("weights")
        | origin("Evci et al. 2020: a layer may swap none"),
    )
    growth: Literal["gradient", "random"] = Field(
        "gradient",
        description="which weights grow: largest gradients, or random ones (SET)",
    )
    layer_rounding: erk.Rounding = Field(
        "exact", description="make ERK budgets add up to keep, or round them up"
    )
    zeros: Literal["kept", "as_any"] = Field(
        "kept",
        description="rank kept weights of value 0 above pruned ones, or as equals",
    )
    selection: Literal["rank", "sorted"] = Field(
        "rank",
        description="which of equal values to keep: lower indices, or torch's choice",
    )
    allocation: Allocation = allocation_option("Evci et al. 2020", "erk")


@dataclass(frozen=True)
class Rigl:
    """RigL with ERK (Evci et al., ICML 2020, arXiv:1911.11134).

    Starts from a random mask with layer budgets, those of Erdős–Rényi–Kernel by
    default. Every ``update_interval`` steps until ``update_end`` an update takes the
    place of the training step: of each layer's n weights
    ⌊n · drop/2 · (1 + cos(πt/T_end))⌋ of smallest value go, and as many of largest
    dense gradient come, at value 0. A weight that goes and comes back keeps its value.

    Departures: layer budgets add up to ``keep``; equal values go by index, without
    noise. With few weights a layer the floor is often 0; ``least_swap: 1`` mends that.
    The code of Zhang & Papyan counts steps from 1, so its first update, of step 100,
    takes the place of the hundredth; it stops before T_end, not at it; and ``sorted``
    is how it chooses among gradients of 0, which all are in a network without a path.
    """

    update_interval: int
    update_end: float
    first_update: int
    counted_from: int
    drop: float
    least_swap: int
    growth: Literal["gradient", "random"]
    layer_rounding: erk.Rounding
    zeros: Literal["kept", "as_any"]
    selection: Literal["rank", "sorted"]
    allocation: Allocation = "erk"

    def plan(self, budget: Budget) -> Plan:
        """The first mask, then updates in place of training steps."""
        first = self.counted_from
        stop = budget.at(self.update_end) + 1 - first
        numbers = range(self.first_update, stop, self.update_interval)
        updates = tuple(number - first for number in numbers if number >= first)
        events = sorted({0, *updates})
        exact = self.layer_rounding == "exact"
        return Plan.simple(budget, *events, replaced=updates, exact=exact)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Draw the first mask; update it."""
        kept = masks.of_weights(view.masks, view.width)
        if view.step == 0:
            kept = self._first(view)
        if view.step in view.plan.replaced:
            kept = self._update(view, kept)
        return Change(masks=masks.with_biases(kept, view.width)), None

    def _first(self, view: View) -> rewire.WeightMask:
        """Draw a random mask with each layer's budget.

        Those of ERK are rounded by largest remainders rather than as ``choose`` does:
        they need not be monotone, and old rows have them.
        """
        numbers = drawn(view, "rigl")
        if self.allocation == "erk":
            budgets = erk.shares(view.keep, view.width, self.layer_rounding)
            return by_layer(view.width, numbers, budgets)
        return choose(numbers, view.keep, self.allocation, "rank", view.width)

    def _update(self, view: View, kept: rewire.WeightMask) -> rewire.WeightMask:
        """Swap some weights of every layer."""
        counts = shares.of_mask(kept, view.width)
        swaps = np.minimum(self._swaps(view, counts), counts)
        some = np.flatnonzero(swaps.any(axis=1))  # late, small networks swap nothing
        if not len(some) and self.zeros == "kept":
            return kept
        size = np.abs(masks.of_weights(view.params, view.width))
        lowest = np.float32(-1 if self.zeros == "kept" else 0)
        worth, rule = np.where(kept, size, lowest), self.selection
        stay = rewire.stay(worth, counts - swaps, view.width, rule)
        interest = self._interest(view, kept, some)
        return rewire.grow(stay, interest, swaps, view.width, rule)

    def _swaps(self, view: View, counts: rewire.LayerCounts) -> rewire.LayerCounts:
        """Return how many weights each layer swaps."""
        end = int(self.update_end * view.plan.steps)
        share = rewire.cosine(self.drop, view.step + self.counted_from, end)
        return np.maximum(self.least_swap, (counts * share).astype(np.int64))

    def _interest(
        self, view: View, kept: rewire.WeightMask, some: Int[np.ndarray, " M"]
    ) -> Float[np.ndarray, "N W"]:
        """Return growth scores of some networks; 0 for the others."""
        if self.growth == "random":
            return rewire.noise(view, some)
        found = np.zeros(kept.shape)
        if len(some):
            found[some] = np.abs(rewire.slopes(view, kept, some, view.step))
        return found


ENTRY = Entry(
    build=Rigl,
    summary="random ERK mask; swaps small weights for large gradients",
    citation="Evci et al., ICML 2020, arXiv:1911.11134",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="alternating",
        criterion="magnitude",
        grow="gradient",
        allocation="erk",
        data="a batch an update",
    ),
    options=RiglOptions,
    gradients=rewire.updates,
    colour="#999933",
    marker="8",
)
