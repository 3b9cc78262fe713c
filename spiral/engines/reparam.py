"""Learned weight maps (``protocol.reparam``) in torch, shared by two engines."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn.functional import pad

from spiral.engines import ranks
from spiral.engines.devices import upload
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

AHEAD = 32
"""Steps whose noise is copied to a device together."""

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


def more(
    networks: int, width: int, kind: reparam.Kind
) -> tuple[list[tuple[int, ...]], dict[int, torch.dtype]]:
    """Return the shapes of what losses of a pack take beside θ and the batch.

    Returns:
        shapes: Those of c, and of what :func:`reader` returns besides.
        kinds: The number of an argument → its type, where it is not float32.
    """
    here = reparam.MAPS[kind]
    shapes: list[tuple[int, ...]] = [(networks,)]
    if here.noise or here.ranks:
        shapes.append((networks, mlp.weight_count(width)))
    if kind == "soft_top":
        shapes.append((networks, 1))
    return shapes, {4: torch.bool} if here.ranks else {}


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
    pace, decay = np.ones((2, size), np.float32)
    for part in parts(job):
        pace[part.columns], decay[part.columns] = part.pace, part.decay
    return upload(pace, device), upload(decay, device)


def bounded(job: TrainJob, theta: Tensor) -> Tensor:
    """Return θ [..., P+Q] with s within its bound."""
    here, size = job.plan.weight_map, job.initial.shape[1]
    if not isinstance(here, Reparam) or here.bound is None:
        return theta
    params, numbers = torch.split(theta, [size, theta.shape[-1] - size], -1)
    return torch.cat([params, numbers.clamp(-here.bound, here.bound)], -1)


def reader(job: TrainJob, state: TrainState, device: str) -> Given:
    """Return a function from θ [N, P+Q] and step to what losses take beside the batch.

    For adapters these are the masks [N, P]; for maps c [N], and ``reparam.given`` or
    noise. It must be called for every step in turn, from ``state.step`` on.
    """
    here = job.plan.weight_map
    if not isinstance(here, Reparam):
        kept = upload(state.masks, device)
        return lambda theta, step: (kept,)
    kind, drawn = here.kind, None
    if reparam.MAPS[kind].noise:
        drawn = _uploaded(noise(job, state.step), device)
    counts = _counts(job, state, device)

    def given(theta: Tensor, step: int) -> tuple[Tensor, ...]:
        c = torch.full((job.networks,), float(here.curve[step]), device=device)
        if drawn is not None:
            return c, next(drawn)
        if kind == "soft_top":
            return c, *_soft_top(job, state, theta, step)
        if reparam.MAPS[kind].ranks is None:
            return (c,)
        return c, ranks.highest(_scores(kind, job.width, theta), counts, job.width)

    return given


def _scores(kind: reparam.Kind, width: int, theta: Tensor) -> Tensor:
    """Return the scores [N, W] by which a map cuts."""
    size, ranked_by = mlp.param_count(width), reparam.MAPS[kind].ranks
    assert ranked_by is not None
    params, numbers = torch.split(theta.detach(), [size, theta.shape[1] - size], 1)
    scores: Tensor = ranked_by(reparam.weights_of(params, TORCH), numbers)
    return scores


def _counts(job: TrainJob, state: TrainState, device: str) -> Tensor:
    """Return the weights kept in all or in each layer, [N, G]; None means all."""
    counts = state.active_counts
    if counts is None:
        counts = np.full((job.networks, 1), mlp.weight_count(job.width))
    return upload(counts, device)


def _soft_top(
    job: TrainJob, state: TrainState, theta: Tensor, step: int
) -> tuple[Tensor, ...]:
    """Return the cut and τ of ``soft_top``, found by the host.

    Newton's steps towards τ end when all rows are close, so this waits for the device.
    """
    here, size = job.plan.weight_map, job.initial.shape[1]
    assert isinstance(here, Reparam)
    values = theta.detach().cpu().numpy()
    pair = values[:, :size], values[:, size:]
    found = reparam.given(here.kind, *pair, here.curve[step], state.active_counts)
    return tuple(upload(array, str(theta.device)) for array in found)


def _uploaded(rows: Iterator[np.ndarray], device: str) -> Iterator[Tensor]:
    """Yield arrays from a device, to which they are copied some at a time."""
    while True:
        yield from upload(np.stack([*islice(rows, AHEAD)]), device).unbind(0)


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
