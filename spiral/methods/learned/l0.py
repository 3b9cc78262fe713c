"""``l0``: random gates whose probability to be open is learned."""

from dataclasses import dataclass
from math import log

import numpy as np
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import harden
from spiral.methods.parts.allocation import Allocation, allocation_option
from spiral.model import mlp
from spiral.protocol import reparam
from spiral.protocol.config import PER_NETWORK, Options, origin, unit
from spiral.protocol.job import Budget, Change, Plan, Reparam, View

BOUND = log(100)
"""s stays within ± this, as in the authors' code."""

SPREAD = 0.01
"""Standard deviation of s at the start, as in the authors' code."""


class L0Options(Options):
    """Options of ``l0``."""

    drop_start: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="probability that a gate starts closed, before it is stretched",
        json_schema_extra=PER_NETWORK | unit("-") | origin("authors' default"),
    )
    gate_penalty: float = Field(
        1e-4,
        ge=0,
        description="λ/N: penalty on the expected number of open gates",
        json_schema_extra=unit("-")
        | origin("ours; the authors' depends on the network"),
    )
    end: float = harden.end_option()
    allocation: Allocation = allocation_option("Louizos et al. 2018")


@dataclass(frozen=True)
class L0:
    """L0 regularisation (Louizos, Welling & Kingma, ICLR 2018, arXiv:1712.01312).

    Every weight has a gate of the hard concrete distribution, drawn anew at each step;
    its location s trains with the weight, under a penalty on the expected number of
    open gates. At ``end`` the ``keep`` weights of highest s stay, times the gates that
    the authors use for tests, clip(1.2σ(s) - 0.1, 0, 1).

    Assumptions: gates of single weights, where the authors' are of inputs;
    the L2 penalty acts on stored weights, whether their gates are open or not.
    Noise depends on the order seed, so that rows of one seed can be compared in pairs.
    A training that ``stop_epoch`` ends before ``end`` has weights without gates.
    """

    gate_penalty: float
    end: float
    allocation: Allocation

    def plan(self, budget: Budget) -> Plan:
        """Start the gates; make the mask final."""
        curve = harden.level(budget, 1.0)
        here = Reparam("hard_concrete", curve, penalty=self.gate_penalty, bound=BOUND)
        return harden.plan(budget, self.end, here)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Start the gates, or make the mask final."""
        if view.step == 0:
            drop = view.options["drop_start"].astype(np.float64)
            middle = harden.start(view, np.log((1 - drop) / drop))
            size, networks = middle.shape[1], range(len(middle))
            drawn = [view.stream(n, "gates").standard_normal(size) for n in networks]
            starts = middle + np.float32(SPREAD) * np.array(drawn, np.float32)
            return Change(adapters=np.clip(starts, -BOUND, BOUND)), None
        assert view.adapters is not None
        params = np.array(view.params)
        is_weight = mlp.is_weight(view.width)
        params[:, is_weight] *= reparam.hard_concrete(view.adapters)
        return harden.harden(view, params, self.allocation, view.adapters), None


ENTRY = Entry(
    build=L0,
    summary="learns how likely the gate of each weight is open, under an L0 penalty",
    citation="Louizos et al., ICLR 2018, arXiv:1712.01312; code: "
    "AMLab-Amsterdam/L0_regularization",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="once",
        criterion="learned gates",
        cost="dense to sparse",
    ),
    options=L0Options,
    cost_profile=harden.cost_profile,
    colour="#8C564B",
    marker=">",
)
