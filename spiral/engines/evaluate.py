"""Evaluation of a pack with torch, shared by two engines."""

import torch
from torch.func import vmap
from torch.nn.functional import softplus

from spiral.model import gradients, mlp
from spiral.protocol.job import Evaluation, TrainJob, TrainState


@torch.no_grad()
def evaluate(job: TrainJob, state: TrainState, device: str, chunk: int) -> Evaluation:
    """Evaluate a pack on all points, ``chunk`` networks at a time."""
    x = torch.tensor(job.x.T.copy(), device=device)
    y = torch.tensor(job.y, device=device).float()
    forward = vmap(
        lambda p: mlp.logits(p, x, job.width, relu=torch.relu), chunk_size=chunk
    )
    correct, loss, entropy = [], [], []
    with gradients.one_thread():
        for start in range(0, job.networks, chunk):
            z = forward(torch.tensor(state.params[start : start + chunk]).to(device))
            correct.append(torch.where(y > 0, z > 0, z < 0).sum(1))
            loss.append((softplus(z) - z * y).double().mean(1))
            size = z.abs()  # -p·log p - (1 - p)·log(1 - p), where nothing cancels
            doubt = softplus(-size) + size * torch.sigmoid(-size)
            entropy.append(doubt.double().mean(1))
    found = (torch.cat(parts).cpu().numpy() for parts in (correct, loss, entropy))
    return Evaluation(*found)
