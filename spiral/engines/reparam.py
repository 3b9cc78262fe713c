"""Learned weight maps (``protocol.reparam``) in torch, shared by two engines."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import pad

from spiral.engines.traced import GRAPHS, Step, trace
from spiral.model import gradients, mlp, seeds
from spiral.protocol import reparam
from spiral.protocol.job import TrainJob, TrainState
from spiral.protocol.reparam import Library, Reparam, Setting

VECTOR = 32
"""Torch rounds σ in a vector of up to so many numbers in another way than behind the
last whole vector."""


def sigmoid(x: Tensor) -> Tensor:
    """Return σ(x) with the same bits wherever a network is in its pack."""
    size = x.shape[-1]
    return torch.sigmoid(pad(x, (0, -size % VECTOR)))[..., :size]


TORCH = Library(
    torch.where, torch.sign, sigmoid, torch.cat, lambda tensor: tensor.detach()
)

EDGE = 1e-6
"""Uniform noise lies between this and 1 minus this (Louizos et al. 2018)."""

Given = Callable[[Tensor, int], tuple[Tensor, ...]]
Loss = Callable[..., Tensor]


def loss_of_one(width: int, setting: Setting, smoothing: float = 0.0) -> Loss:
    """Return the loss of one network: (θ [P+Q], x [2, B], y [B], c, …) → scalar.

    θ joins parameters and s; what follows c is what the map needs besides
    (``reparam.given``, or noise).
    """
    plain, size = gradients.loss_of_one(width, smoothing), mlp.param_count(width)

    def loss(theta: Tensor, x: Tensor, y: Tensor, c: Tensor, *given: Tensor) -> Tensor:
        params, numbers = theta[:size], theta[size:]
        found = reparam.effective(params, numbers, setting, c, given, TORCH)
        error = plain(found, x, y)
        if not setting.penalty:
            return error
        return error + reparam.penalty(params, numbers, setting, c, TORCH)

    return loss


@lru_cache(maxsize=GRAPHS)
def traced_slopes(
    networks: int,
    width: int,
    batch: int,
    smoothing: float,
    device: str,
    setting: Setting,
) -> Step:
    """Return the gradients of the losses of a pack as a graph of tensor operations.

    It maps (θ [N, P+Q], x [N, 2, B], y [N, B], c [N], …) to the gradients of θ.
    """
    slopes = vmap(grad(loss_of_one(width, setting, smoothing)))
    numbers = reparam.count(width, setting.kind)
    shapes: list[tuple[int, ...]] = [
        (networks, mlp.param_count(width) + numbers),
        (networks, 2, batch),
        (networks, batch),
        (networks,),
    ]
    here, weights = reparam.MAPS[setting.kind], mlp.weight_count(width)
    if here.noise or here.ranks:
        shapes.append((networks, weights))
    if setting.kind == "soft_top":
        shapes.append((networks, 1))
    return trace(slopes, shapes, device, {4} if here.ranks else set())


class Part(NamedTuple):
    """Part of θ that an optimiser treats alike."""

    columns: slice  # in θ [P+Q]
    pace: float = 1.0  # factor on the learning rate
    decay: float = 1.0  # factor on the L2 penalty


def parts(job: TrainJob) -> list[Part]:
    """Return the parts of θ: all, or the parameters and the numbers s of a map."""
    here, size = job.plan.weight_map, job.initial.shape[1]
    if not isinstance(here, Reparam):
        return [Part(slice(None))]
    numbers = Part(slice(size, None), here.rate, float(here.decays))
    return [Part(slice(size)), numbers]


def columns(job: TrainJob, device: str) -> tuple[Tensor | float, Tensor | float]:
    """Return the factors on learning rate and L2 penalty for each of θ [P+Q]."""
    here = job.plan.weight_map
    if not isinstance(here, Reparam):
        return 1.0, 1.0
    size = job.initial.shape[1] + reparam.count(job.width, here.kind)
    pace, decay = torch.ones((2, size), device=device)
    for part in parts(job):
        pace[part.columns], decay[part.columns] = part.pace, part.decay
    return pace, decay


def bounded(job: TrainJob, theta: Tensor) -> Tensor:
    """Return θ [..., P+Q] with s within its bound."""
    here, size = job.plan.weight_map, job.initial.shape[1]
    if not isinstance(here, Reparam) or here.bound is None:
        return theta
    numbers = theta[..., size:].clamp(-here.bound, here.bound)
    return torch.cat([theta[..., :size], numbers], -1)


def reader(job: TrainJob, state: TrainState, device: str) -> Given:
    """Return a function from θ [N, P+Q] and step to what losses take beside the batch.

    For adapters these are the masks [N, P]; for maps c [N], and ``reparam.given`` or
    noise. It must be called for every step in turn, from ``state.step`` on.
    """
    here, size = job.plan.weight_map, job.initial.shape[1]
    if not isinstance(here, Reparam):
        kept = torch.tensor(state.masks, device=device)
        return lambda theta, step: (kept,)
    special = reparam.MAPS[here.kind]
    drawn = noise(job, state.step) if special.noise else None

    def given(theta: Tensor, step: int) -> tuple[Tensor, ...]:
        c = torch.full((job.networks,), float(here.curve[step]), device=device)
        if drawn is not None:
            return c, torch.tensor(next(drawn), device=device)
        if special.ranks is None:
            return (c,)
        values = theta.detach().cpu().numpy()
        pair = (values[:, :size], values[:, size:])
        more = reparam.given(here.kind, *pair, here.curve[step], state.active_counts)
        return c, *(torch.tensor(array, device=device) for array in more)

    return given


def noise(job: TrainJob, start: int) -> Iterator[Float32[np.ndarray, "N W"]]:
    """Yield the logits of uniform noise of every step from ``start`` on.

    Each network draws by epochs from a stream that its order seed names: its noise does
    not depend on its pack, nor on where training was cut.
    """
    distinct, which = job.followers()
    size = mlp.weight_count(job.width)
    epoch, passed = divmod(start, job.steps_per_epoch)
    while True:
        streams = [seeds.stream("noise", seed, epoch) for seed in distinct]
        for stream in streams:
            stream.random((passed, size), dtype=np.float32)
        for _ in range(passed, job.steps_per_epoch):
            rows = [stream.random(size, dtype=np.float32) for stream in streams]
            uniform = EDGE + (1 - 2 * EDGE) * np.stack(rows).astype(np.float64)
            logits = np.log(uniform) - np.log1p(-uniform)
            yield logits.astype(np.float32)[which]
        epoch, passed = epoch + 1, 0
