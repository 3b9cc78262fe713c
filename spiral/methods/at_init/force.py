"""``force`` and ``iter_snip``: rounds of |w · gradient| at initialisation."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from spiral.methods.entry import Entry, Fidelity, Taxonomy, fidelity
from spiral.methods.parts.allocation import Allocation, allocation_option, choose
from spiral.methods.parts.selection import Rule, degenerate
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Budget, Change, Plan, View


class ForceOptions(Options):
    """Options of ``force`` and ``iter_snip``."""

    fidelity: Fidelity = fidelity(selection="strict", rounds=10)
    selection: Literal["rank", "strict"] = Field(
        "rank", description="keep exactly `keep` weights, or those above the last one"
    )
    rounds: int = Field(
        60,
        ge=1,
        description="rounds of scoring and pruning",
        json_schema_extra=unit("rounds")
        | origin("de Jorge et al. 2021, authors' README"),
    )
    allocation: Allocation = allocation_option("de Jorge et al. 2021")


@dataclass(frozen=True)
class Force:
    """FORCE and iterative SNIP (de Jorge et al., ICLR 2021, arXiv:2006.09081).

    Round t of n scores |θ₀ · ∂L(m⊙θ₀)/∂θ| on training batch t - 1, under the mask m so
    far, and keeps W · (keep/W)^(t/n). FORCE lets pruned weights return, with their
    initial values; iterative SNIP does not. One round is SNIP.

    As in the authors' code counts are rounded down, and all ties of the last weight
    that stays stay too: all weights, where a batch yields too few positive scores.

    Departures: the last round keeps exactly ``keep``, by rank, and iterative SNIP never
    brings weights back (the authors' does in such rounds). The code of Zhang & Papyan
    removes all ties of the last (``strict``), so one more a round, in 10 rounds.
    """

    selection: Literal["rank", "strict"]
    rounds: int
    returns: bool
    """Whether pruned weights may come back."""
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event before training, with all rounds inside."""
        return Plan.simple(budget, 0, exact=self.selection == "rank")

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Prune in rounds, each on a batch of its own."""
        total = mlp.weight_count(view.width)
        kept = np.ones((len(view.params), total), bool)
        for passed in range(1, self.rounds + 1):
            scores = self._scores(view, kept, passed - 1)
            least = 0 if self.selection == "strict" else view.keep
            count = np.maximum(least, kept_after(passed, self.rounds, view.keep, total))
            last = passed == self.rounds
            kept = self._select(scores, count, view.width, kept, last)
        status = degenerate(scores, view.keep, self.selection)
        return Change(masks=masks.with_biases(kept, view.width), status=status), None

    def _select(
        self,
        scores: np.ndarray,
        count: np.ndarray,
        width: int,
        kept: np.ndarray,
        last: bool,
    ) -> np.ndarray:
        """Choose what stays after a round."""
        if self.selection == "strict":  # that scores of 0 go, pruned ones too
            return choose(scores, count, self.allocation, "strict", width)
        left = None if self.returns else kept
        rule: Rule = "rank" if last else "loose"
        return choose(scores, count, self.allocation, rule, width, left)

    def _scores(self, view: View, kept: np.ndarray, batch: int) -> np.ndarray:
        """Score all weights under a mask; those that may not return have score 0."""
        from spiral.model import gradients

        masked = view.params.copy()
        masked[:, mlp.is_weight(view.width)] *= kept
        slope = gradients.gradient(masked, view.batch(batch), view.width)
        scores = masks.of_weights(np.abs(view.params * slope), view.width)
        return scores if self.returns else scores * kept


def kept_after(
    passed: int, rounds: int, keep: Int[np.ndarray, " N"], total: int
) -> Int[np.ndarray, " N"]:
    """Return W · (keep/W)^(passed/rounds), rounded down.

    In the authors' order of operations, on which rounding depends: so not by
    ``counts.geometric``.
    """
    share = np.exp(-(passed * -np.log(keep / total) / rounds))
    return (total * share).astype(np.int64)


def _entry(returns: bool, summary: str, grow: str, look: tuple[str, str]) -> Entry:
    """Return the entry of either method."""
    colour, marker = look
    return Entry(
        build=partial(Force, returns=returns),
        summary=summary,
        citation="de Jorge et al., ICLR 2021, arXiv:2006.09081",
        taxonomy=Taxonomy(
            unit="weight",
            when="before",
            schedule="iterative",
            criterion="|w·g|",
            grow=grow,
            data="a batch a round",
            second_phase="train",
        ),
        colour=colour,
        marker=marker,
        options=ForceOptions,
        gradients=lambda table: table["rounds"].to_numpy(np.float64),
    )


FORCE = _entry(
    returns=True,
    summary="rounds of SNIP in which pruned weights may return",
    grow="|w·g|",
    look=("#117733", "p"),
)

ITER_SNIP = _entry(
    returns=False,
    summary="rounds of SNIP in which pruned weights stay pruned",
    grow="none",
    look=("#44AA99", ">"),
)
