"""A second training under a mask that another method has found: ``scratch``."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool

from spiral.methods.controls import wrapped
from spiral.methods.controls.wrapped import Wrapped
from spiral.methods.parts import reinit
from spiral.model import masks, mlp, schedules
from spiral.protocol.job import Budget, Change, Plan, View

Second = Literal["scratch_e", "scratch_b", "scratch_b_plus", "fine_tune"]

QUARTER = 0.25
"""Length of fine-tuning, as a share of the epochs (Liu et al.: 40 of 160)."""

FINE = 0.01
"""Learning rate of fine-tuning, as a share of the config's (Liu et al.)."""


@dataclass(frozen=True)
class Scratch:
    """Scratch-E and Scratch-B (Liu et al., ICLR 2019, arXiv:1810.05270).

    Method ``of`` finds a mask as it always does. Then the network starts anew under
    this mask, with new weights, momentum and schedule; so the row measures the *mask*,
    and the row of the method itself measures mask and weights together.
    Scratch-E is how the combinatorial search scores a mask: the default law of initial
    weights, the mask, one training. With every weight kept it is the dense training.

    Scratch-B trains for E · min(cap, W/keep) epochs: as many multiplications, where the
    cap allows. It is 2, as theirs for units on ImageNet. Their code for single weights
    has none, but W/keep is 9 to 5,000 here, and without a cap GMP's masks get no more
    accurate. Scratch-B+ adds the epochs of fine-tuning. Fine-tuning keeps the weights
    of the whole training of ``of`` and goes on for a quarter of the epochs at 0.01 of
    the learning rate, constantly.

    Assumptions: from scratch, method ``of`` trains only until it last acts: nothing
    else decides its mask. Batches go on in the order of the config's seed rather than
    from its first epoch (equal orders where the mask is found before training).
    ``original`` weights are the config's own initial weights, those of other methods of
    its seed; the authors draw anew (``fresh``, ``he_out``). The budget of a network is
    its weights; biases count nothing.
    """

    of: Wrapped
    second_phase: Second
    restart: reinit.Restart
    second_epochs: int
    """Epochs of the second phase."""
    rewire: bool = False
    """Whether to permute the mask within each layer: ``shuffled``. The advantage of
    ``scratch`` over it is the effect of where weights are within layers (the shuffling
    of Frankle et al., ICLR 2021, arXiv:2009.08576)."""

    def plan(self, budget: Budget) -> Plan:
        """The plan of ``of``, until its last event or its end; then the second."""
        found = self.of.method.plan(budget)
        tuning = self.second_phase == "fine_tune"
        begin = found.steps if tuning else max(found.events, default=0)
        second = Budget(self.second_epochs, budget.steps_per_epoch)
        curves = schedules.curves(second.epochs, second.steps_per_epoch)
        if tuning:
            curves = {name: np.full(second.steps, FINE) for name in curves}
        after = Plan(second.steps, (0,), curves, exact=found.exact)
        return found.until(begin).then(after)

    def start(self, view: View) -> Any:
        """Remember what ``of`` remembers."""
        return self.of.start(view)

    def act(self, view: View, state: Any) -> tuple[Change, Any]:
        """Let ``of`` act; begin anew once the mask is found."""
        first = view.plan.first
        assert first is not None
        change = Change()
        if view.step in wrapped.whole(first).events:
            change, state = self.of.act(view, state)
        if view.step == first.steps:
            change = self._begin(view, change)
        return change, state

    def _begin(self, view: View, change: Change) -> Change:
        """Return the change that begins the second phase, with the status of ``of``."""
        kept = view.masks if change.masks is None else change.masks
        if self.rewire:
            kept = rewired(view, kept)
        params = view.params if change.params is None else change.params
        if self.second_phase != "fine_tune":
            params = reinit.restart(view, kept, self.restart)
        everything = np.ones(kept.shape, bool)
        ones = np.ones(len(kept))
        return Change(
            masks=kept,
            params=params,
            reset_momentum=everything,
            trainable=everything,
            lr_scale=ones,
            decay_scale=ones,
            variants=np.zeros(len(kept), np.int64),
            plain=True,
            status=change.status,
        )


def rewired(view: View, kept: Bool[np.ndarray, "N P"]) -> Bool[np.ndarray, "N P"]:
    """Return masks with as many weights in each layer, at random places."""
    weights = masks.of_weights(kept, view.width).copy()
    for n, row in enumerate(weights):
        drawn = view.stream(n, "rewire")
        for layer in mlp.layers(view.width):
            drawn.shuffle(row[layer.columns])
    return masks.with_biases(weights, view.width)
