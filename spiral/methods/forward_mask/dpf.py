"""``dpf``: the forward pass is masked, and the mask renewed every 16 steps."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.forward_mask.straight_through import (
    Fixed,
    active,
    competing,
    hardened,
)
from spiral.methods.parts import counts, fractions
from spiral.methods.parts.allocation import allocation_option
from spiral.model import mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, ForwardMask, Plan, View

Schedule = Literal["cubic", "once"]

END: Any = fractions.above_zero(
    0.75, "fraction of training at which `keep` weights are left", "ours, as in gmp"
)


def schedule_option(default: Schedule, source: str) -> Any:
    """Return the option ``counts``, given where its default comes from."""
    text = "active weights: along a cubic, changed every epoch, or `keep` at once"
    return Field(default, description=text, json_schema_extra=origin(source))


class DpfOptions(Options):
    """Options of ``dpf``."""

    interval: int = Field(
        16,
        ge=1,
        description="steps between two masks",
        json_schema_extra=unit("steps") | origin("Lin et al. 2020, by the BIMP code"),
    )
    counts: Schedule = schedule_option("cubic", "Lin et al. 2020, by the BIMP code")
    end: float = END
    allocation: Fixed = allocation_option("the BIMP code", legal=Fixed)


@dataclass(frozen=True)
class RenewedMask:
    """A forward mask that is renewed at intervals, while its weights become fewer.

    As dynamic pruning with feedback (Lin et al., ICLR 2020, arXiv:2006.07253): the
    network runs on its ``keep`` largest weights, and the gradient there moves all
    weights, so that wrong decisions are mended later. The mask is chosen anew every
    ``interval`` steps, and whenever the number of active weights changes: at the ends
    of epochs between ``begin`` and ``end``, along the cubic of Zhu & Gupta (2017). With
    ``interval: 1`` and ``counts: once`` it is ``ste``, bit for bit.

    With ``stored`` each mask sets the hidden weights to zero as well, and from ``end``
    on the mask is fixed: iterative hard thresholding (see ``iht``).

    Assumptions: biases are always active and masked by the rule of Zhang & Papyan in
    the end. The authors' own schedule of the counts was not available; this is the one
    of the BIMP repository (Zimmer et al.), which ranks over all layers, too.
    """

    interval: int
    counts: Schedule
    end: float
    begin: float = 0.0
    stored: bool = False
    allocation: Fixed = "global"

    def plan(self, budget: Budget) -> Plan:
        """Events at which the counts change, and one that fixes the mask."""
        begin, end = budget.at(self.begin), max(1, budget.at(self.end))
        epochs = range(0, end + 1, budget.steps_per_epoch)
        starts = [step for step in epochs if step > begin] or [begin]
        starts = starts if self.counts == "cubic" else [begin]
        last = end if self.stored else budget.steps
        rest = np.ones(budget.steps)
        rest[starts[0] : last] = 0
        forward = ForwardMask(
            scopes={starts[0]: competing(self.allocation)},
            rest=rest,
            interval=self.interval,
            stored=self.stored,
        )
        events = [*(step for step in starts if step < last), last]
        return Plan.simple(budget, *events, weight_map=forward)

    def start(self, view: View) -> None:
        """Remember nothing: all follows from the step."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Set the number of active weights, or fix the mask."""
        *starts, last = view.plan.events
        if view.step == last:
            left = active(view.keep, view.width, self.allocation)
            fixed = hardened(view, left, competing(self.allocation))
            return Change(masks=fixed), None
        done = (starts.index(view.step) + 1) / len(starts)
        count = counts.cubic(done, view.keep, mlp.weight_count(view.width))
        left = active(np.rint(count).astype(np.int64), view.width, self.allocation)
        return Change(active_counts=left), None


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The first epoch, a shared prefix; then all weights, each config for itself."""
    gradual = (table["counts"] == "cubic").to_numpy(np.float64)
    begin = np.minimum(gradual / table["epochs"].to_numpy(np.float64), 0.5)
    kept = np.full((2, len(table)), float(weights))
    return CostProfile(kept, np.stack([begin / sharing, 1 - begin]))


ENTRY = Entry(
    build=RenewedMask,
    summary="runs on its largest weights, chosen every 16 steps, and trains all of "
    "them",
    citation="Lin et al., ICLR 2020, arXiv:2006.07253; code: ZIB-IOL/BIMP",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="gradual",
        criterion="magnitude",
        grow="magnitude",
        cost="dense",
    ),
    options=DpfOptions,
    cost_profile=cost_profile,
    colour="#4477AA",
    marker="D",
)
