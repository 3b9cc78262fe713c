"""``deepr``: signs are fixed; a weight that would change its sign goes elsewhere."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import rewire, shares
from spiral.methods.parts.allocation import Allocation, allocation_option
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Budget, Change, Plan, View

FRESH = 1e-6
"""Absolute value of a new weight (ours; authors' script: 1e-12). 0 has no sign."""

PRICE = 4.0
"""Gradients that take as long as an update: 0.17 ms for a network of a pack of 32."""


class DeeprOptions(Options):
    """Options of ``deepr``."""

    update_interval: int = rewire.update_interval(10, "ours; authors' script: 1")
    l1: float = Field(
        1e-5,
        ge=0,
        description="α, the L1 penalty",
        json_schema_extra=unit("-") | origin("authors' script"),
    )
    allocation: Allocation = allocation_option("ours", "erk")


@dataclass(frozen=True)
class DeepRewiring:
    """Deep R (Bellec et al., ICLR 2018, arXiv:1711.05136).

    Starts from a random mask. Every place has a fixed sign, that of its initial weight.
    At an update all weights move towards 0 by the L1 penalty since the last one; those
    that have reached 0 or changed their sign go, and as many come at random places of
    their layer, close to 0 and with the sign of the place.

    Departures: updates are every 10 steps and after training, not every step, so that a
    weight may have the other sign in between; there is no noise (of size 1e-5
    times the learning rate in the authors' script). Layers have exactly their budgets
    of ERK, where the authors draw places with replacement and get fewer.
    """

    update_interval: int
    l1: float
    allocation: Allocation

    def plan(self, budget: Budget) -> Plan:
        """The first mask, updates throughout, and one after training."""
        steps = range(0, budget.steps, self.update_interval)
        return Plan.simple(budget, *steps, budget.steps)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Draw the first mask; rewire it."""
        if view.step == 0:
            return rewire.first(view, view.keep, self.allocation, "deepr"), None
        kept = masks.of_weights(view.masks, view.width)
        sign = np.where(masks.of_weights(view.initial, view.width) < 0, -1.0, 1.0)
        size = sign * masks.of_weights(view.params, view.width) - self._penalty(view)
        staying = kept & ~(size <= 0)  # NaN stays: a diverged network keeps its mask
        params = view.params.copy()
        params[:, mlp.is_weight(view.width)] = np.where(staying, sign * size, 0)
        gone = shares.of_mask(kept & ~staying, view.width)
        some = np.flatnonzero(gone.any(axis=1))
        if not len(some):
            return Change(params=params), None
        noise = rewire.noise(view, some)
        grown = rewire.grow(staying, noise, gone, view.width)
        shrunk = replace(view, params=params)
        return rewire.change(shrunk, staying, grown, sign * FRESH), None

    def _penalty(self, view: View) -> Float[np.ndarray, "N 1"]:
        """Return how far the L1 penalty moved weights since the last update.

        It follows the learning rate of each step.
        """
        steps = view.step % self.update_interval or self.update_interval
        passed = view.rates(view.step - steps, view.step)
        found: Float[np.ndarray, "N 1"] = self.l1 * passed.sum(axis=0, dtype=float)
        return found[:, None]


def price(table: pd.DataFrame) -> np.ndarray:
    """Return the gradients that would take as long as all updates."""
    return PRICE * rewire.updates(table.assign(update_end=1.0))


ENTRY = Entry(
    build=DeepRewiring,
    summary="random ERK mask; weights that change sign go to random places",
    citation="Bellec et al., ICLR 2018, arXiv:1711.05136; "
    "code: guillaumeBellec/deep_rewiring",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="alternating",
        criterion="sign change",
        grow="random",
        allocation="erk",
    ),
    options=DeeprOptions,
    gradients=price,
    colour="#666633",
    marker="s",
)
