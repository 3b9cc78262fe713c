"""``powerprop``: weights are powers of what trains, so small ones stay small."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import counts, fractions, harden
from spiral.methods.parts.allocation import Allocation, allocation_option
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Params, Plan, Reparam, View

Pruning = Literal["once", "gradual"]


class PowerpropOptions(Options):
    """Options of ``powerprop``."""

    alpha: float = Field(
        2.0,
        ge=1,
        le=10,
        description="α: the power of the stored weights",
        json_schema_extra=unit("-")
        | origin("within the 1 to 5 of Schwarz et al. 2021"),
    )
    pruning: Pruning = Field(
        "once",
        description="prune at `end` alone (the authors), or along gmp's cubic until "
        "then (ours)",
    )
    interval: int = Field(
        97,
        ge=1,
        description="steps between prunings if they are gradual",
        json_schema_extra=unit("steps") | origin("ours, as in gmp"),
    )
    root_rate: float = fractions.above_zero(
        0.1,
        "factor on the learning rate until `end`",
        "ours: at momentum 0.9 the steps of the authors, who have none",
    )
    decay: Literal["off", "on"] = Field(
        "off",
        description="the L2 penalty of stored weights, which is an L^(2/α) penalty of "
        "weights, before `end` (the authors have none)",
    )
    end: float = harden.end_option()
    allocation: Allocation = allocation_option(
        "ours (theirs gives the output layer twice the density)"
    )


@dataclass(frozen=True)
class Powerprop:
    """Powerpropagation (Schwarz et al., NeurIPS 2021, arXiv:2110.00296).

    Networks run on θ = sign(w)·abs(w)^α. w starts so that θ is the usual
    initialisation. A step on w moves θ in proportion to its size, so weights near 0
    stay there and the rest is pruned with less harm. At ``end`` the ``keep`` largest θ
    stay and train plainly, at the config's full learning rate.

    Departures: the authors keep twice the density in the output layer; see
    ``allocation``. They train by SGD without momentum and
    L2 penalty. Here momentum is the config's; at width 16 and a ``root_rate`` of 1
    weights grew to 50 and units died, as steps grow with weights. The penalty is off
    until ``end``, for biases too, unless ``decay`` is on. A training that
    ``stop_epoch`` ends before ``end`` has stored weights, not their powers.
    """

    alpha: float
    pruning: Pruning
    interval: int
    root_rate: float
    decay: Literal["off", "on"]
    end: float
    allocation: Allocation

    def plan(self, budget: Budget) -> Plan:
        """Start the power; prune, once or often; make the mask final."""
        here = Reparam("power", harden.level(budget, self.alpha))
        often = range(self.interval, harden.event(budget, self.end), self.interval)
        others = often if self.pruning == "gradual" else ()
        return harden.plan(budget, self.end, here, *others)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Store roots of the weights, prune, or make the mask final."""
        if view.step == 0:
            none = np.zeros(len(view.params)) if self.decay == "off" else None
            begin = Change(
                params=self._roots(view.params, view.width),
                adapters=harden.start(view),
                lr_scale=np.full(len(view.params), self.root_rate),
                decay_scale=none,
            )
            return begin, None
        params = harden.effective(view)
        events = view.plan.events
        if view.step == events[-1]:
            final = harden.harden(view, params, self.allocation)
            return replace(final, lr_scale=np.ones(len(params))), None
        done = events.index(view.step) / (len(events) - 1)
        total = mlp.weight_count(view.width)
        keep = np.rint(counts.cubic(done, view.keep, total)).astype(np.int64)
        kept = harden.cut(view, params, keep, self.allocation)
        return Change(masks=masks.with_biases(kept, view.width)), None

    def _roots(self, params: Params, width: int) -> Params:
        """Return parameters whose weights' powers are the given ones."""
        roots = np.sign(params) * np.abs(params) ** np.float32(1 / self.alpha)
        return np.where(mlp.is_weight(width), roots, params)


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights to ``end``; pruned once, in one training for all keeps."""
    alone = np.where(table["pruning"] == "once", 1.0, 0.0)
    return harden.cost_profile(table, weights, sharing, alone)


ENTRY = Entry(
    build=Powerprop,
    summary="trains roots of the weights, so that small weights stay small; then cuts",
    citation="Schwarz et al., NeurIPS 2021, arXiv:2110.00296; code: "
    "google-deepmind/deepmind-research",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="once",
        criterion="magnitude",
        cost="dense to sparse",
    ),
    options=PowerpropOptions,
    cost_profile=cost_profile,
    colour="#8C564B",
    marker="s",
)
