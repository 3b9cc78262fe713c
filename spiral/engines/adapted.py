"""Training with adapters or AdamW, after a method has started it (``Change.adapters``).

θ denotes all that trains: the trainable parameters and the adapters.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap

from spiral.model import gradients
from spiral.protocol import adapters
from spiral.protocol.adapters import LowRank
from spiral.protocol.job import AdamW, Plan, TrainJob, TrainState

Batches = Iterable[tuple[Tensor, Tensor]]
Loss = Callable[..., Tensor]

DECAY = (0.9, 0.999)
"""Decay rates β of AdamW's two moments."""

EPSILON = 1e-8


def usual(job: TrainJob, state: TrainState) -> TrainJob:
    """Return the job of plain SGD, unless a method has started something else."""
    other = isinstance(job.plan.weight_map, LowRank) or _adam(job)
    if not other or state.adapters is not None:
        return job
    plan = replace(job.plan, weight_map=None, optimiser=Plan.optimiser)
    return replace(job, plan=plan)


def advance(
    job: TrainJob, state: TrainState, stop: int, batches: Batches, device: str
) -> TrainState:
    """Train a pack at once from ``state.step`` to ``stop``."""
    theta, moments, trains = _tensors(job, state, device)
    first, second = moments[:, 0], moments[:, 1]
    kept = torch.tensor(state.masks, device=device)
    slopes = vmap(grad(_loss(job)))
    momentum, decay = (
        torch.tensor(column.astype(np.float32)[:, None], device=device)
        for column in (job.momentum, job.weight_decay)
    )
    rates = torch.tensor(job.rates(state, state.step, stop), device=device)
    losses, plain_loss = torch.tensor(state.losses_so_far()), vmap(_loss(job, 0.0))
    for step, (x, y) in enumerate(batches, start=state.step):
        rate = rates[step - state.step][:, None]
        if step >= job.last_epoch:
            losses += plain_loss(theta, kept, x, y).double().cpu()
        slope = slopes(theta, kept, x, y)
        if isinstance(job.plan.optimiser, AdamW):
            number = step - job.plan.optimiser.since + 1
            slope = torch.where(trains, slope, 0.0)
            first = DECAY[0] * first + (1 - DECAY[0]) * slope
            second = DECAY[1] * second + (1 - DECAY[1]) * slope**2
            size = (second / (1 - DECAY[1] ** number)).sqrt() + EPSILON
            change = rate * (first / (1 - DECAY[0] ** number) / size + decay * theta)
        else:
            slope = torch.where(trains, slope + decay * theta, 0.0)
            first = momentum * first + slope
            change = rate * first
        theta = torch.where(trains, theta - change, theta)
    state = replace(state, losses=losses.numpy())
    return _state(state, stop, theta, torch.stack([first, second], 1))


def advance_one(
    job: TrainJob, state: TrainState, stop: int, device: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train one network with torch's optimisers; return θ, moments, sum of losses."""
    theta, moments, trains = (t[0] for t in _tensors(job, state, device))
    kept = torch.tensor(state.masks[0], device=device)
    optimiser = _torch_optimiser(job, state, theta, moments)
    loss_of_one, plain_loss = _loss(job), _loss(job, 0.0)
    losses = state.losses_so_far()
    frozen = theta.clone()
    theta.requires_grad_()
    for step, rate in enumerate(job.rates(state, state.step, stop)[:, 0], state.step):
        optimiser.param_groups[0]["lr"] = float(rate)
        x, y = (torch.tensor(a[0], device=device) for a in job.batch_at(step))
        if step >= job.last_epoch:
            losses += plain_loss(theta.detach(), kept, x.T, y).item()
        (slope,) = torch.autograd.grad(loss_of_one(theta, kept, x.T, y), theta)
        theta.grad = torch.where(trains, slope, 0.0)
        optimiser.step()
        with torch.no_grad():
            theta.copy_(torch.where(trains, theta, frozen))
    moments[:, ~trains] = 0
    return theta.detach().cpu().numpy(), moments.cpu().numpy(), losses


def advance_each(
    job: TrainJob, state: TrainState, stop: int, device: str
) -> TrainState:
    """Train network after network (engine ``reference``)."""
    found = []
    with gradients.one_thread(), torch.enable_grad():
        for n in range(job.networks):
            one = job.take(np.array([n])), state.take(np.array([n]))
            found.append(advance_one(*one, stop, device))
    theta, moments, losses = map(np.stack, zip(*found, strict=True))
    state = replace(state, losses=losses[:, 0])
    return _state(state, stop, torch.tensor(theta), torch.tensor(moments))


def _adam(job: TrainJob) -> bool:
    return isinstance(job.plan.optimiser, AdamW)


def _torch_optimiser(
    job: TrainJob, state: TrainState, theta: Tensor, moments: Tensor
) -> Any:
    """Return a torch optimiser that continues from the state."""
    decay = float(job.weight_decay[0])
    if isinstance(job.plan.optimiser, AdamW):
        adam = torch.optim.AdamW([theta], lr=0.0, betas=DECAY, weight_decay=decay)
        done = torch.tensor(float(state.step - job.plan.optimiser.since))
        adam.state[theta] = {
            "step": done,
            "exp_avg": moments[0],
            "exp_avg_sq": moments[1],
        }
        return adam
    momentum = float(job.momentum[0])
    sgd = torch.optim.SGD([theta], lr=0.0, momentum=momentum, weight_decay=decay)
    sgd.state[theta]["momentum_buffer"] = moments[0]
    return sgd


def _loss(job: TrainJob, smoothing: float | None = None) -> Loss:
    """Return the loss of one network: (θ [P+Q], mask [P], x [2, B], y [B]) → scalar."""
    smooth = job.plan.label_smoothing if smoothing is None else smoothing
    plain = gradients.loss_of_one(job.width, smooth)
    here, size = job.plan.weight_map, job.initial.shape[1]

    def loss(theta: Tensor, kept: Tensor, x: Tensor, y: Tensor) -> Tensor:
        params = theta[:size]
        if isinstance(here, LowRank):
            params = adapters.effective(params, kept, theta[size:], here, torch.cat)
        return plain(params, x, y)

    return loss


def _tensors(
    job: TrainJob, state: TrainState, device: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Return θ [N, P+Q], its moments [N, 2, P+Q], and which entries train."""
    assert state.adapters is not None
    theta = np.concatenate([state.params, state.adapters], axis=1)
    moments = state.moments
    if moments is None:
        moments = np.zeros((job.networks, 2, theta.shape[1]), np.float32)
    trains = np.concatenate([state.moving, np.ones(state.adapters.shape, bool)], axis=1)
    arrays = (theta, moments, trains)
    return tuple(torch.tensor(a, device=device) for a in arrays)  # type: ignore[return-value]


def _state(state: TrainState, stop: int, theta: Tensor, moments: Tensor) -> TrainState:
    """Return the state after training."""
    size = state.params.shape[1]
    values = theta.cpu().numpy()
    return replace(
        state,
        step=stop,
        params=values[:, :size].copy(),
        adapters=values[:, size:].copy(),
        moments=moments.cpu().numpy(),
    )
