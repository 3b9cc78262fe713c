"""Sparse Model Soups: retrainings that differ in one thing, and their average."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float

from spiral.methods.parts import retraining_rates, rounds, soups
from spiral.methods.parts.allocation import Allocation
from spiral.model import masks, schedules
from spiral.protocol.job import Budget, Change, Mask, Params, Plan, View, variant

Vary = Literal["order", "weight_decay", "length", "lr"]
Average = Literal["uniform", "greedy", "reprune"]
Rates = Literal["ft", "slr", "clr", "llr"]


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
            greedy = partial(soups.greedy, task=view.task)
            rule = greedy if self.average == "greedy" else soups.uniform
            params = soups.stir(params, self.members, rule)
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
        left = replace(view, params=params, masks=kept)
        chosen = rounds.prune(left, cycle / self.cycles, self.allocation)
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
