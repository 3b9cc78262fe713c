"""Schedules of pruning: when to prune, and how many weights are left after part of it.

Counts are not rounded: that is up to the method.
"""

from math import ceil
from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic import Field

from spiral.protocol.config import origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget

Numbers = Float[np.ndarray, "*shape"]
"""Of each network; arguments broadcast, and may be plain numbers."""


AT_EPOCH: Any = Field(
    None,
    ge=0,
    description="epoch before which to prune; None: half-way",
    json_schema_extra=unit("epochs") | origin("ours"),
)
"""The option ``at_epoch`` of methods that prune once."""


def pruning_step(budget: Budget, at_epoch: int | None) -> int:
    """Return the step before epoch ``at_epoch``, or before the middle one."""
    epoch = budget.epochs // 2 if at_epoch is None else at_epoch
    return epoch * budget.steps_per_epoch


def cubic(done: Any, keep: Any, total: Any) -> Numbers:
    """Return keep + (total - keep)(1 - done)³ (Zhu & Gupta 2017).

    Args:
        done: Share of the pruning events that have passed, 0 … 1.
        keep: Weights left in the end.
        total: Weights of the network, or those kept at first.
    """
    left: Numbers = keep + (total - keep) * (1 - done) ** 3
    return left


def cubic_profile(keep: Numbers, total: Any, end: Numbers) -> CostProfile:
    """Return the profile of the cubic until a fraction of training, in eight parts."""
    done = (np.arange(8)[:, None] + 0.5) / 8
    kept = np.concatenate([cubic(done, keep, total), keep[None]])
    share = np.concatenate([np.repeat(end[None] / 8, 8, axis=0), 1 - end[None]])
    return CostProfile(kept, share)


def geometric(done: Any, keep: Any, total: int) -> Numbers:
    """Return total · (keep/total)^done: every round keeps the same share.

    Args:
        done: Share of the rounds that have passed, 0 … 1.
        keep: Weights left in the end.
        total: Weights of the network.
    """
    left: Numbers = total * (keep / total) ** done
    return left


def left_at_rate(level: int, total: int, rate: float) -> int:
    """Return the weights left after some levels, each of which removes a share of them.

    What a level removes is rounded up: at least one weight.
    """
    for _ in range(level):
        total -= ceil(rate * total)
    return total


def levels_needed(total: int, keep: int, rate: float) -> int:
    """Return after how many levels no more than ``keep`` weights are left."""
    levels = 1
    while left_at_rate(levels, total, rate) > keep:
        levels += 1
    return levels
