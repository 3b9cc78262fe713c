"""Evaluation of a pack with torch, shared by two engines."""

import torch
from torch import Tensor
from torch.func import vmap
from torch.nn.functional import softplus

from spiral.model import gradients, mlp
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
    # At least the 65,536 points that fit at width 256: smaller tasks are never cut
    block = MOST_BYTES // (4 * job.width)
    x = torch.tensor(job.x.T.copy(), device=device)
    y = torch.tensor(job.y, device=device).float()
    parts = []
    with gradients.one_thread():
        size = together or max(1, block // job.task.points)
        for some in torch.split(torch.tensor(state.params), size):
            params = some.to(device)
            pieces = zip(torch.split(x, block, 1), torch.split(y, block), strict=True)
            each = [_sums(params, *piece, job.width) for piece in pieces]
            parts.append([sum(found) for found in zip(*each, strict=True)])
    correct, *sums = (torch.cat(each).cpu() for each in zip(*parts, strict=True))
    return Evaluation(correct.numpy(), *(s.numpy() / job.task.points for s in sums))


def _sums(
    params: Tensor, x: Tensor, y: Tensor, width: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the correct points of each network, its summed loss and entropy."""
    z = vmap(lambda p: mlp.logits(p, x, width, relu=torch.relu))(params)
    correct = torch.where(y > 0, z > 0, z < 0).sum(1)
    loss = (softplus(z) - z * y).double().sum(1)
    size = z.abs()  # -p·log p - (1 - p)·log(1 - p), where nothing cancels
    doubt = softplus(-size) + size * torch.sigmoid(-size)
    return correct, loss, doubt.double().sum(1)
