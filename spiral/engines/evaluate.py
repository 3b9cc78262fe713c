"""Evaluation of a pack with torch, shared by two engines."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from spiral.engines.devices import download, exact, upload
from spiral.engines.traced import traced_logits
from spiral.model import gradients
from spiral.protocol.job import Evaluation, TrainJob, TrainState

MOST_BYTES = 64 * 2**20
"""Upper bound of one hidden layer's activations while evaluating."""


@torch.no_grad()
def evaluate(
    job: TrainJob, state: TrainState, device: str, together: int | None = None
) -> Evaluation:
    """Evaluate a pack on all points of its task.

    Args:
        job: The pack.
        state: Its networks.
        device: Where to compute.
        together: Networks to evaluate at once; by default as many as fit.
    """
    with gradients.one_thread(), exact():
        correct, *sums = map(download, sums_of(job, state, device, together))
    return Evaluation(correct, *(found / job.task.points for found in sums))


def sums_of(
    job: TrainJob, state: TrainState, device: str, together: int | None = None
) -> list[Tensor]:
    """Return correct points, summed loss and entropy of networks, on the device."""
    # At least the 65,536 points that fit at width 256: smaller tasks are never cut
    block = MOST_BYTES // (4 * job.width)
    x = upload(job.x.T.copy(), device)
    y = upload(job.y.astype(np.float32), device)
    parts, size = [], together or max(1, block // job.task.points)
    for params in torch.split(upload(state.params, device), size):
        pieces = zip(torch.split(x, block, 1), torch.split(y, block), strict=True)
        each = [_sums(params, *piece, job.width) for piece in pieces]
        parts.append([sum(found) for found in zip(*each, strict=True)])
    return [torch.cat(each) for each in zip(*parts, strict=True)]


def _sums(
    params: Tensor, x: Tensor, y: Tensor, width: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the correct points of each network, its summed loss and entropy."""
    device = params.device.type
    z = traced_logits(len(params), width, x.shape[1], device)(params, x)
    correct = torch.where(y > 0, z > 0, z < 0).sum(1)
    loss = (softplus(z) - z * y).double().sum(1)
    size = z.abs()  # -p·log p - (1 - p)·log(1 - p), where nothing cancels
    doubt = softplus(-size) + size * torch.sigmoid(-size)
    return correct, loss, doubt.double().sum(1)
