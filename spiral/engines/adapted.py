"""Training with adapters (once a method has started it, ``Change.adapters``) or Adam.

θ denotes all that trains: the trainable parameters and the adapters, if there are any.
The numbers s of a learned weight map (``protocol.reparam``) are adapters, too.
"""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap

from spiral.engines import forward, optimisers, reparam
from spiral.engines.batches import pieces
from spiral.engines.devices import download, upload
from spiral.engines.hiding import Hiding
from spiral.engines.traced import GRAPHS, Step, trace
from spiral.model import gradients, mlp
from spiral.protocol import adapters
from spiral.protocol.adapters import LowRank
from spiral.protocol.job import (
    Adam,
    AdamW,
    Mask,
    Reparam,
    TrainJob,
    TrainState,
)
from spiral.protocol.reparam import Setting, count


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


def advance(job: TrainJob, state: TrainState, stop: int, device: str) -> TrainState:
    """Train a pack at once from ``state.step`` to ``stop``."""
    state = _with_moments(state)
    hiding = Hiding.of(job, state, stop, device)
    theta, moments, losses = train(job, state, hiding, stop, device)
    state = replace(state, losses=download(losses), active=hiding.in_force)
    return _state(state, stop, theta, moments)


def train(
    job: TrainJob, state: TrainState, hiding: Hiding, stop: int, device: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Run the training steps of a pack on the device.

    Returns:
        θ, its moments and the sums of losses, on the device.
    """
    theta, moments, moving = _tensors(state, device)
    slopes, given = _traced(job, device, True), reparam.reader(job, state, device)
    update = optimisers.pack_update(job, state, moving, stop)
    losses = upload(state.losses_so_far(), device)
    which = upload(job.followers()[1], device)
    for piece in pieces(job, state.step, stop, device):
        rates = upload(job.rates(state, piece.first, piece.last), device)
        every = zip(rates.unbind(0), piece.each(which), strict=True)
        for step, (rate, (x, y)) in enumerate(every, start=piece.first):
            theta, factor = hiding.at(theta, step)
            seen = theta if factor is None else theta * factor
            data = x, y, *given(theta, step)
            if step >= job.last_epoch:
                losses = losses + _traced(job, device, False)(seen, *data).double()
            slope = forward.of_stored(job, slopes(seen, *data), theta, factor)
            slope = torch.where(moving, slope, 0.0)
            new, moments = update(step, rate, theta, moments, slope)
            theta = reparam.bounded(job, torch.where(moving, new, theta))
    return theta, moments, losses


def advance_one(
    job: TrainJob, state: TrainState, stop: int, device: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Mask | None]:
    """Train one network with torch's optimisers.

    Returns:
        θ, its moments, the sum of losses, and the forward mask in force.
    """
    theta, moments, moving = (t[0] for t in _tensors(state, device))
    update = optimisers.update_of_one(job, state, theta, moments)
    width = job.width
    loss_of_one = _loss(width, _setting(job))
    plain_loss = _loss(width, _setting(job, plain=True))
    given = reparam.reader(job, state, device)
    losses, frozen = state.losses_so_far(), theta.clone()
    hiding = Hiding.of(job, state, stop, device)
    for step, rate in enumerate(job.rates(state, state.step, stop)[:, 0], state.step):
        x, y = (torch.tensor(a[0], device=device) for a in job.batch_at(step))
        stored, factors = hiding.at(theta[None], step)
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
    return theta.cpu().numpy(), moments.cpu().numpy(), losses, hiding.in_force


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


def _traced(job: TrainJob, device: str, slopes: bool) -> Step:
    """Return the gradients of a pack, or its plain losses, as a graph.

    They map θ [N, P+Q], x, y and what follows (``reparam.reader``) to [N, P+Q] or [N].
    """
    pack = job.networks, job.width, job.batch
    return _graph(pack, _setting(job, not slopes), device, slopes)


class _Setting(NamedTuple):
    """What defines the loss of a network, hashable."""

    map: LowRank | Setting | None
    smoothing: float


def _setting(job: TrainJob, plain: bool = False) -> _Setting:
    """Return that of a job.

    Args:
        job: The pack.
        plain: Without label smoothing and the penalty of a weight map.
    """
    here, smoothing = job.plan.weight_map, 0.0 if plain else job.plan.label_smoothing
    if isinstance(here, Reparam):
        setting = here.setting._replace(penalty=0.0) if plain else here.setting
        return _Setting(setting, smoothing)
    return _Setting(here if isinstance(here, LowRank) else None, smoothing)


@lru_cache(maxsize=GRAPHS)
def _graph(
    pack: tuple[int, int, int], setting: _Setting, device: str, slopes: bool
) -> Step:
    """Trace the gradients, or the losses, of a pack of networks, width and batch."""
    networks, width, batch = pack
    one = _loss(width, setting)
    size, own, kinds = mlp.param_count(width), 0, {3: torch.bool}
    more: list[tuple[int, ...]] = [(networks, size)]  # the masks
    if isinstance(setting.map, Setting):
        own = count(width, setting.map.kind)
        more, kinds = reparam.more(networks, width, setting.map.kind)
    elif isinstance(setting.map, LowRank):
        own = adapters.count(width, setting.map)
    shapes = [(networks, size + own), (networks, 2, batch), (networks, batch), *more]
    return trace(vmap(grad(one) if slopes else one), shapes, device, kinds)


def _loss(width: int, setting: _Setting) -> Step:
    """Return the loss of one network: (θ [P+Q], x [2, B], y [B], …) → scalar.

    For what follows the batch see ``reparam.reader``.
    """
    here, size = setting.map, mlp.param_count(width)
    if isinstance(here, Setting):
        return reparam.loss_of_one(width, here, setting.smoothing)
    of_params = gradients.loss_of_one(width, setting.smoothing)

    def loss(theta: Tensor, x: Tensor, y: Tensor, kept: Tensor) -> Tensor:
        params = theta[:size]
        if here is not None:
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
    assert state.moments is not None
    arrays = (theta, state.moments, moving)
    return tuple(upload(a, device) for a in arrays)  # type: ignore[return-value]


def _state(state: TrainState, stop: int, theta: Tensor, moments: Tensor) -> TrainState:
    """Return the state after training."""
    size = state.params.shape[1]
    values = download(theta)
    return replace(
        state,
        step=stop,
        params=values[:, :size].copy(),
        adapters=None if state.adapters is None else values[:, size:].copy(),
        moments=download(moments),
    )
