"""``prospr``: keep the weights that matter for the loss a few steps later."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from spiral.methods.entry import Entry, Fidelity, Taxonomy, fidelity
from spiral.methods.parts import fractions
from spiral.methods.parts.allocation import Allocation, allocation_option, choose
from spiral.methods.parts.selection import degenerate
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Budget, Change, Plan, View


class ProsprOptions(Options):
    """Options of ``prospr``."""

    fidelity: Fidelity = fidelity(
        rounding="up", selection="topk", empty_layer="abort", late_biases="kept"
    )
    rounding: Literal["exact", "up"] = Field(
        "exact",
        description="keep exactly `keep` weights, or ⌈W·(1 - sparsity)⌉ in float64",
    )
    selection: Literal["rank", "topk"] = Field(
        "rank",
        description="which of equal scores to keep: lower indices, or torch's choice",
    )
    empty_layer: Literal["train", "abort"] = Field(
        "train", description="train networks with an empty layer, or mark them aborted"
    )
    late_biases: Literal["masked", "kept"] = Field(
        "masked", description="biases of units without outgoing weights at width 3"
    )
    inner_steps: int = Field(
        3,
        ge=0,
        description="SGD steps to differentiate through",
        json_schema_extra=unit("steps") | origin("authors' README"),
    )
    inner_lr: float | None = Field(
        None,
        ge=0,
        description="learning rate of these steps; None: the config's",
        json_schema_extra=unit("-"),
    )
    inner_momentum: float = fractions.below_one(
        0.9, "momentum of these steps", "authors' README"
    )
    allocation: Allocation = allocation_option("Alizadeh et al. 2022")


@dataclass(frozen=True)
class Prospr:
    """ProsPr (Alizadeh et al., ICLR 2022, arXiv:2202.08132).

    The score of a weight is |∂L(w_M; B_M)/∂c| at c = 1, where c scales the initial
    weights and M steps of SGD lead to w_M, differentiated through. Steps and loss use
    the first M + 1 training batches. No inner step is SNIP.

    Departures: the learning rate is that of the config (0.5 in the authors' example). A
    network with an empty layer trains on; the authors' code, and that of Zhang &
    Papyan, stops with an assertion and leaves no record. Ranks decide ties, in those
    codes ``torch.topk``: at width 3 that is most networks. The latter also spares the
    biases of all hidden layers but the first w - 1, which at width 3 is the last
    (``late_biases: kept``): they change no output, but count.
    """

    rounding: Literal["exact", "up"]
    selection: Literal["rank", "topk"]
    empty_layer: Literal["train", "abort"]
    late_biases: Literal["masked", "kept"]
    inner_steps: int
    inner_lr: float | None
    inner_momentum: float
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event before training."""
        return Plan.simple(budget, 0, exact=self.rounding == "exact")

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Score once and keep the best."""
        scores = masks.of_weights(self._meta(view), view.width)
        keep = view.keep
        if self.rounding == "up":
            keep = rounded_up(keep, mlp.weight_count(view.width))
        best = choose(scores, keep, self.allocation, self.selection, view.width)
        kept = masks.with_biases(best, view.width)
        if self.late_biases == "kept":
            for layer in mlp.layers(view.width)[view.width - 1 : -1]:
                kept[:, layer.biases] = True
        status = degenerate(scores, keep)
        if self.empty_layer == "abort":
            empty = (masks.layer_counts(kept, view.width) == 0).any(axis=1)
            status = np.where(empty, "aborted", status)
        return Change(masks=kept, status=status), None

    def _meta(self, view: View) -> np.ndarray:
        """Return |∂L/∂c| of every parameter."""
        from spiral.model import gradients

        batches = [view.batch(step) for step in range(self.inner_steps + 1)]
        lr = view.lr if self.inner_lr is None else np.full_like(view.lr, self.inner_lr)
        found = gradients.meta_gradient(
            view.params, batches, lr, self.inner_momentum, view.width
        )
        return np.abs(found)


def rounded_up(keep: Int[np.ndarray, " N"], total: int) -> Int[np.ndarray, " N"]:
    """Return ⌈W·(1 - sparsity)⌉ as floating point has it: at times one more."""
    return np.ceil(total * (1 - (1 - keep / total))).astype(np.int64)


ENTRY = Entry(
    build=Prospr,
    summary="largest meta-gradient through the first training steps",
    citation="Alizadeh et al., ICLR 2022, arXiv:2202.08132",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="once",
        criterion="meta-gradient",
        data="a few batches",
        second_phase="train",
    ),
    options=ProsprOptions,
    gradients=lambda table: 1 + 3 * table["inner_steps"].to_numpy(np.float64),
    colour="#AA4499",
    marker="X",
)
