"""``sms``: Sparse Model Soups, averages of several retrainings of one mask."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import counts, retraining_rates, soups
from spiral.methods.parts.allocation import Allocation, allocation_option, largest
from spiral.model import masks, mlp, schedules
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Mask, Params, Plan, View, variant

Vary = Literal["order", "weight_decay", "length", "lr"]
Average = Literal["uniform", "greedy", "reprune"]
Rates = Literal["ft", "slr", "clr", "llr"]


class SmsOptions(Options):
    """Options of ``sms``."""

    members: int = Field(
        3,
        ge=1,
        le=64,
        description="retrainings that are averaged",
        json_schema_extra=unit("networks") | origin("ours"),
    )
    vary: Vary = Field("order", description="setting in which the retrainings differ")
    spread: float = Field(
        2.0,
        gt=1,
        description="largest factor between a member's setting and the config's "
        "(lengths only shrink)",
        json_schema_extra=unit("-") | origin("ours"),
    )
    average: Average = Field(
        "uniform",
        description="average all members after each cycle; those that help on a tenth "
        "of the points; or, without common cycles, all at the end, pruned again",
    )
    cycles: int = Field(
        3,
        ge=1,
        description="number of prunings, each with a retraining",
        json_schema_extra=unit("prunings") | origin("ours"),
    )
    retraining: Rates = Field("llr", description="learning rates after each pruning")
    retrain_epochs: int | None = Field(
        None,
        ge=1,
        description="epochs of a retraining; None: a tenth of `epochs`",
        json_schema_extra=unit("epochs"),
    )
    longer: int = Field(
        1,
        ge=1,
        description="factor on the length of retrainings, beyond `epochs`",
        json_schema_extra=unit("-") | origin("ours: no effect"),
    )
    allocation: Allocation = allocation_option("Zimmer et al. 2024")


@dataclass(frozen=True)
class Sms:
    """Sparse Model Soups (Zimmer, Spiegel & Pokutta, ICLR 2024, arXiv:2306.16788).

    Train densely; then, each cycle, keep the largest weights over all layers, the same
    share of those left each time; retrain m copies that differ in one thing; go on with
    their average, which has their mask. Retraining begins with fresh momentum; by
    default its rate warms up over a tenth of its steps, then falls linearly to 0.

    Baselines: ``members: 1`` is iterative magnitude pruning; with ``longer: m`` it
    takes as many steps as m members; ``average: reprune`` prunes and retrains each
    member on its own and prunes the average of all once more, without retraining.

    Assumptions: of 50 epochs 35 are dense and three cycles take 5 each (the authors
    start from a fully trained network); cycle p of P keeps round(W(keep/W)^(p/P)).
    Their momentum is Nesterov's: set ``nesterov: true`` for it. The dense part runs the
    config's schedule at its own length. Member 0 is the config itself; others vary by
    factors 1/s, s, … up to ``spread``. Greedy soups need data that training has not
    seen, but here training and accuracy use the same points: greedy soups are scored on
    a tenth of them, the same for all configs, on which networks also train.
    """

    members: int
    vary: Vary
    spread: float
    average: Average
    cycles: int
    retraining: Rates
    retrain_epochs: int
    longer: int
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """A dense part, then cycles of equal length; the last average at the end."""
        dense = budget.epochs - self.cycles * self.retrain_epochs
        length = self.retrain_epochs * self.longer * budget.steps_per_epoch
        start = dense * budget.steps_per_epoch
        return Plan(
            steps=start + self.cycles * length,
            events=tuple(start + cycle * length for cycle in range(self.cycles + 1)),
            curves=self._curves(dense, budget.steps_per_epoch, length),
            siblings=self.members,
        )

    def _curves(
        self, dense: int, per_epoch: int, length: int
    ) -> dict[str, Float[np.ndarray, " T"]]:
        """Return a curve for each schedule, and those of members of other lengths."""
        found = {}
        for name, curve in schedules.curves(dense, per_epoch).items():
            for member, share in enumerate(self._lengths()):
                steps = max(1, round(length * share))
                rates = np.zeros(length)
                rates[:steps] = retraining_rates.curve(self.retraining, curve, steps)
                whole = np.concatenate([curve, np.tile(rates, self.cycles)])
                found[variant(name, member)] = whole
        return found

    def _lengths(self) -> list[float]:
        """Return each member's share of a retraining; one for all if they are alike."""
        if self.vary != "length":
            return [1.0]
        return np.linspace(1, 1 / self.spread, self.members).tolist()

    def start(self, view: View) -> int:
        """Return how many cycles have begun."""
        return 0

    def act(self, view: View, state: int) -> tuple[Change, int]:
        """Average the members, then prune and retrain unless it is the end."""
        last, apart = state == self.cycles, self.average == "reprune"
        params, kept = view.params, view.masks
        if state > 0 and (last or not apart):
            rule = soups.greedy if self.average == "greedy" else soups.uniform
            params = soups.stir(params, self.members, view.width, rule)
        if last and not apart:
            return Change(params=params), state
        if last:
            kept = soups.union(kept, self.members)
        chosen = self._prune(view, params, kept, min(state + 1, self.cycles))
        how = self._differences(view) if state == 0 else Change()
        everything = np.ones_like(kept)
        change = replace(how, masks=chosen, params=params, reset_momentum=everything)
        return change, state + 1

    def _prune(self, view: View, params: Params, kept: Mask, cycle: int) -> Mask:
        """Keep the largest of the weights left."""
        total = mlp.weight_count(view.width)
        count = counts.geometric(cycle / self.cycles, view.keep, total)
        left = replace(view, params=params, masks=kept)
        chosen = largest(left, np.rint(count).astype(np.int64), self.allocation)
        return masks.with_biases(chosen, view.width)

    def _differences(self, view: View) -> Change:
        """Return the differences of members from the first retraining on."""
        member = np.arange(len(view.params)) % self.members
        if self.vary == "order":
            return Change(orders=member)
        if self.vary == "length":
            return Change(variants=member)
        factor = factors(self.members, self.spread)[member]
        if self.vary == "lr":
            return Change(lr_scale=factor)
        return Change(decay_scale=factor)


