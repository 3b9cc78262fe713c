"""The effective weights of networks under a weight map (``job.ForwardMask``)."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32

from spiral.model import groups
from spiral.model.groups import Scope
from spiral.protocol.job import ForwardMask, Mask, Params, TrainJob, TrainState

Tensor = Any  # of torch, which engine ``sparse`` does not load


class Rule(NamedTuple):
    """What a forward mask does to gradients and stored weights (``ForwardMask``)."""

    gradient: str
    pull: float
    stored: bool

    @classmethod
    def of(cls, job: TrainJob) -> "Rule | None":
        """Return that of a job, if it has a forward mask."""
        here = job.plan.weight_map
        if not isinstance(here, ForwardMask):
            return None
        return cls(here.gradient, here.pull, here.stored)


class Turn(NamedTuple):
    """What a forward mask does at one step, known before training."""

    hides: bool = False
    """Whether inactive weights are multiplied by D < 1."""
    scope: Scope | None = None
    """The groups among which a mask is chosen; None keeps the one in force."""


def turn_of(job: TrainJob, counted: bool, step: int, in_force: bool) -> Turn:
    """Return what the map of a job does at a step.

    Args:
        job: The pack.
        counted: Whether the method has set how many weights are active.
        step: The step.
        in_force: Whether an earlier mask is in force.
    """
    here = job.plan.weight_map
    if not isinstance(here, ForwardMask) or not counted or here.rest[step] == 1:
        return Turn()
    fresh = not in_force or step % here.interval == 0
    return Turn(True, here.scope_at(step) if fresh else None)


@dataclass
class Active:
    """The active weights of a pack, while it trains from step to step."""

    job: TrainJob
    counts: np.ndarray | None
    """As the method set them, [N, G]; None before the first event."""
    mask: Mask | None
    """The mask in force; None if there is none, or it is chosen at every step."""
    chosen: bool = False
    """Whether the mask was chosen at the latest step."""

    @classmethod
    def of(cls, job: TrainJob, state: TrainState) -> "Active":
        """Continue from a state."""
        return cls(job, state.active_counts, state.active)

    def factor(self, params: Params, step: int) -> Float32[np.ndarray, "N P"] | None:
        """Return the factors by which the map multiplies parameters at one step.

        Args:
            params: The parameters at this step.
            step: The step.

        Returns:
            Factors, or None if every weight is active and the map has no effect.
        """
        here, counts = self.job.plan.weight_map, self.counts
        turn = turn_of(self.job, counts is not None, step, self.mask is not None)
        self.chosen = turn.scope is not None
        if not turn.hides:
            self.mask = None
            return None
        assert isinstance(here, ForwardMask)
        assert counts is not None
        if turn.scope is not None:
            self.mask = groups.top(params, counts, self.job.width, turn.scope)
        assert self.mask is not None
        return np.where(self.mask, np.float32(1), np.float32(here.rest[step]))

    @property
    def emptied(self) -> Mask | None:
        """The mask outside which stored weights are to be set to zero now, if any."""
        here = self.job.plan.weight_map
        stored = isinstance(here, ForwardMask) and here.stored and self.chosen
        return self.mask if stored else None

    @property
    def in_force(self) -> Mask | None:
        """The mask that the next step needs to know."""
        here = self.job.plan.weight_map
        lasting = isinstance(here, ForwardMask) and here.interval > 1
        return self.mask if lasting else None


def of_stored(
    rule: Rule | None, gradient: Tensor, weights: Tensor, factor: Tensor | None
) -> Tensor:
    """Return the gradient of stored weights from that of effective weights."""
    if factor is None or rule is None:
        return gradient
    gradient = gradient * factor if rule.gradient == "chain" else gradient
    return gradient.where(factor >= 1, gradient + rule.pull * weights)
