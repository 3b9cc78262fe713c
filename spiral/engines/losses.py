"""The loss of a network with adapters or a learned weight map, alone and in packs.

θ denotes all that trains: the trainable parameters and the adapters, if there are any.
The numbers s of a learned weight map (``protocol.reparam``) are adapters, too.
"""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap

from spiral.engines import reparam
from spiral.engines.traced import GRAPHS, Step, trace
from spiral.model import gradients, mlp
from spiral.protocol import adapters
from spiral.protocol.adapters import LowRank
from spiral.protocol.job import Reparam, TrainJob
from spiral.protocol.reparam import Setting, count


class Losses(NamedTuple):
    """What defines the loss of a network, hashable."""

    map: LowRank | Setting | None
    smoothing: float

    @classmethod
    def of(cls, job: TrainJob) -> "Losses":
        """Return that of a job."""
        here = job.plan.weight_map
        if isinstance(here, Reparam):
            return cls(here.setting, job.plan.label_smoothing)
        here = here if isinstance(here, LowRank) else None
        return cls(here, job.plan.label_smoothing)

    def plain(self) -> "Losses":
        """Return these without label smoothing and the penalty of a weight map."""
        here = self.map
        here = here._replace(penalty=0.0) if isinstance(here, Setting) else here
        return Losses(here, 0.0)


@lru_cache(maxsize=GRAPHS)
def graph(
    pack: tuple[int, int, int], losses: Losses, device: str, slopes: bool
) -> Step:
    """Trace the gradients, or the losses, of a pack of networks, width and batch.

    They map θ [N, P+Q], x, y and what is beside them to [N, P+Q] or [N].
    """
    networks, width, batch = pack
    one = loss_of_one(width, losses)
    size, own, kinds = mlp.param_count(width), 0, {3: torch.bool}
    more: list[tuple[int, ...]] = [(networks, size)]  # the masks
    if isinstance(losses.map, Setting):
        own = count(width, losses.map.kind)
        more, kinds = reparam.more(networks, width, losses.map.kind)
    elif isinstance(losses.map, LowRank):
        own = adapters.count(width, losses.map)
    shapes = [(networks, size + own), (networks, 2, batch), (networks, batch), *more]
    return trace(vmap(grad(one) if slopes else one), shapes, device, kinds)


def loss_of_one(width: int, losses: Losses) -> Step:
    """Return the loss of one network: (θ [P+Q], x [2, B], y [B], …) → scalar.

    What follows the batch is what ``reparam.given`` returns for learned weight maps,
    else the mask [P].
    """
    here, size = losses.map, mlp.param_count(width)
    if isinstance(here, Setting):
        return reparam.loss_of_one(width, here, losses.smoothing)
    of_params = gradients.loss_of_one(width, losses.smoothing)

    def loss(theta: Tensor, x: Tensor, y: Tensor, kept: Tensor) -> Tensor:
        params = theta[:size]
        if here is not None:
            params = adapters.effective(params, kept, theta[size:], here, torch.cat)
        return of_params(params, x, y)

    return loss
