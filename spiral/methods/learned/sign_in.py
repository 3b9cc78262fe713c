"""``sign_in``: each weight of a random mask trains as a product of two numbers."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import fractions, harden
from spiral.methods.parts.allocation import Allocation, allocation_option, choose
from spiral.methods.parts.scores import drawn
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Budget, Change, Mask, Params, Plan, Reparam, View


class SignInOptions(Options):
    """Options of ``sign_in``."""

    imbalance: float = Field(
        1.0,
        gt=0,
        le=100,
        description="β: difference of the squares of both factors",
        json_schema_extra=unit("-") | origin("ours, after the abstract"),
    )
    rescale_epochs: int = Field(
        1,
        ge=1,
        description="epochs between renewals of β",
        json_schema_extra=unit("epochs") | origin("ours"),
    )
    rescale_until: float = fractions.share(
        0.5, "fraction of training after which β is not renewed", "ours"
    )
    product_rate: float = fractions.above_zero(
        0.2,
        "factor on the learning rate until `end`",
        "ours: at 1 large weights take steps too long and units die",
    )
    end: float = harden.end_option()
    allocation: Allocation = allocation_option(
        "ours, as static: Mocanu et al. 2018", "erk"
    )


@dataclass(frozen=True)
class SignIn:
    """Sign-In (Gadhikar, Jacobs, Zhou & Burkholz, NeurIPS 2025, arXiv:2504.12801).

    The mask is that of ``static``, drawn before training. Networks run on θ = m·w, and
    m and w both train, with the L2 penalty on both. Plain gradient flow moves θ at the
    rate m² + w² = √(β² + 4θ²) and conserves β = m² - w², so with β > 0 a weight can
    change its sign, which with β = 0 it cannot. The penalty shrinks β; events restore
    it without a change of θ. At ``end`` the products become the weights.

    Departures: derived from the abstract, no code was found; when β is renewed is ours.
    The momentum of all numbers begins anew there. As θ moves at the rate
    √(β² + 4θ²), large weights need a lower learning rate than plain training: at the
    full rate of 0.1 networks of 300 weights and width 16 stayed at chance. The control
    is ``static``. A training that ``stop_epoch`` ends before ``end`` has one of the two
    factors.
    """

    imbalance: float
    rescale_epochs: int
    rescale_until: float
    product_rate: float
    end: float
    allocation: Allocation

    def plan(self, budget: Budget) -> Plan:
        """Draw the mask; restore β; multiply."""
        here = Reparam("product", harden.level(budget, 1.0), decays=True)
        last = harden.event(budget, self.end)
        stop = min(last, budget.at(self.rescale_until) + 1)
        period = self.rescale_epochs * budget.steps_per_epoch
        return harden.plan(budget, self.end, here, *range(period, stop, period))

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Draw the mask and split its weights, split again, or multiply."""
        if view.step == 0:
            kept = self._mask(view)
            params, factors = self.split(np.where(kept, view.params, 0), view.width)
            trained = kept.sum(axis=1) + view.keep
            change = Change(masks=kept, params=params, adapters=factors)
            rates = np.full(len(kept), self.product_rate)
            return replace(change, trained=trained, lr_scale=rates), None
        whole = harden.effective(view)
        if view.step == view.plan.events[-1]:
            fresh = np.ones(whole.shape, bool)
            final = Change(params=whole, reset_momentum=fresh, plain=True)
            return replace(final, lr_scale=np.ones(len(whole))), None
        params, factors = self.split(whole, view.width)
        return Change(params=params, adapters=factors), None

    def _mask(self, view: View) -> Mask:
        """Return the masks of ``static``."""
        scores = drawn(view, "random")
        kept = choose(scores, view.keep, self.allocation, "rank", view.width)
        return masks.with_biases(kept, view.width)

    def split(
        self, params: Params, width: int
    ) -> tuple[Params, Float[np.ndarray, "N W"]]:
        """Return parameters with w in place of θ, and m, so that m² - w² is β."""
        is_weight = mlp.is_weight(width)
        theta = params[:, is_weight].astype(np.float64)
        beta = self.imbalance
        m = np.sqrt((beta + np.sqrt(beta**2 + 4 * theta**2)) / 2)
        found = np.array(params, np.float32)
        found[:, is_weight] = theta / m
        return found, m.astype(np.float32)


ENTRY = Entry(
    build=SignIn,
    summary="random ERK mask; weights train as products, so that signs can change",
    citation="Gadhikar et al., NeurIPS 2025, arXiv:2504.12801; no code found",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="once",
        criterion="random",
        allocation="erk",
        second_phase="train",
    ),
    options=SignInOptions,
    colour="#8C564B",
    marker="p",
)
