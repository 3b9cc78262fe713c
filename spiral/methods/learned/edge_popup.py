"""``edge_popup``: search for a subnetwork whose weights never train."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import harden, shares
from spiral.methods.parts.allocation import allocation_option, choose
from spiral.methods.parts.shares import Quota
from spiral.model import masks, mlp
from spiral.protocol.config import Options
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, Reparam, View

TINY = 1e-6
"""Output bias of the final network. A logit of exactly 0 is of neither class."""

Start = Literal["normal", "signed"]
Shared = Literal["global", Quota]


class EdgePopupOptions(Options):
    """Options of ``edge_popup``."""

    frozen_weights: Start = Field(
        "normal",
        description="what the weights are, which never train: normal numbers of "
        "variance 2/fan_in (authors' example), or √(2/fan_in) with random signs "
        "(signed; better in the authors' ResNets)",
    )
    allocation: Shared = allocation_option(
        "Ramanujan et al. 2020: the same share of each layer", "uniform_alive", Shared
    )


@dataclass(frozen=True)
class EdgePopup:
    """Edge-popup (Ramanujan et al., CVPR 2020, arXiv:1911.13299).

    Weights are drawn, biases are 0, and neither ever trains. Every weight has a score
    s; networks run on the weights whose abs(s) is among the ``keep`` highest, and s
    gets the gradient w·∂L/∂θ times its sign. The L2 penalty acts on s. There is no
    training after the search.

    Departures: exactly ``keep`` weights, shared among layers in proportion to their
    sizes, where the authors' int() may keep one more in each. They keep about half of
    all weights; with few dozens of random weights expect little. The output bias is
    1e-6 in the end, so that a network which is silent at some or all points, with a
    logit of exactly 0 there, is as accurate as a constant one. A training that
    ``stop_epoch`` ends has all its weights, and no ``running_loss``.
    """

    frozen_weights: Start
    allocation: Shared

    def plan(self, budget: Budget) -> Plan:
        """Draw and freeze the weights; make the mask final."""
        here = Reparam("top_size", harden.level(budget, 1.0), decays=True)
        return harden.plan(budget, 1.0, here)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Draw weights and scores, or keep the highest scores."""
        if view.step == 0:
            return self._begin(view), None
        assert view.adapters is not None
        sizes = np.abs(view.adapters)
        kept = choose(sizes, view.keep, self.allocation, "rank", view.width)
        params = view.params.copy()
        params[:, mlp.layers(view.width)[-1].biases] = TINY
        return Change(
            params=params,
            masks=masks.with_biases(kept, view.width),
            trainable=np.ones(view.params.shape, bool),  # if a recipe goes on
            plain=True,
        ), None

    def _begin(self, view: View) -> Change:
        """Return the change with which the search begins."""
        params, numbers = np.zeros_like(view.params), harden.start(view)
        for n in range(len(params)):
            size = numbers.shape[1:]
            weights = view.stream(n, "weights").standard_normal(size)
            scores = 2 * view.stream(n, "scores").random(size) - 1
            if self.frozen_weights == "signed":
                weights = np.sign(weights)
            for layer in mlp.layers(view.width):
                part = layer.columns
                params[n, layer.weights] = weights[part] * np.sqrt(2 / layer.inputs)
                numbers[n, part] = scores[part] / np.sqrt(layer.inputs)
        counts = view.keep[:, None]
        if self.allocation != "global":
            counts = shares.quotas(view.keep, view.width, self.allocation)
        return Change(
            params=params,
            adapters=numbers,
            active_counts=counts.astype(np.int64),
            trainable=np.zeros(params.shape, bool),
            trained=np.full(len(params), numbers.shape[1]),
        )


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights to the end."""
    return CostProfile.even(np.full(len(table), float(weights)))


ENTRY = Entry(
    build=EdgePopup,
    summary="searches a subnetwork of random weights that never train",
    citation="Ramanujan et al., CVPR 2020, arXiv:1911.13299; code: "
    "allenai/hidden-networks",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="alternating",
        criterion="learned scores",
        grow="learned scores",
        allocation="uniform_alive",
        cost="dense",
    ),
    options=EdgePopupOptions,
    cost_profile=cost_profile,
    colour="#8C564B",
    marker="D",
)
