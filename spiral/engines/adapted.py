"""Training with adapters (once a method has started it, ``Change.adapters``) or Adam.

θ denotes all that trains: the trainable parameters and the adapters, if there are any.
The numbers s of a learned weight map (``protocol.reparam``) are adapters, too.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap

from spiral.engines import forward, optimisers, reparam
from spiral.engines.forward import Active
from spiral.model import gradients
from spiral.protocol import adapters
from spiral.protocol.adapters import LowRank
from spiral.protocol.job import (
    Adam,
    AdamW,
    ForwardMask,
    Mask,
    Reparam,
    TrainJob,
    TrainState,
)

Batches = Iterable[tuple[Tensor, Tensor]]
Loss = Callable[..., Tensor]


def usual(job: TrainJob, state: TrainState) -> TrainJob:
    """Return the job without what has not started: maps without adapters, late Adam."""
    plan = job.plan
    if isinstance(plan.weight_map, LowRank | Reparam) and state.adapters is None:
        plan = replace(plan, weight_map=None)
    if isinstance(plan.optimiser, Adam | AdamW) and state.step < plan.optimiser.since:
        plan = replace(plan, optimiser=plan.controls.optimiser)
    return job if plan is job.plan else replace(job, plan=plan)


def trains(job: TrainJob, state: TrainState) -> bool:
    """Return whether a pack trains here: it has adapters, or Adam trains it."""
    return state.adapters is not None or optimisers.is_adam(job)


def advance(
    job: TrainJob, state: TrainState, stop: int, batches: Batches, device: str
) -> TrainState:
    """Train a pack at once from ``state.step`` to ``stop``."""
    state = _with_moments(state)
    theta, moments, moving = _tensors(state, device)
    slopes, given = _slopes(job, device), reparam.reader(job, state, device)
    update = optimisers.pack_update(job, state, moving)
    rates = torch.tensor(job.rates(state, state.step, stop), device=device)
    losses = torch.tensor(state.losses_so_far())
    plain_loss = vmap(_loss(job, plain=True))
    active = Active.of(job, state)
    for step, (x, y) in enumerate(batches, start=state.step):
        theta, factor = _masked(active, theta, step)
        seen, more = theta if factor is None else theta * factor, given(theta, step)
        if step >= job.last_epoch:
            losses += plain_loss(seen, x, y, *more).double().cpu()
        slope = forward.of_stored(job, slopes(seen, x, y, *more), theta, factor)
        slope = torch.where(moving, slope, 0.0)
        new, moments = update(step, rates[step - state.step], theta, moments, slope)
        theta = reparam.bounded(job, torch.where(moving, new, theta))
    state = replace(state, losses=losses.numpy(), active=active.in_force)
    return _state(state, stop, theta, moments)


def _masked(active: Active, theta: Tensor, step: int) -> tuple[Tensor, Tensor | None]:
    """Return θ [N, P] and the factors of a forward mask, which has no adapters."""
    if not isinstance(active.job.plan.weight_map, ForwardMask):
        return theta, None
    found = active.factor(theta.detach().cpu().numpy(), step)
    if active.emptied is not None:
        shown = torch.tensor(active.emptied, device=theta.device)
        theta = torch.where(shown, theta, 0.0)
    return theta, None if found is None else torch.tensor(found, device=theta.device)


def advance_one(
    job: TrainJob, state: TrainState, stop: int, device: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Mask | None]:
    """Train one network with torch's optimisers.

    Returns:
        θ, its moments, the sum of losses, and the forward mask in force.
    """
    theta, moments, moving = (t[0] for t in _tensors(state, device))
    update = optimisers.update_of_one(job, state, theta, moments)
    loss_of_one, plain_loss = _loss(job), _loss(job, plain=True)
    given = reparam.reader(job, state, device)
    losses, frozen = state.losses_so_far(), theta.clone()
    active = Active.of(job, state)
    for step, rate in enumerate(job.rates(state, state.step, stop)[:, 0], state.step):
        x, y = (torch.tensor(a[0], device=device) for a in job.batch_at(step))
        stored, factors = _masked(active, theta[None], step)
        theta.copy_(stored[0])
        factor = None if factors is None else factors[0]
        seen = theta.clone() if factor is None else theta * factor
        data = (x.T, y, *(array[0] for array in given(theta[None], step)))
        if step >= job.last_epoch:
            losses += plain_loss(seen, *data).item()
        seen.requires_grad_()
        (slope,) = torch.autograd.grad(loss_of_one(seen, *data), seen)
        slope = forward.of_stored(job, slope, theta, factor)
        update(torch.where(moving, slope, 0.0), float(rate))
        theta.copy_(reparam.bounded(job, torch.where(moving, theta, frozen)))
    moments[:, ~moving] = 0
    return theta.cpu().numpy(), moments.cpu().numpy(), losses, active.in_force


def advance_each(
    job: TrainJob, state: TrainState, stop: int, device: str
) -> TrainState:
    """Train network after network (engine ``reference``)."""
    found, state = [], _with_moments(state)
    with gradients.one_thread():
        for n in range(job.networks):
            one = job.take(np.array([n])), state.take(np.array([n]))
            found.append(advance_one(*one, stop, device))
    *arrays, active = zip(*found, strict=True)
    theta, moments, losses = map(np.stack, arrays)
    lasting = None if active[0] is None else np.concatenate(active)
    state = replace(state, losses=losses[:, 0], active=lasting)
    return _state(state, stop, torch.tensor(theta), torch.tensor(moments))


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


def _with_moments(state: TrainState) -> TrainState:
    """Return the state with moments, which begin now if it has none."""
    if state.moments is not None:
        return state
    own = 0 if state.adapters is None else state.adapters.shape[1]
    count, size = len(state.params), state.params.shape[1] + own
    moments = np.zeros((count, 2, size), np.float32)
    return replace(state, moments=moments, born=np.full((count, size), state.step))


def _tensors(state: TrainState, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return θ [N, P+Q], its moments [N, 2, P+Q], and which entries train."""
    theta, moving = state.params, state.moving
    if state.adapters is not None:
        every = np.ones(state.adapters.shape, bool)
        theta = np.concatenate([theta, state.adapters], axis=1)
        moving = np.concatenate([moving, every], axis=1)
    arrays = (theta, state.moments, moving)
    return tuple(torch.tensor(a, device=device) for a in arrays)  # type: ignore[return-value]


def _state(state: TrainState, stop: int, theta: Tensor, moments: Tensor) -> TrainState:
    """Return the state after training."""
    size = state.params.shape[1]
    values = theta.cpu().numpy()
    return replace(
        state,
        step=stop,
        params=values[:, :size].copy(),
        adapters=None if state.adapters is None else values[:, size:].copy(),
        moments=moments.cpu().numpy(),
    )
