"""``snip``: keep the weights whose removal would change the loss most."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from spiral.methods.entry import Entry, Fidelity, Taxonomy, fidelity
from spiral.methods.parts.allocation import Allocation, allocation_option, choose
from spiral.methods.parts.cycles import CyclicOptions, check, cyclic
from spiral.methods.parts.reinit import Reinit, initial
from spiral.methods.parts.selection import degenerate, floored
from spiral.model import masks, mlp
from spiral.protocol.job import Budget, Change, Plan, View


class SnipOptions(CyclicOptions):
    """Options of ``snip``."""

    fidelity: Fidelity = fidelity(selection="loose", reinit="xavier")
    selection: Literal["rank", "loose"] = Field(
        "rank",
        description="keep exactly `keep` weights, or all that reach the last one",
    )
    reinit: Reinit = Field("none", description="initial law of the weights")
    allocation: Allocation = allocation_option("Lee et al. 2019")


@dataclass(frozen=True)
class Snip:
    """SNIP (Lee, Ajanthan & Torr, ICLR 2019, arXiv:1810.02340).

    The score of a weight is |w · ∂L/∂w| on the first training batch.

    Departures: biases are not scored and always train; the scored weights are those
    that train. ``loose`` is what the code of Zhang & Papyan does: it keeps everything
    where fewer than ``keep`` scores are positive, and nothing where none is.
    """

    selection: Literal["rank", "loose"]
    reinit: Reinit
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event before training."""
        return Plan.simple(budget, 0, exact=self.selection == "rank")

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Score once and keep the best."""
        from spiral.model import gradients

        params = initial(view, self.reinit)
        slope = gradients.gradient(params, view.batch(0), view.width)
        scores = masks.of_weights(np.abs(params * slope), view.width)
        status = degenerate(scores, view.keep)
        keep = view.keep
        if self.selection == "loose":
            keep = floored(keep, mlp.weight_count(view.width))
            scores = scores / scores.sum(axis=1, keepdims=True)
        best = choose(scores, keep, self.allocation, self.selection, view.width)
        kept = masks.with_biases(best, view.width)
        return Change(masks=kept, params=params, status=status), None


ENTRY = Entry(
    build=cyclic(Snip),
    summary="largest |w · gradient| at initialisation",
    citation="Lee et al., ICLR 2019, arXiv:1810.02340",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="once",
        criterion="|w·g|",
        data="one batch",
        second_phase="train",
    ),
    options=SnipOptions,
    check=check,
    gradients=lambda table: np.ones(len(table)),
    colour="#56B4E9",
    marker="<",
)
