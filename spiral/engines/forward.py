"""What a network runs on where a plan has a weight map (``job.ForwardMask``)."""

import numpy as np
from jaxtyping import Float32

from spiral.model import groups
from spiral.protocol.job import ForwardMask, Params, TrainJob, TrainState


def factor(
    job: TrainJob, state: TrainState, params: Params, step: int
) -> Float32[np.ndarray, "N P"] | None:
    """Return by what the map multiplies parameters at one step.

    Args:
        job: Whose plan has the map.
        state: What the method has said.
        params: The parameters at this step; those of ``state`` may be older.
        step: The step.

    Returns:
        Factors, or None where everything is shown and no map is needed.
    """
    here = job.plan.weight_map
    if not isinstance(here, ForwardMask) or state.active_counts is None:
        return None
    if here.rest[step] == 1:
        return None
    kept = groups.top(params, state.active_counts, job.width, here.scope_at(step))
    return np.where(kept, np.float32(1), np.float32(here.rest[step]))
