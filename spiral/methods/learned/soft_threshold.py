"""``str``: soft thresholds of the layers are learned with the weights."""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import harden
from spiral.methods.parts.allocation import Allocation, allocation_option
from spiral.model import mlp
from spiral.protocol import cuts
from spiral.protocol.config import PER_NETWORK, Options, origin, unit
from spiral.protocol.job import Budget, Change, Plan, Reparam, View


class StrOptions(Options):
    """Options of ``str``."""

    threshold_start: float = Field(
        -200.0,
        le=100,
        description="s of every layer before training; its threshold is the logistic "
        "function of s",
        json_schema_extra=PER_NETWORK
        | unit("-")
        | origin("ours; the authors' -3200 on ImageNet decays for 100 epochs"),
    )
    end: float = harden.end_option()
    allocation: Allocation = allocation_option("Kusupati et al. 2020")


@dataclass(frozen=True)
class Str:
    """Soft threshold reparametrisation (Kusupati et al., ICML 2020, arXiv:2002.03231).

    Networks run on sign(w)·max(abs(w) - σ(s), 0) with one s a layer. SGD trains w and
    s; the L2 penalty acts on both and is all that pulls s up. At ``end`` the ``keep``
    weights that exceed their threshold by most stay, without the threshold's share.

    Assumptions: weights below their threshold rank by their distance to it, if fewer
    than ``keep`` exceed theirs (the authors keep as many as there are). Without the
    loss, s shrinks by exp(-λΣη/(1 - μ)): by e^-4.9 with a learning rate of 0.1, 50
    epochs of a cosine and an L2 penalty of 5e-4. So starts of -50, -200 and -800 end
    near -0.4, -1.5 and -6, and this start, not ``keep``, sets how sparse a network gets
    by itself. A training that ``stop_epoch`` ends before ``end`` has weights
    from which no threshold is taken.
    """

    end: float
    allocation: Allocation

    def plan(self, budget: Budget) -> Plan:
        """Start the thresholds; make the mask final."""
        curve = harden.level(budget, 1.0)
        here = Reparam("soft_threshold", curve, decays=True)
        return harden.plan(budget, self.end, here)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Start the thresholds, or make the mask final."""
        if view.step == 0:
            starts = harden.start(view, view.options["threshold_start"])
            return Change(adapters=starts), None
        assert view.adapters is not None
        sizes = np.abs(harden.weights(view))
        for number, layer in enumerate(mlp.layers(view.width)):
            threshold = cuts.sigmoid(view.adapters[:, number : number + 1])
            sizes[:, layer.columns] -= threshold
        return harden.harden(view, harden.effective(view), self.allocation, sizes), None


ENTRY = Entry(
    build=Str,
    summary="learns a soft threshold for each layer together with the weights",
    citation="Kusupati et al., ICML 2020, arXiv:2002.03231; code: RAIVNLab/STR",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="once",
        criterion="magnitude above a learned threshold",
        cost="dense to sparse",
    ),
    options=StrOptions,
    cost_profile=harden.cost_profile,
    colour="#8C564B",
    marker="o",
)
