"""The weights of a network over the course of its training, which decide its cost."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float


class CostProfile(NamedTuple):
    """How many weights train in each part of a training."""

    kept: Float[np.ndarray, "K N"]
    """Weights of each network in each part of the training."""
    share: Float[np.ndarray, "K N"]
    """Share of the steps in each part, divided by the networks that share the part."""

    @classmethod
    def even(cls, kept: Float[np.ndarray, " N"]) -> "CostProfile":
        """Return the profile of networks that keep their weights throughout."""
        return cls(kept[None], np.ones((1, len(kept))))

    @classmethod
    def dense_first(
        cls, weights: int, keep: pd.Series, before: np.ndarray, after: np.ndarray
    ) -> "CostProfile":
        """Return the profile of networks that train all weights, then ``keep``.

        Args:
            weights: Weights of the width.
            keep: Weights kept.
            before: Share of the steps of the dense part.
            after: Share of the steps of the rest.
        """
        kept = keep.to_numpy(np.float64)
        whole = np.full(len(kept), float(weights))
        return cls(np.stack([whole, kept]), np.stack([before, after]))
