"""Forward masks (``job.ForwardMask``) on tensors, as ``forward`` has them on arrays."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spiral.engines import ranks
from spiral.engines.devices import upload
from spiral.engines.forward import Turn, turn_of
from spiral.protocol.job import ForwardMask, Mask, TrainJob, TrainState


def hide(
    turn: Turn,
    params: Tensor,
    shown: Tensor,
    rest: Tensor,
    rule: tuple[Tensor, int, bool],
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Do what a forward mask does at one step.

    Args:
        turn: What that is.
        params: Parameters [N, P].
        shown: The mask in force, bool [N, P].
        rest: D of this step, a tensor of one number.
        rule: Active weights of each group [N, G], the width, and whether inactive
            weights are set to zero.

    Returns:
        Parameters, the mask in force, and the factors on parameters, if any.
    """
    if not turn.hides:
        return params, shown, None
    if turn.scope is not None:
        counts, width, stored = rule
        shown = ranks.top(params, counts, width, turn.scope)
        params = torch.where(shown, params, 0.0) if stored else params
    return params, shown, torch.where(shown, 1.0, rest)


def turns(job: TrainJob, state: TrainState, stop: int) -> tuple[list[Turn], bool]:
    """Return what the map does at the steps up to ``stop``.

    Returns:
        turns: One for each step.
        lasting: Whether the step at ``stop`` needs to know the mask in force.
    """
    found, in_force = [], state.active is not None
    counted = state.active_counts is not None
    for step in range(state.step, stop):
        turn = turn_of(job, counted, step, in_force)
        in_force = turn.hides
        found.append(turn)
    return found, in_force and lasts(job)


def lasts(job: TrainJob) -> bool:
    """Return whether masks stay in force for several steps."""
    here = job.plan.weight_map
    return isinstance(here, ForwardMask) and here.interval > 1


def rests(job: TrainJob, start: int, stop: int) -> np.ndarray:
    """Return D of steps, float32; 1 without a forward mask."""
    here = job.plan.weight_map
    if not isinstance(here, ForwardMask):
        return np.ones(stop - start, np.float32)
    return here.rest[start:stop].astype(np.float32)


@dataclass
class Hiding:
    """The forward mask of a pack, while it trains from step to step."""

    job: TrainJob
    begin: int
    turns: list[Turn]
    lasting: bool
    shown: Tensor
    rests: Tensor
    counts: Tensor

    @classmethod
    def of(cls, job: TrainJob, state: TrainState, stop: int, device: str) -> "Hiding":
        """Continue from a state up to ``stop``."""
        return cls(
            job,
            state.step,
            *turns(job, state, stop),
            upload(shown_at(job, state), device),
            upload(rests(job, state.step, stop), device),
            upload(counts_of(state), device),
        )

    def at(self, params: Tensor, step: int) -> tuple[Tensor, Tensor | None]:
        """Return the parameters [N, P] at one step, and the factors on them, if any."""
        here, number = self.job.plan.weight_map, step - self.begin
        stored = isinstance(here, ForwardMask) and here.stored
        rest, rule = self.rests.select(0, number), (self.counts, self.job.width, stored)
        found = hide(self.turns[number], params, self.shown, rest, rule)
        params, self.shown, factor = found
        return params, factor

    @property
    def in_force(self) -> Mask | None:
        """The mask that the next step needs to know."""
        return self.shown.cpu().numpy() if self.lasting else None


def shown_at(job: TrainJob, state: TrainState) -> Mask:
    """Return the mask in force; everything if there is none."""
    if state.active is not None:
        return state.active
    return np.ones(job.initial.shape, bool)


def counts_of(state: TrainState) -> np.ndarray:
    """Return the active weights of each group [N, G]; none before the first event."""
    if state.active_counts is None:
        return np.empty((len(state.params), 0), np.int64)
    return state.active_counts
