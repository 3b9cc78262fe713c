"""``cs``: gates that sharpen while they are learned (continuous sparsification)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import harden
from spiral.methods.parts.allocation import Allocation, allocation_option
from spiral.model import mlp
from spiral.protocol import cuts
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Budget, Change, Params, Plan, Reparam, View


class CsOptions(Options):
    """Options of ``cs``."""

    gate_start: float = Field(
        0.0,
        ge=-10,
        le=10,
        description="s of every weight before training (lower is sparser)",
        json_schema_extra=unit("-") | origin("Savarese et al. 2020"),
    )
    gate_penalty: float = Field(
        1e-8,
        ge=0,
        description="λ: penalty on the sum of the gates",
        json_schema_extra=unit("-") | origin("authors' script"),
    )
    sharpness: float = Field(
        200.0,
        ge=1,
        description="factor on s in the end; it grows from 1 by equal ratios",
        json_schema_extra=unit("-")
        | origin("authors' script, where it grows once an epoch"),
    )
    rewind_epoch: int | None = Field(
        None,
        ge=0,
        description="at `end`, take the weights of this epoch (authors' script: 2); "
        "None: keep those of then",
        json_schema_extra=unit("epochs"),
    )
    end: float = harden.end_option()
    allocation: Allocation = allocation_option("Savarese et al. 2020")


@dataclass(frozen=True)
class Cs:
    """Continuous sparsification (Savarese et al., NeurIPS 2020, arXiv:1912.04427).

    Networks run on w·σ(cs)/σ(s0), c from 1 to ``sharpness``; w and s train, the L2
    penalty acts on w. At ``end`` the ``keep`` weights of highest s stay, with their
    gates, or with open gates 1/σ(s0) if weights are rewound.

    Departures: one round instead of up to three; exactly ``keep`` instead of s > 0, so
    kept weights may have closed gates; c grows at every step; no Nesterov momentum
    unless the config asks for it. A training that ``stop_epoch`` ends before ``end``
    has weights without gates.
    """

    gate_start: float
    gate_penalty: float
    sharpness: float
    rewind_epoch: int | None
    end: float
    allocation: Allocation

    def plan(self, budget: Budget) -> Plan:
        """Start the gates; remember weights; make the mask final."""
        last = harden.event(budget, self.end)
        passed = np.minimum(np.arange(budget.steps) / max(1, last - 1), 1)
        here = Reparam(
            "sigmoid",
            self.sharpness**passed,
            scale=self._scale,
            penalty=self.gate_penalty,
        )
        others = () if self.rewind_epoch is None else (self._rewind(budget),)
        return harden.plan(budget, self.end, here, *others)

    @property
    def _scale(self) -> float:
        return float(1 / cuts.sigmoid(self.gate_start))

    def _rewind(self, budget: Budget) -> int:
        """Return the step whose weights are taken in the end."""
        assert self.rewind_epoch is not None
        step = self.rewind_epoch * budget.steps_per_epoch
        return min(step, harden.event(budget, self.end))

    def start(self, view: View) -> Params:
        """Remember the weights."""
        return np.array(view.params)

    def act(self, view: View, state: Params) -> tuple[Change, Params]:
        """Start the gates, remember weights, or make the mask final."""
        scale = np.float32(self._scale)
        if view.step == 0:
            starts = harden.start(view, self.gate_start)
            return Change(adapters=starts), state
        if view.step < view.plan.events[-1]:
            return Change(), np.array(view.params)
        if self.rewind_epoch is None:
            params = harden.effective(view)
        else:
            params = np.where(mlp.is_weight(view.width), state * scale, state)
        return harden.harden(view, params, self.allocation, view.adapters), state


def check(table: pd.DataFrame) -> list[Mistake]:
    """Weights can only be rewound to an epoch that begins before ``end``."""
    late = table[
        (table["rewind_epoch"] >= table["end"] * table["epochs"]).fillna(False)
    ]
    if late.empty:
        return []
    epoch, end, epochs = late[["rewind_epoch", "end", "epochs"]].iloc[0]
    text = f"expected an epoch before `end`, {end * epochs:g}; got {epoch}"
    return [Mistake("rewind_epoch", text, epoch)]


ENTRY = Entry(
    build=Cs,
    summary="learns a gate for each weight that closes or opens as it sharpens",
    citation="Savarese et al., NeurIPS 2020, arXiv:1912.04427; code: "
    "lolemacs/continuous-sparsification",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="once",
        criterion="learned gates",
        cost="dense to sparse",
    ),
    options=CsOptions,
    check=check,
    cost_profile=harden.cost_profile,
    colour="#8C564B",
    marker="v",
)
