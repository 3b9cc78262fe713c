"""Schedules of pruning: how many weights are left when part of it is done.

Results are not rounded: how a count is rounded is up to the method.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

Numbers = Float[np.ndarray, "*shape"]
"""Of each network; arguments broadcast, and may be plain numbers."""


def cubic(done: Any, keep: Any, total: int) -> Numbers:
    """Return keep + (total - keep)(1 - done)³ (Zhu & Gupta 2017).

    Args:
        done: Share of the pruning events that have passed, 0 … 1.
        keep: Weights left in the end.
        total: Weights of the network.
    """
    left: Numbers = keep + (total - keep) * (1 - done) ** 3
    return left


def geometric(done: Any, keep: Any, total: int) -> Numbers:
    """Return total · (keep/total)^done: every round keeps the same share.

    Args:
        done: Share of the rounds that have passed, 0 … 1.
        keep: Weights left in the end.
        total: Weights of the network.
    """
    left: Numbers = total * (keep / total) ** done
    return left
