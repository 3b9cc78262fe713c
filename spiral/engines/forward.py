"""The effective weights of networks under a weight map (``job.ForwardMask``)."""

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from spiral.model import groups
from spiral.protocol.job import ForwardMask, Params, TrainJob, TrainState


def factor(
    job: TrainJob, state: TrainState, params: Params, step: int
) -> Float32[np.ndarray, "N P"] | None:
    """Return the factors by which the map multiplies parameters at one step.

    Args:
        job: The job, whose plan has the map.
        state: The state, with the active counts set by the method.
        params: The parameters at this step; those of ``state`` may be older.
        step: The step.

    Returns:
        Factors, or None if every weight is active and the map has no effect.
    """
    here = job.plan.weight_map
    if not isinstance(here, ForwardMask) or state.active_counts is None:
        return None
    if here.rest[step] == 1:
        return None
    kept = groups.top(params, state.active_counts, job.width, here.scope_at(step))
    return np.where(kept, np.float32(1), np.float32(here.rest[step]))


def of_stored(
    job: TrainJob, gradient: Tensor, weights: Tensor, factor: Tensor | None
) -> Tensor:
    """Return the gradient of stored weights from that of effective weights."""
    here = job.plan.weight_map
    if factor is None or not isinstance(here, ForwardMask):
        return gradient
    gradient = gradient * factor if here.gradient == "chain" else gradient
    return torch.where(factor < 1, gradient + here.pull * weights, gradient)
