"""The straight-through family: the forward pass is masked, all weights train.

One class; ``ste``, ``mdgf`` and ``sdgf`` have its settings, ``options`` their options.
"""

from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from spiral.methods.parts.shares import Quota, at_least_one, quotas
from spiral.model import groups, masks, mlp
from spiral.model.groups import Scope
from spiral.protocol.job import Budget, Change, ForwardMask, Mask, Plan, View

Kind = Literal["global", "layer", "nm"]
Fixed = Literal["global", Quota]
"""Allocations whose shares do not depend on scores: LAMP's change at every step."""

Gradient = Literal["ste", "chain"]
Decay = Literal["none", "linear", "exponential"]
Ramp = Literal["none", "stepwise", "geometric"]

FADED = 1000
"""Assumption: where β follows from the stages, an exponential decay ends at 1/FADED."""


@dataclass(frozen=True)
class StraightThrough:
    """A network that runs on its largest weights and trains them all.

    At every step the ``keep`` weights of largest absolute value make the mask m, and
    the network runs on w·(m + (1 - m)·D). The gradient with respect to that is given to
    w itself (``ste``) or multiplied by the factor (``chain``): the papers describe the
    second, their codes do the first. After training the inactive weights are set to
    zero, once; the stored weights are masked at no other time, and the L2 penalty acts
    on all of them.

    Stages: dense until ``begin``; then D falls and the mask tightens; from ``end`` on D
    is 0. Masks are chosen anew at every step until training ends.

    Assumptions: ``scope: global`` ranks over all layers, where the authors' codes rank
    within a layer or a group. Masked from the first step (``begin: 0``), small networks
    collapse under it: initial weights are largest in the first layer, which takes 22 of
    the 26 largest at width 16, so none of eight networks has a path with 26 to 44
    weights, and without one no gradient changes that. ``layer`` shares ``keep`` in
    proportion to the layers' sizes, at least one weight each; any other ``allocation``
    ranks within layers, too. N:M groups lie within a unit's inputs; layers whose inputs
    M does not divide stay dense. Biases are always active and masked by the rule of
    Zhang & Papyan in the end.

    A stepwise ramp has W - keep active weights in its first frame, then W/2, W/4 … and
    ``keep`` in the last; with N:M, (M - 1):M, M/2:M … N:M. A geometric ramp keeps the
    density and shrinks the groups: 8N:8M, 4N:4M, 2N:2M, N:M, as far as a unit's inputs
    reach; without N:M, all layers, a layer, a unit, each group with as many active
    weights as it has at that moment.
    """

    scope: Kind
    nm_keep: int
    nm_group: int
    gradient: Gradient
    begin: float
    end: float = 1.0
    decay: Decay = "none"
    beta: float | None = None
    ramp: Ramp = "none"
    frames: int | None = None
    pull: float = 0.0
    allocation: Fixed = "global"

    def plan(self, budget: Budget) -> Plan:
        """One event at the beginning of each frame, one to mask the weights."""
        first, last = self.span(budget)
        scopes = self.scopes()
        # as the authors' frames, these begin with an epoch where there are enough
        enough = last - first >= len(scopes) * budget.steps_per_epoch
        unit = budget.steps_per_epoch if enough else 1
        frame = (last - first) / len(scopes) / unit
        starts = [first + int(i * frame) * unit for i in range(len(scopes))]
        forward = ForwardMask(
            scopes=dict(zip(starts, scopes, strict=True)),
            rest=self.rest(budget),
            gradient=self.gradient,
            pull=self.pull,
        )
        return Plan.simple(budget, *starts, budget.steps, weight_map=forward)

    def span(self, budget: Budget) -> tuple[int, int]:
        """Return the steps between which inactive weights fade."""
        return budget.at(self.begin), budget.at(self.end)

    def rest(self, budget: Budget) -> Float[np.ndarray, " T"]:
        """Return D of every step: 1 before the first event."""
        first, last = self.span(budget)
        passed = np.arange(budget.steps) - first
        if self.decay == "linear":
            beta = 1 / (last - first) if self.beta is None else self.beta
            left = np.maximum(0.0, 1 - beta * passed)
        elif self.decay == "exponential":
            beta = log(FADED) / (last - first) if self.beta is None else self.beta
            left = np.exp(-beta * np.maximum(passed, 0))
        else:
            left = np.zeros(budget.steps)
        return np.where(passed < 0, 1.0, np.where(passed < last - first, left, 0.0))

    def scopes(self) -> list[Scope]:
        """Return which weights compete in each frame."""
        if self.scope == "nm":
            merged = (8, 4, 2, 1) if self.ramp == "geometric" else (1,) * self._count()
            return [Scope("inputs", self.nm_group, times) for times in merged]
        whole = Scope("layer") if self.scope == "layer" else competing(self.allocation)
        if self.ramp == "geometric":
            shrinking = [Scope("global"), Scope("layer"), Scope("unit")]
            return shrinking[shrinking.index(whole) :]
        return [whole] * self._count()

    def _count(self) -> int:
        """Return the number of frames of a ramp whose groups stay as they are."""
        return self.frames or 1 if self.ramp == "stepwise" else 1

    def start(self, view: View) -> tuple[int, np.ndarray]:
        """Remember how many frames have begun, and the active weights of the last."""
        return 0, np.zeros((len(view.keep), 0), np.int64)

    def act(
        self, view: View, state: tuple[int, np.ndarray]
    ) -> tuple[Change, tuple[int, np.ndarray]]:
        """Begin a frame, or mask the weights at the end."""
        frame, before = state
        scopes = self.scopes()
        if frame == len(scopes):
            return Change(masks=hardened(view, before, scopes[-1])), state
        if self.ramp == "geometric" and frame and self.scope != "nm":
            kept = groups.top(view.params, before, view.width, scopes[frame - 1])
            active = groups.survivors(kept, view.width, scopes[frame])
        else:
            active = self._active(view, frame, scopes[frame])
        return Change(active_counts=active), (frame + 1, active)

    def _active(self, view: View, frame: int, scope: Scope) -> Int[np.ndarray, "N G"]:
        """Return how many weights of each group are active in a frame."""
        last = frame == self._count() - 1 or self.ramp != "stepwise"
        if self.scope == "nm":
            each = self.nm_group - 1 if frame == 0 else self.nm_group >> frame
            each = self.nm_keep if last else max(self.nm_keep, each)
            return np.tile(pattern(view.width, scope, each), (len(view.keep), 1))
        total = mlp.weight_count(view.width)
        left = total - view.keep if frame == 0 else total >> frame
        counts = view.keep if last else np.maximum(view.keep, left)
        if self.scope == "layer":
            return at_least_one(counts, view.width)
        return active(counts, view.width, self.allocation)


def competing(allocation: Fixed) -> Scope:
    """Return which weights compete under an allocation."""
    return Scope("global" if allocation == "global" else "layer")


def active(
    counts: Int[np.ndarray, " N"], width: int, allocation: Fixed
) -> Int[np.ndarray, "N G"]:
    """Return each group's active weights, given those of a network."""
    if allocation == "global":
        return counts[:, None]
    return quotas(counts, width, allocation)


def hardened(view: View, counts: Int[np.ndarray, "N G"], scope: Scope) -> Mask:
    """Return the mask of the largest weights of each group, with its biases."""
    kept = groups.top(view.params, counts, view.width, scope)
    return masks.with_biases(masks.of_weights(kept, view.width), view.width)


def pattern(width: int, scope: Scope, active: int) -> Int[np.ndarray, " G"]:
    """Return each group's active weights: ``active`` in M, or all without groups."""
    found = []
    for part, layer in zip(groups.parts(width, scope), mlp.layers(width), strict=True):
        divides = layer.inputs % scope.size == 0
        each = part.size * active // scope.size if divides else part.size
        found += [each] * (part.groups.stop - part.groups.start)
    return np.array(found)
