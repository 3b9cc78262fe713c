"""Training with adapters or AdamW, after a method has started it (``Change.adapters``).

θ denotes all that trains: the trainable parameters and the adapters. The numbers s of a
learned weight map (``protocol.reparam``) are adapters, too.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap

from spiral.engines import reparam
from spiral.model import gradients
from spiral.protocol import adapters
from spiral.protocol.adapters import LowRank
from spiral.protocol.job import AdamW, Plan, Reparam, TrainJob, TrainState

Batches = Iterable[tuple[Tensor, Tensor]]
Loss = Callable[..., Tensor]

DECAY = (0.9, 0.999)
"""Decay rates β of AdamW's two moments."""

EPSILON = 1e-8


def usual(job: TrainJob, state: TrainState) -> TrainJob:
    """Return the job of plain SGD, unless a method has started something else."""
    other = isinstance(job.plan.weight_map, LowRank | Reparam) or _adam(job)
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
    slopes, plain_loss = _slopes(job, device), vmap(_loss(job, plain=True))
    momentum, decay = (
        torch.tensor(column.astype(np.float32)[:, None], device=device)
        for column in (job.momentum, job.weight_decay)
    )
    pace, share = reparam.columns(job, device)
    decay, given = decay * share, reparam.reader(job, state, device)
    rates = torch.tensor(job.rates(state, state.step, stop), device=device)
    losses = torch.tensor(state.losses_so_far())
    for step, (x, y) in enumerate(batches, start=state.step):
        rate, more = rates[step - state.step][:, None] * pace, given(theta, step)
        if step >= job.last_epoch:
            losses += plain_loss(theta, x, y, *more).double().cpu()
        slope = slopes(theta, x, y, *more)
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
        theta = reparam.bounded(job, torch.where(trains, theta - change, theta))
    state = replace(state, losses=losses.numpy())
    return _state(state, stop, theta, torch.stack([first, second], 1))


def advance_one(
    job: TrainJob, state: TrainState, stop: int, device: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train one network with torch's optimisers; return θ, moments, sum of losses."""
    theta, moments, trains = (t[0] for t in _tensors(job, state, device))
    optimiser, parts = _torch_optimiser(job, state, theta, moments)
    loss_of_one, plain_loss = _loss(job), _loss(job, plain=True)
    given = reparam.reader(job, state, device)
    losses = state.losses_so_far()
    frozen = theta.clone()
    place = theta.detach().requires_grad_()  # the same numbers
    for step, rate in enumerate(job.rates(state, state.step, stop)[:, 0], state.step):
        x, y = (torch.tensor(a[0], device=device) for a in job.batch_at(step))
        data = (x.T, y, *(array[0] for array in given(theta[None], step)))
        if step >= job.last_epoch:
            losses += plain_loss(theta, *data).item()
        (slope,) = torch.autograd.grad(loss_of_one(place, *data), place)
        slope = torch.where(trains, slope, 0.0)
        for part, group in zip(parts, optimiser.param_groups, strict=True):
            group["lr"] = float(rate) * part.pace
            group["params"][0].grad = slope[part.columns]
        optimiser.step()
        theta.copy_(reparam.bounded(job, torch.where(trains, theta, frozen)))
    moments[:, ~trains] = 0
    return theta.cpu().numpy(), moments.cpu().numpy(), losses


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
) -> tuple[Any, list[reparam.Part]]:
    """Return a torch optimiser that continues from the state, and its groups."""
    parts = reparam.parts(job)
    groups: list[dict[str, Any]] = [
        {
            "params": [theta[part.columns]],
            "weight_decay": float(job.weight_decay[0]) * part.decay,
        }
        for part in parts
    ]
    own: dict[str, Any] = {}
    if isinstance(job.plan.optimiser, AdamW):
        found: Any = torch.optim.AdamW(groups, lr=0.0, betas=DECAY)
        own = {"step": torch.tensor(float(state.step - job.plan.optimiser.since))}
    else:
        found = torch.optim.SGD(groups, lr=0.0, momentum=float(job.momentum[0]))
    names = ("exp_avg", "exp_avg_sq") if own else ("momentum_buffer",)
    for part, group in zip(parts, groups, strict=True):
        rows = dict(zip(names, moments[:, part.columns], strict=False))
        found.state[group["params"][0]] = {k: v.clone() for k, v in own.items()} | rows
    return found, parts


def _slopes(job: TrainJob, device: str) -> Loss:
    """Return the gradients of a pack: (θ [N, P+Q], x, y, …) → [N, P+Q]."""
    here = job.plan.weight_map
    if not isinstance(here, Reparam):
        return vmap(grad(_loss(job)))
    pack = (job.networks, job.width, job.batch, job.plan.label_smoothing)
    return reparam.traced_slopes(*pack, device, here.setting)


def _loss(job: TrainJob, plain: bool = False) -> Loss:
    """Return the loss of one network: (θ [P+Q], x [2, B], y [B], …) → scalar.

    Args:
        job: The pack; for what follows the batch see ``reparam.reader``.
        plain: Without label smoothing and the penalty of a weight map.
    """
    smoothing = 0.0 if plain else job.plan.label_smoothing
    here, size = job.plan.weight_map, job.initial.shape[1]
    if isinstance(here, Reparam):
        setting = here.setting._replace(penalty=0.0) if plain else here.setting
        return reparam.loss_of_one(job.width, setting, smoothing)
    of_params = gradients.loss_of_one(job.width, smoothing)

    def loss(theta: Tensor, x: Tensor, y: Tensor, kept: Tensor) -> Tensor:
        params = theta[:size]
        if isinstance(here, LowRank):
            params = adapters.effective(params, kept, theta[size:], here, torch.cat)
        return of_params(params, x, y)

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
