"""What the two torch engines share: one thread, the loss of one network, evaluation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import vmap
from torch.nn.functional import softplus

from spiral import mlp
from spiral.job import Evaluation, TrainJob, TrainState


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, so that sums have one order whatever the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def loss_of_one(
    width: int, smoothing: float
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the loss of one network: (params [P], x [2, B], y [B]) → scalar.

    Binary cross-entropy with logits, log(1 + exp(z)) - z·y', with the smoothed target
    y' = y(1 - ε) + ε/2.
    """

    def loss(params: Float[Tensor, " P"], x: Tensor, y: Tensor) -> Tensor:
        z = mlp.logits(params, x, width, relu=torch.relu)
        target = y if smoothing == 0 else y * (1 - smoothing) + smoothing / 2
        return (softplus(z) - z * target).mean()

    return loss


@torch.no_grad()
def evaluate(job: TrainJob, state: TrainState, device: str, chunk: int) -> Evaluation:
    """Evaluate a pack on all points, ``chunk`` networks at a time."""
    x = torch.tensor(job.x.T.copy(), device=device)
    y = torch.tensor(job.y, device=device).float()
    forward = vmap(
        lambda p: mlp.logits(p, x, job.width, relu=torch.relu), chunk_size=chunk
    )
    correct, loss = [], []
    with one_thread():
        for start in range(0, job.networks, chunk):
            z = forward(torch.tensor(state.params[start : start + chunk]).to(device))
            correct.append(torch.where(y > 0, z > 0, z < 0).sum(1))
            loss.append((softplus(z) - z * y).double().mean(1))
    return Evaluation(
        torch.cat(correct).cpu().numpy().astype(np.int64), torch.cat(loss).cpu().numpy()
    )
