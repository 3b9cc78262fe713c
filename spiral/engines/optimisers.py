"""Steps of SGD, Adam and AdamW on θ, all that trains of a network.

Twice: for packs [N, P+Q], and for one network by torch's own optimisers.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from spiral.engines import reparam
from spiral.engines.devices import upload
from spiral.protocol.job import Adam, AdamW, Mask, Sgd, TrainJob, TrainState

DECAY = (0.9, 0.999)
"""Decay rates β of Adam's two moments."""

EPSILON = 1e-8

Update = Callable[[Tensor, float], None]
"""Changes θ and its moments, given the slope of the loss and the rate."""


def is_adam(job: TrainJob) -> bool:
    """Return whether a job has moments of both orders."""
    return isinstance(job.plan.optimiser, Adam | AdamW)


class Facts(NamedTuple):
    """What a step of a pack needs to know, the same at every step of a segment."""

    moving: Tensor  # which entries train, bool [N, P+Q]
    momentum: Tensor  # [N, 1]
    decay: Tensor  # [N, 1 or P+Q]
    pace: Tensor  # factors on the learning rate, [1 or P+Q]
    born: Tensor  # when the moments of entries began, [N, P+Q] or [1, 1] if together
    corrections: Tensor  # those of :func:`corrections` [2, T]

    @classmethod
    def of(cls, job: TrainJob, state: TrainState, device: str) -> "Facts":
        """Return those of a pack with moments."""
        pace, share = reparam.columns(job)
        assert state.born is not None
        together = (state.born == state.born[0, 0]).all()
        arrays = (
            moving_of(state),
            job.momentum.astype(np.float32)[:, None],
            job.weight_decay.astype(np.float32)[:, None] * share,
            pace,
            state.born[:1, :1] if together else state.born,
            corrections(job.plan.steps),
        )
        return cls(*(upload(array, device) for array in arrays))


@lru_cache(maxsize=4)
def corrections(steps: int) -> Float32[np.ndarray, "2 T"]:
    """Return 1 - β^k for both β, by which moments are divided at their k-th step."""
    rows = [[1 - decay**k for k in range(1, steps + 1)] for decay in DECAY]
    return np.array(rows, np.float32)


def moving_of(state: TrainState) -> Mask:
    """Return which of θ train: of the parameters some, the adapters all."""
    if state.adapters is None:
        return state.moving
    return np.concatenate([state.moving, np.ones(state.adapters.shape, bool)], axis=1)


def step(
    optimiser: Sgd | Adam | AdamW,
    facts: Facts,
    trained: tuple[Tensor, Tensor],
    slope: Tensor,
    rate: Tensor,
    number: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return θ and moments of a pack after one step.

    Args:
        optimiser: The optimiser.
        facts: What it needs to know.
        trained: θ [N, P+Q] and its moments [N, 2, P+Q].
        slope: The gradient of the loss, 0 where nothing trains.
        rate: Learning rates [N, 1].
        number: The step.

    Returns:
        The new θ, which means nothing where nothing trains, and moments.
    """
    theta, moments = trained
    if not isinstance(optimiser, AdamW):
        slope = torch.where(facts.moving, slope + facts.decay * theta, 0.0)
    first, second = moments.unbind(1)
    if isinstance(optimiser, Sgd):
        first = facts.momentum * first + slope
        change = slope + facts.momentum * first if optimiser.nesterov else first
    else:
        first = DECAY[0] * first + (1 - DECAY[0]) * slope
        second = DECAY[1] * second + (1 - DECAY[1]) * slope**2
        age = number - facts.born
        parts = [table.take(age) for table in facts.corrections.unbind(0)]
        change = first / parts[0] / ((second / parts[1]).sqrt() + EPSILON)
    if isinstance(optimiser, AdamW):
        change = change + facts.decay * theta
    after = torch.stack([first, second], 1)
    return theta - rate * facts.pace * change, after


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
