"""Rounds of magnitude pruning: each keeps the same share of the weights left."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from spiral.methods.parts import counts
from spiral.methods.parts.allocation import Allocation, largest
from spiral.model import mlp
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import View


def prune(view: View, done: float, allocation: Allocation) -> Bool[np.ndarray, "N W"]:
    """Keep the largest weights: as many as are left after a share of the rounds."""
    left = counts.geometric(done, view.keep, mlp.weight_count(view.width))
    return largest(view, np.rint(left).astype(np.int64), allocation)


def cost_profile(
    keep: pd.Series,
    weights: int,
    lengths: Sequence[float],
    sharing: Float[np.ndarray, " N"],
) -> CostProfile:
    """Return the profile of a dense training that networks share, and its rounds.

    Args:
        keep: Weights kept in the end.
        weights: Weights of the width.
        lengths: Of the dense part and of the retraining of each round, in one unit.
        sharing: How many networks share the dense part.
    """
    found = keep.to_numpy(np.float64)
    done = np.arange(len(lengths))[:, None] / (len(lengths) - 1)
    parts = np.array(lengths, float)[:, None]
    share = np.repeat(parts / parts.sum(), len(found), axis=1)
    share[0] /= sharing
    return CostProfile(counts.geometric(done, found, weights), share)
