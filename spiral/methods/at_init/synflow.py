"""``synflow``: keep the weights that carry most of the synaptic flow."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from spiral.methods.entry import Entry, Fidelity, Taxonomy, fidelity
from spiral.methods.parts.allocation import Allocation, allocation_option, choose
from spiral.methods.parts.scores import forgiving
from spiral.methods.parts.selection import degenerate
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Budget, Change, Plan, View


class SynflowOptions(Options):
    """Options of ``synflow``."""

    fidelity: Fidelity = fidelity(selection="strict", scoring_biases="absolute")
    selection: Literal["rank", "strict"] = Field(
        "rank", description="keep exactly `keep` weights, or those above the last one"
    )
    rounds: int = Field(
        100,
        ge=1,
        description="rounds of scoring and pruning",
        json_schema_extra=unit("rounds") | origin("Tanaka et al. 2020: authors' code"),
    )
    scoring_biases: Literal["zero", "absolute"] = Field(
        "zero", description="biases in the scoring pass: none, or |b|"
    )
    power: float = Field(
        1.0,
        gt=0,
        le=10,
        description="exponent of |w| in the flow: 1 (Tanaka et al. 2020), or 2 for "
        "SynFlow-L2 (Patil & Dovrolis 2021), with which PX coincides for one output",
        json_schema_extra=unit("-") | origin("Tanaka et al. 2020"),
    )
    allocation: Allocation = allocation_option("Tanaka et al. 2020")


@dataclass(frozen=True)
class Synflow:
    """SynFlow (Tanaka, Kunin, Yamins & Ganguli, NeurIPS 2020, arXiv:2006.05467).

    R is the output of the network of absolute weights at the input (1, 1); the score of
    a weight is |w · ∂R/∂w|. After round i of n the W · (keep/W)^(i/n) best stay. No
    data are needed, and because the flow is conserved no layer is cut while others
    have weights to spare.

    Departures: ranks decide ties (chains of weights have equal scores); the authors'
    code removes all of them. ``scoring_biases: absolute`` is what the code of Zhang &
    Papyan does: biases feed late layers, and the guarantee is lost; ``strict`` too: it
    removes one weight more in every round that removes any.

    ``power: 2`` scores the flow of squared weights: SynFlow-L2 (Patil & Dovrolis, ICML
    2021). For one output it ranks as PX does (Iurada et al., CVPR 2024), whose score
    multiplies that of each weight by the same sum of open paths; but PX scores all
    weights 0 if no path is open for any point, and its authors' code squares biases.
    """

    selection: Literal["rank", "strict"]
    rounds: int
    scoring_biases: Literal["zero", "absolute"]
    power: float = 1.0
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event before training, with all rounds inside."""
        return Plan.simple(budget, 0, exact=self.selection == "rank")

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Prune in rounds."""
        total = mlp.weight_count(view.width)
        size = np.abs(view.params.astype(np.float64)) ** self.power
        if self.scoring_biases == "zero":
            size[:, ~mlp.is_weight(view.width)] = 0
        kept = np.ones((len(size), total), bool)
        for passed in range(1, self.rounds + 1):
            scores = self._scores(size, kept, view.width)
            removed = removed_by(view.keep, total, passed / self.rounds)
            # A strict rule removes all scores of 0, those of pruned weights too
            left = None if self.selection == "strict" else kept
            how = (self.allocation, self.selection, view.width, left)
            chosen = choose(scores, total - removed, *how)
            kept = np.where(removed[:, None] > 0, chosen, kept)
        status = degenerate(scores, view.keep, self.selection)
        return Change(masks=masks.with_biases(kept, view.width), status=status), None

    def _scores(
        self, size: Float[np.ndarray, "N P"], kept: np.ndarray, width: int
    ) -> Float[np.ndarray, "N W"]:
        """Score what is left; what is pruned has score 0."""
        size = size.copy()
        size[:, mlp.is_weight(width)] *= kept
        scores = flow(size, width)
        if self.selection == "strict":
            return scores  # it would remove scores that only rounding makes equal
        return forgiving(scores)


def removed_by(
    keep: Int[np.ndarray, " N"], total: int, share: float
) -> Int[np.ndarray, " N"]:
    """Return how many weights are gone after a share of the rounds, rounded down.

    As W - keep^s / W^(s - 1), which floating point brings to exactly W - keep.
    """
    left = keep.astype(np.float64) ** share / total ** (share - 1.0)
    return (total - left).astype(np.int64)


def flow(size: Float[np.ndarray, "N P"], width: int) -> Float[np.ndarray, "N W"]:
    """Return w · ∂R/∂w for networks of parameters that are not negative."""
    stack = mlp.matrices(size, width)
    reached = [np.ones((len(size), mlp.INPUTS, 1))]
    for weights, biases in stack:
        reached.append(weights @ reached[-1] + biases[:, :, None])
    slope = np.ones((len(size), 1, 1))
    parts = []
    for (weights, _), before in zip(stack[::-1], reached[-2::-1], strict=True):
        parts.append(weights * slope * before.transpose(0, 2, 1))
        slope = weights.transpose(0, 2, 1) @ slope
    return np.concatenate([p.reshape(len(size), -1) for p in parts[::-1]], axis=1)


ENTRY = Entry(
    build=Synflow,
    summary="rounds of pruning by synaptic flow, without data; of squares it is PX",
    citation="Tanaka et al., NeurIPS 2020, arXiv:2006.05467",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="iterative",
        criterion="synaptic flow",
        second_phase="train",
    ),
    options=SynflowOptions,
    gradients=lambda table: table["rounds"].to_numpy(np.float64) / 2,
    colour="#882255",
    marker="d",
)
