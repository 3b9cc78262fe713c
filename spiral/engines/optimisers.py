"""Steps of SGD, Adam and AdamW on θ, all that trains of a network.

Twice: for packs [N, P+Q], and for one network by torch's own optimisers.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from spiral.engines import reparam
from spiral.engines.devices import upload
from spiral.protocol.job import Adam, AdamW, TrainJob, TrainState

DECAY = (0.9, 0.999)
"""Decay rates β of Adam's two moments."""

EPSILON = 1e-8

PackUpdate = Callable[[int, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""From step, rates [N], θ, moments [N, 2, P+Q] and slope to new θ and moments. The
slope is that of the loss, 0 where nothing trains; there the new θ means nothing."""

Update = Callable[[Tensor, float], None]
"""Changes θ and its moments, given the slope of the loss and the rate."""


def is_adam(job: TrainJob) -> bool:
    """Return whether a job has moments of both orders."""
    return isinstance(job.plan.optimiser, Adam | AdamW)


class Ages(NamedTuple):
    """When the moments of entries began."""

    start: int
    births: list[int]
    which: Tensor
    """Index of each entry's birth, [N, P+Q]."""
    tables: dict[float, Tensor]
    """β → what a moment is to be divided by at each step, of each birth; if several."""

    @classmethod
    def of(cls, state: TrainState, stop: int, device: str) -> "Ages":
        """Return those of a state that trains to ``stop``."""
        assert state.born is not None
        found, which = np.unique(state.born, return_inverse=True)
        births, steps = found.tolist(), range(state.step, stop)
        tables = {}
        for decay in DECAY if len(births) > 1 else ():
            rows = [[_correction(decay, step, b) for b in births] for step in steps]
            tables[decay] = upload(np.array(rows, np.float32), device)
        return cls(state.step, births, upload(which, device), tables)

    def correction(self, decay: float, step: int) -> float | Tensor:
        """Return what a moment is to be divided by: 1 - β^k at its k-th step."""
        if not self.tables:
            return _correction(decay, step, self.births[0])
        return self.tables[decay].select(0, step - self.start).take(self.which)


def _correction(decay: float, step: int, birth: int) -> float:
    """Return 1 - β^k at the k-th step of moments that began at a step."""
    return float(1 - decay ** (step - birth + 1))


def pack_update(
    job: TrainJob, state: TrainState, moving: Tensor, stop: int
) -> PackUpdate:
    """Return the update of a pack, of which ``moving`` entries [N, P+Q] train."""
    device = moving.device.type
    momentum, decay = (
        upload(column.astype(np.float32)[:, None], device)
        for column in (job.momentum, job.weight_decay)
    )
    pace, share = reparam.columns(job, device)
    decay = decay * share
    if is_adam(job):
        ages = Ages.of(state, stop, device)
        decoupled = isinstance(job.plan.optimiser, AdamW)
        return _pack_adam(ages, moving, (pace, decay), decoupled)
    nesterov = job.plan.nesterov

    def update(
        step: int, rate: Tensor, theta: Tensor, moments: Tensor, slope: Tensor
    ) -> tuple[Tensor, Tensor]:
        slope = torch.where(moving, slope + decay * theta, 0.0)
        first, second = moments.unbind(1)
        velocity = momentum * first + slope
        change = slope + momentum * velocity if nesterov else velocity
        after = torch.stack([velocity, second], 1)
        return theta - rate.unsqueeze(1) * pace * change, after

    return update


def _pack_adam(
    ages: Ages, moving: Tensor, factors: tuple[Tensor | float, Tensor], decoupled: bool
) -> PackUpdate:
    """Return the update of a pack by Adam, or AdamW if the decay is decoupled.

    ``factors`` are those on the learning rate, and the L2 penalties.
    """
    pace, decay = factors

    def update(
        step: int, rate: Tensor, theta: Tensor, moments: Tensor, slope: Tensor
    ) -> tuple[Tensor, Tensor]:
        if not decoupled:
            slope = torch.where(moving, slope + decay * theta, 0.0)
        first, second = moments.unbind(1)
        first = DECAY[0] * first + (1 - DECAY[0]) * slope
        second = DECAY[1] * second + (1 - DECAY[1]) * slope**2
        size = (second / ages.correction(DECAY[1], step)).sqrt() + EPSILON
        change = first / ages.correction(DECAY[0], step) / size
        if decoupled:
            change = change + decay * theta
        after = torch.stack([first, second], 1)
        return theta - rate.unsqueeze(1) * pace * change, after

    return update


def update_of_one(
    job: TrainJob, state: TrainState, theta: Tensor, moments: Tensor
) -> Update:
    """Return the update of θ [P+Q] and moments [2, P+Q] of a pack of one network."""
    assert state.born is not None
    parts, updates = reparam.parts(job), []
    for place, _, decay in parts:
        part = replace(job, weight_decay=job.weight_decay * decay)
        here, both = theta[place], moments[:, place]
        if is_adam(job):
            now = replace(state, born=state.born[:, place])
            updates.append(_torch_adam(part, now, here, both))
        else:
            updates.append(torch_sgd(part, here, both[0]))

    def update(slope: Tensor, rate: float) -> None:
        for (place, pace, _), one in zip(parts, updates, strict=True):
            one(slope[place], rate * pace)

    return update


def torch_sgd(job: TrainJob, theta: Tensor, velocity: Tensor) -> Update:
    """Return an update of θ and its velocity by torch's SGD."""
    momentum, decay = float(job.momentum[0]), float(job.weight_decay[0])
    # Without momentum both kinds are the same; torch refuses Nesterov's then
    nesterov = job.plan.nesterov and momentum > 0
    sgd = torch.optim.SGD(
        [theta], lr=0.0, momentum=momentum, weight_decay=decay, nesterov=nesterov
    )
    sgd.state[theta]["momentum_buffer"] = velocity

    def update(slope: Tensor, rate: float) -> None:
        sgd.param_groups[0]["lr"] = rate
        theta.grad = slope
        sgd.step()

    return update


def _torch_adam(
    job: TrainJob, state: TrainState, theta: Tensor, moments: Tensor
) -> Update:
    """Return an update of θ and its moments by torch's Adam or AdamW.

    torch counts the steps of a tensor: entries whose moments began together are one.
    """
    assert state.born is not None
    births, which = np.unique(state.born[0], return_inverse=True)
    places = [torch.tensor(which == n, device=theta.device) for n in range(len(births))]
    parts = [theta[place] for place in places]
    decoupled = isinstance(job.plan.optimiser, AdamW)
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    decay = float(job.weight_decay[0])
    adam = kind(parts, lr=0.0, betas=DECAY, eps=EPSILON, weight_decay=decay)
    for birth, part, place in zip(births, parts, places, strict=True):
        done = torch.tensor(float(state.step - birth))
        first, second = moments[0, place], moments[1, place]
        adam.state[part] = {"step": done, "exp_avg": first, "exp_avg_sq": second}

    def update(slope: Tensor, rate: float) -> None:
        adam.param_groups[0]["lr"] = rate
        for part, place in zip(parts, places, strict=True):
            part.copy_(theta[place])  # the caller puts frozen entries back
            part.grad = slope[place]
        adam.step()
        for part, place in zip(parts, places, strict=True):
            theta[place] = part
            moments[0, place] = adam.state[part]["exp_avg"]
            moments[1, place] = adam.state[part]["exp_avg_sq"]

    return update
