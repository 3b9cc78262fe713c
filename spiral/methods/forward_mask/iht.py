"""``iht`` and ``aiht``: iterative hard thresholding, plain and with masked phases.

Left out of ``iht``: a momentum that is reset at thresholds (``aiht`` resets that of
masked weights) and the normalised step of Blumensath, since rates are the config's.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.forward_mask import dpf
from spiral.methods.forward_mask.dpf import RenewedMask
from spiral.methods.forward_mask.straight_through import Fixed
from spiral.methods.parts import fractions
from spiral.methods.parts.allocation import Allocation, allocation_option, largest
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View

BEGIN: Any = fractions.below_one(0.1, "fraction of training that is dense", "ours")
END: Any = fractions.above_zero(
    0.75, "fraction of training from which the mask is fixed", "ours"
)


class IhtOptions(Options):
    """Options of ``iht``."""

    interval: int = Field(
        10,
        ge=1,
        description="steps from one threshold to the next; the weights it sets to 0 "
        "stay out of the network until then, but train on from 0 and may return (with "
        "an interval of 1 none does: a single step is too small)",
        json_schema_extra=unit("steps") | origin("ours; the textbook's is 1"),
    )
    counts: dpf.Schedule = dpf.schedule_option("once", "Blumensath 2012")
    begin: float = BEGIN
    end: float = END
    allocation: Fixed = allocation_option("Jin et al. 2016", legal=Fixed)


class AihtOptions(Options):
    """Options of ``aiht``."""

    interval: int = Field(
        10,
        ge=1,
        description="steps in which all weights train, between masked phases",
        json_schema_extra=unit("steps") | origin("ours; the authors' code has 1"),
    )
    inner: int = Field(
        3,
        ge=1,
        description="length of a masked phase, in intervals",
        json_schema_extra=unit("intervals")
        | origin("Fridovich-Keil & Pilanci 2026: authors' code"),
    )
    begin: float = BEGIN
    end: float = END
    allocation: Allocation = allocation_option("ours")


@dataclass(frozen=True)
class Aiht:
    """Hard thresholding followed by training of what is left, again and again.

    Accelerated IHT (Blumensath 2012) as in Fridovich-Keil & Pilanci (ICLR 2026,
    arXiv:2509.20323): all weights train for ``interval`` steps; the ``keep`` largest
    stay, the others become zero; these alone train for ``inner`` intervals, then all
    again. Before ``begin`` all train, and from ``end`` on the mask is fixed.

    Assumption C3.7: SGD with momentum takes the place of full gradients with a line
    search and of training layer by layer; biases train throughout and follow the rule
    of Zhang & Papyan in the end. Masked weights lose their momentum. ``acdc`` differs
    in the length of its phases and in its resets. The paper's theorem is about two
    layers and Gaussian data, and claims nothing here.
    """

    interval: int
    inner: int
    begin: float
    end: float
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """Thresholds and the ends of masked phases in turn, then the last threshold."""
        first, last = budget.at(self.begin), max(1, budget.at(self.end))
        masked = self.inner * self.interval
        starts = range(first, last, masked + self.interval)
        events = [step for start in starts for step in (start, start + masked)]
        return Plan.simple(budget, *(step for step in events if step < last), last)

    def start(self, view: View) -> None:
        """Remember nothing: all follows from the step."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Keep the largest weights, or let all train."""
        kept = np.ones_like(view.masks)
        number, last = view.plan.events.index(view.step), view.plan.events[-1]
        if number % 2 and view.step < last:
            return Change(masks=kept), None
        stay = largest(view, view.keep, self.allocation)
        if view.step == last:
            return Change(masks=masks.with_biases(stay, view.width)), None
        kept[:, mlp.is_weight(view.width)] = stay
        return Change(masks=kept), None


def _profile(
    table: pd.DataFrame, weights: int, sharing: np.ndarray, inner: Any
) -> CostProfile:
    """The dense prefix, all weights in between, and ``keep``."""
    keep, begin, end = (table[n].to_numpy(np.float64) for n in ("keep", "begin", "end"))
    whole, between = np.full(len(keep), float(weights)), np.maximum(end - begin, 0)
    dense = between / (1 + inner)
    share = np.stack([begin / sharing, dense, 1 - begin - dense])
    return CostProfile(np.stack([whole, whole, keep]), share)


def iht_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights until the mask is fixed."""
    return _profile(table, weights, sharing, 0.0)


def aiht_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights in one interval of ``inner`` + 1."""
    inner = table["inner"].to_numpy(np.float64)
    return _profile(table, weights, sharing, inner)


IHT = Entry(
    build=partial(RenewedMask, stored=True),
    summary="all but the largest weights are set to zero, every ten steps",
    citation="Jin et al. 2016, arXiv:1607.05423; Blumensath 2012",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="alternating",
        criterion="magnitude",
        grow="magnitude",
        cost="dense to sparse",
    ),
    options=IhtOptions,
    check=fractions.ends_after("begin"),
    cost_profile=iht_profile,
    colour="#4477AA",
    marker="P",
)

AIHT = Entry(
    build=Aiht,
    summary="the largest weights train alone for a while after every threshold",
    citation="Fridovich-Keil & Pilanci, ICLR 2026, arXiv:2509.20323; "
    "code: voilalab/MLP-IHT",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="alternating",
        criterion="magnitude",
        grow="magnitude",
        cost="alternating",
    ),
    options=AihtOptions,
    check=fractions.ends_after("begin"),
    cost_profile=aiht_profile,
    colour="#4477AA",
    marker="X",
)
