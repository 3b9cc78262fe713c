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

EDGE = 1e-6
"""Uniform noise lies between this and 1 minus this (Louizos et al. 2018)."""

Loss = Callable[..., Tensor]


class Now(NamedTuple):
    """What a weight map reads at one step."""

    curve: Tensor  # c, a float64 number
    noise: Tensor  # logits [N, W], empty without it


def loss_of_one(width: int, setting: Setting, smoothing: float = 0.0) -> Loss:
    """Return the loss of one network: (θ [P+Q], x [2, B], y [B], c, …) → scalar.

    θ joins parameters and s; what follows c is what the map needs besides
    (:func:`given`).
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
        shapes: Those of what :func:`given` returns.
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
    found = [Part(slice(size))]
    if reparam.count(job.width, here.kind):  # Adam of torch refuses empty tensors
        found.append(Part(slice(size, None), here.rate, float(here.decays)))
    return found


def columns(job: TrainJob) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors on learning rate and L2 penalty of θ, each [P+Q] or [1]."""
    here = job.plan.weight_map
    if not isinstance(here, Reparam):
        return np.ones(1, np.float32), np.ones(1, np.float32)
    size = job.initial.shape[1] + reparam.count(job.width, here.kind)
    pace, decay = np.ones((2, size), np.float32)
    for part in parts(job):
        pace[part.columns], decay[part.columns] = part.pace, part.decay
    return pace, decay


def bounded(theta: Tensor, size: int, bound: float | None) -> Tensor:
    """Return θ [..., P+Q] with s within its bound, behind parameters of some size."""
    if bound is None:
        return theta
    params, numbers = torch.split(theta, [size, theta.shape[-1] - size], -1)
    return torch.cat([params, numbers.clamp(-bound, bound)], -1)


def given(
    kind: reparam.Kind, width: int, theta: Tensor, counts: Tensor, now: Now
) -> tuple[Tensor, ...]:
    """Return what losses take beside the batch: c [N], and ``reparam.given`` or noise.

    Args:
        kind: The map.
        width: The width of the networks.
        theta: θ [N, P+Q].
        counts: Weights kept in all, or in each layer, [N, G].
        now: What this step reads.
    """
    c = now.curve.float().repeat(len(theta))
    if reparam.MAPS[kind].noise:
        return c, now.noise
    if reparam.MAPS[kind].ranks is None:
        return (c,)
    scores = _scores(kind, width, theta)
    kept = ranks.highest(scores, counts, width)
    if kind != "soft_top":
        return c, kept
    threshold = ranks.threshold(scores.double(), now.curve, kept)
    return c, kept, threshold.float().unsqueeze(1)


def _scores(kind: reparam.Kind, width: int, theta: Tensor) -> Tensor:
    """Return the scores [N, W] by which a map cuts."""
    size, ranked_by = mlp.param_count(width), reparam.MAPS[kind].ranks
    assert ranked_by is not None
    params, numbers = torch.split(theta.detach(), [size, theta.shape[1] - size], 1)
    scores: Tensor = ranked_by(reparam.weights_of(params, TORCH), numbers)
    return scores


def counts_of(job: TrainJob, state: TrainState) -> np.ndarray:
    """Return the weights kept in all or in each layer, [N, G]; None means all."""
    if state.active_counts is None:
        return np.full((job.networks, 1), mlp.weight_count(job.width))
    return state.active_counts


def reader(
    job: TrainJob, start: int, device: str
) -> Callable[[int, int], Iterator[Tensor]]:
    """Return a function from steps to c [S], float64, and noise [S, N, W], if any.

    It must be called for steps in turn, from ``start`` on: the host draws the noise.
    """
    here = job.plan.weight_map
    drawn = noise(job, start) if noisy(job) else None

    def read(first: int, last: int) -> Iterator[Tensor]:
        curve = np.ones(last - first)
        if isinstance(here, Reparam):
            curve = here.curve[first:last].astype(np.float64)
        yield upload(curve, device)
        empty = np.empty((last - first, 0), np.float32)
        rows = empty if drawn is None else np.stack([*islice(drawn, last - first)])
        yield upload(rows, device)

    return read


def noisy(job: TrainJob) -> bool:
    """Return whether a job's weight map draws noise."""
    here = job.plan.weight_map
    return isinstance(here, Reparam) and reparam.MAPS[here.kind].noise


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
