"""``spartan``: a soft cut at the largest weights that hardens."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import fractions, harden
from spiral.model import mlp
from spiral.protocol import reparam
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Budget, Change, Plan, Reparam, View


class SpartanOptions(Options):
    """Options of ``spartan``."""

    warmup: float = fractions.below_one(
        0.2,
        "fraction of training in which the active weights fall to `keep`",
        "authors' default",
    )
    interval: int = harden.INTERVAL
    sharpness: float = Field(
        20.0,
        ge=1,
        description="c of the soft cut at `end`; it grows from 1 along a line",
        json_schema_extra=unit("-")
        | origin("authors' default; 10 for their ResNet-50"),
    )
    end: float = harden.end_option(0.8, "authors' default")


@dataclass(frozen=True)
class Spartan:
    """Spartan (Tai, Tian & Lim, NeurIPS 2022, arXiv:2205.14107), global, unit costs.

    Networks run on w·m for the k largest w, with soft gates m = σ(c(abs(w) - τ)) that
    add up to k. w gets the gradient through the soft gates of all weights, as if the
    cut at k were not there. k falls from all weights to ``keep`` along a line, then c
    grows until ``end``, where the mask and the values of its gates are final.

    τ solves the sum exactly: the authors' Sinkhorn iterations have the same
    fixed point, but stop earlier, at sums of 1.8 to 1.9 instead of 2 in the example of
    the tests. A training that ``stop_epoch`` ends before ``end`` has weights without
    gates. There is no ``allocation``: one τ cuts all layers.
    """

    warmup: float
    interval: int
    sharpness: float
    end: float

    def plan(self, budget: Budget) -> Plan:
        """Count down the active weights; make the mask final."""
        last = harden.event(budget, self.end)
        passed = np.minimum(np.arange(budget.steps) / last, 1)
        here = Reparam("soft_top", 1 + (self.sharpness - 1) * passed)
        warm = min(budget.at(self.warmup), last)
        frames = range(self.interval, warm, self.interval)
        return harden.plan(budget, self.end, here, *frames, warm)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Set the count of active weights, or make the mask final."""
        if view.step == view.plan.events[-1]:
            return self._end(view), None
        warm = int(self.warmup * view.plan.steps)
        done = min(1.0, view.step / warm) if warm else 1.0
        total = mlp.weight_count(view.width)
        active = np.rint(total + done * (view.keep - total)).astype(np.int64)
        starts = harden.start(view) if view.step == 0 else None
        return Change(adapters=starts, active_counts=active[:, None]), None

    def _end(self, view: View) -> Change:
        """Keep the largest weights with the values of their gates."""
        here, numbers = view.plan.weight_map, view.adapters
        assert isinstance(here, Reparam)
        assert numbers is not None
        c, counts = here.curve[view.step - 1], view.keep[:, None]
        given = reparam.given("soft_top", view.params, numbers, c, counts)
        sizes = np.abs(harden.weights(view))
        return harden.harden(view, harden.effective(view, *given), "global", sizes)


ENTRY = Entry(
    build=Spartan,
    summary="a soft cut at the largest weights, trained through while it hardens",
    citation="Tai et al., NeurIPS 2022, arXiv:2205.14107; code: "
    "facebookresearch/spartan",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="gradual",
        criterion="magnitude",
        grow="magnitude",
        cost="dense to sparse",
    ),
    options=SpartanOptions,
    check=fractions.ends_after("warmup"),
    cost_profile=partial(harden.cost_profile, alone=0.0),
    colour="#8C564B",
    marker="<",
)
