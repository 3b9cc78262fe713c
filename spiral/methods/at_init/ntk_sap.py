"""``ntk_sap``: keep the weights on which the tangent kernel depends most."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import counts
from spiral.methods.parts.allocation import Allocation, allocation_option, choose
from spiral.methods.parts.scores import forgiving
from spiral.methods.parts.selection import degenerate
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Budget, Change, Plan, View

EPSILON = 0.01
"""Deviation of the noise on sampled weights (the default of the authors' code)."""


class NtkSapOptions(Options):
    """Options of ``ntk_sap``."""

    rounds: int = Field(
        20,
        ge=1,
        description="rounds of scoring and pruning",
        json_schema_extra=unit("rounds") | origin("authors' script, CIFAR-10"),
    )
    draws: int = Field(
        5,
        ge=1,
        description="draws of weights and inputs for one score",
        json_schema_extra=unit("draws") | origin("authors' script, CIFAR-10"),
    )
    inputs: int = Field(
        256,
        ge=1,
        le=25_000,
        description="normal inputs of a draw",
        json_schema_extra=unit("points") | origin("default of the authors' code"),
    )
    noise: Literal["exact", "sampled"] = Field(
        "exact",
        description="mean over all perturbations of the weights, or one draw, as in "
        "the authors' code",
        json_schema_extra=origin("ours"),
    )
    allocation: Allocation = allocation_option("Wang et al. 2023")


@dataclass(frozen=True)
class NtkSap:
    """NTK-SAP (Wang, Li & Sun, ICLR 2023, arXiv:2304.02840).

    The score of a weight is how strongly its mask changes what a small perturbation of
    all weights does to the output: |∂/∂m Σ_x (f(x; m⊙(θ + εξ)) - f(x; m⊙θ))²|, which
    to first order is the trace of the tangent kernel. Weights θ are drawn anew in every
    round, and inputs x from a normal law, so that the mask suits no particular weights
    and no data. Round t of n keeps W · (keep/W)^(t/n). What trains are the initial
    weights.

    Departures: the mean over ξ is exact, ε²·∂/∂m Σ_x ‖m ⊙ ∂f/∂θ‖², unless
    ``noise`` is ``sampled``. Ranks decide ties. θ follows the law of the initial
    weights, U(±1/√inputs), where the authors' models have He's; biases are 0 when
    weights are scored, as theirs are, and are not scored.

    With few weights most draws are of dead networks, whose scores are all 0: of 24
    networks of width 16 that keep 26 to 65 weights, 23 have no path left with one draw
    a round, none with five. Rows in which the index had to decide in some round are
    ``degenerate``.
    """

    rounds: int
    draws: int
    inputs: int
    noise: Literal["exact", "sampled"]
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event before training, with all rounds inside."""
        return Plan.simple(budget, 0)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Prune in rounds."""
        total = mlp.weight_count(view.width)
        kept = np.ones((len(view.keep), total), bool)
        status = np.full(len(view.keep), "")
        for passed in range(1, self.rounds + 1):
            scores = self._scores(view, kept, passed)
            left = counts.geometric(passed / self.rounds, view.keep, total)
            count = np.ceil(np.round(left, 9)).astype(
                np.int64
            )  # whole but for rounding
            kept = choose(scores, count, self.allocation, "rank", view.width, kept)
            status = np.where(status == "", degenerate(scores, count), status)
        return Change(masks=masks.with_biases(kept, view.width), status=status), None

    def _scores(
        self, view: View, kept: Bool[np.ndarray, "N W"], passed: int
    ) -> Float[np.ndarray, "N W"]:
        """Score what is left; what is pruned has score 0."""
        mask = np.zeros(view.params.shape)
        mask[:, mlp.is_weight(view.width)] = kept
        slope = np.zeros(view.params.shape)
        for draw in range(self.draws):
            slope += self._slope(view, mask, f"ntk_sap/{passed}/{draw}")
        found = np.abs(masks.of_weights(mask * slope, view.width))
        return forgiving(found)

    def _slope(
        self, view: View, mask: Float64[np.ndarray, "N P"], purpose: str
    ) -> Float64[np.ndarray, "N P"]:
        """Return the derivative by the masks for one draw."""
        from spiral.model import gradients

        random = [view.stream(n, purpose) for n in range(len(mask))]
        params = np.stack([fresh(own, view.width) for own in random])
        points = np.stack([r.standard_normal((self.inputs, 2)) for r in random])
        if self.noise == "exact":
            return gradients.tangent_slope(mask, params, points, view.width)
        size = mask.shape[1]
        noise = np.stack([EPSILON * r.standard_normal(size) for r in random])
        return gradients.perturbed_slope(mask, params, noise, points, view.width)


def fresh(random: np.random.Generator, width: int) -> Float64[np.ndarray, " P"]:
    """Draw weights from the law of initial weights; biases are 0."""
    params = np.zeros(mlp.param_count(width))
    for layer in mlp.layers(width):
        uniform = 2 * random.random(layer.outputs * layer.inputs) - 1
        params[layer.weights] = uniform / np.sqrt(layer.inputs)
    return params


def gradients_of(table: pd.DataFrame) -> np.ndarray:
    """Return what scoring costs in dense gradients of a batch."""
    points = table["rounds"] * table["draws"] * table["inputs"]
    return (2.5 * points / table["batch"]).to_numpy(np.float64)


ENTRY = Entry(
    build=NtkSap,
    summary="rounds of pruning by the tangent kernel of redrawn weights, without data",
    citation="Wang et al., ICLR 2023, arXiv:2304.02840; code: YiteWang/NTK-SAP",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="iterative",
        criterion="tangent kernel",
        second_phase="train",
    ),
    options=NtkSapOptions,
    gradients=gradients_of,
    colour="#882255",
    marker="h",
)