def factors(members: int, spread: float) -> Float[np.ndarray, " m"]:
    """Return 1, 1/s, s, 1/s², s² …, the furthest of them ``spread`` away from 1."""
    place = (np.arange(members) + 1) // 2 * (-1.0) ** np.arange(members)
    return np.asarray(spread ** (place / max(1, members // 2)))


def check(table: pd.DataFrame) -> list[Mistake]:
    """Some epochs must be left for the dense training."""
    taken = table["cycles"] * table["retrain_epochs"]
    long = table[taken >= table["epochs"]]
    if long.empty:
        return []
    cycles, each, epochs = long[["cycles", "retrain_epochs", "epochs"]].iloc[0]
    text = f"{cycles} of {each} epochs leave none of {epochs} for the dense training"
    return [Mistake("cycles", text, cycles)]


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The dense part, once for all members and configs; then one part per cycle."""
    names = ["epochs", "cycles", "retrain_epochs", "longer", "members"]
    epochs, cycles, each, longer, members = table[names].iloc[0].astype(int)
    keep = table["keep"].to_numpy(np.float64)
    total = epochs + cycles * each * (longer - 1)
    cycle = np.arange(cycles + 1)[:, None]
    share = np.full((cycles + 1, len(table)), each * longer / total)
    share[0] = (epochs - cycles * each) / total / (sharing * members)
    return CostProfile(counts.geometric(cycle / cycles, keep, weights), share)


ENTRY = Entry(
    build=Sms,
    summary="averages of several retrainings after each magnitude pruning",
    citation="Zimmer, Spiegel & Pokutta, ICLR 2024, arXiv:2306.16788",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="iterative",
        criterion="magnitude",
        cost="dense to sparse",
    ),
    options=SmsOptions,
    derive=retraining_rates.a_tenth,
    check=check,
    cost_profile=cost_profile,
    colour="#88CCEE",
    marker="4",
)
