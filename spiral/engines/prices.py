"""Models of what a training step costs with an engine.

Measured on one core of an AMD EPYC Zen 5 with torch 2.13.0 and Numba 0.68.1. Other
machines differ by a factor (see ``sweep.calibration``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from jaxtyping import Float

from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Plan

STEPS = 19_500
"""Steps of 50 epochs at batch 128, the unit of the tables."""


class Price(Protocol):
    """The cost of training with an engine."""

    @property
    def loop_seconds(self) -> float:
        """Fixed seconds of ``STEPS`` steps of a pack, whatever its size."""

    def step(
        self, width: int, profile: CostProfile, plan: Plan
    ) -> Float[np.ndarray, " N"]:
        """Return the seconds of one step of each network on average, at batch 128."""

    def most_networks(self, width: int) -> float:
        """Return how many networks a pack may hold before it gets slower."""


@dataclass(frozen=True)
class ByWidth:
    """For engines whose step costs the same whatever the masks."""

    seconds: Mapping[int, float]
    """Width → seconds of one network for ``STEPS`` steps; a power law in between."""
    extra: Mapping[str, float] = field(default_factory=dict)
    """Weight map or optimiser → factor on the time of a step; ``late_…`` for one that
    starts late."""
    most: int = 1
    """Most networks of a pack; more do not make it faster."""
    most_units: int = 1
    """Networks × width beyond which the activations of a pack leave the cache."""
    loop_seconds: float = 0.0

    def step(
        self, width: int, profile: CostProfile, plan: Plan
    ) -> Float[np.ndarray, " N"]:
        """Return the seconds of one step of each network on average, at batch 128."""
        share = profile.share.sum(axis=0)
        found = float(_interpolate(width, self.seconds)) / STEPS * share
        late = "late_" if getattr(plan.optimiser, "since", 0) else ""
        found = found * self.extra.get(late + plan.optimiser.name, 1.0)
        if plan.weight_map is not None:
            found = found * self.extra.get(plan.weight_map.name, 1.0)
        return found

    def most_networks(self, width: int) -> float:
        """Return how many networks a pack may hold before it gets slower."""
        return min(self.most, self.most_units // width)


@dataclass(frozen=True)
class ByWeights:
    """For engines whose step costs in proportion to the weights it trains."""

    nanoseconds: Mapping[int, float]
    """Parameters → nanoseconds of a step per parameter; a power law in between."""
    step_nanoseconds: float
    """Fixed nanoseconds of a step of one network."""
    factor: float = 1.0
    """Factor on the total."""
    loop_seconds: float = 0.0

    def step(
        self, width: int, profile: CostProfile, plan: Plan
    ) -> Float[np.ndarray, " N"]:
        """Return the seconds of one step of each network on average, at batch 128."""
        weights = profile.kept
        slots = weights + np.minimum(3 * width + 1, 0.6 * weights)  # and biases
        each = _interpolate(slots, self.nanoseconds)
        nanoseconds = (self.step_nanoseconds + each * slots) * profile.share
        return 1e-9 * nanoseconds.sum(axis=0) * self.factor

    def most_networks(self, width: int) -> float:
        """Return infinity: a network costs the same in a pack of any size."""
        return np.inf


def _interpolate(
    x: float | Float[np.ndarray, "..."], table: Mapping[int, float]
) -> Float[np.ndarray, "..."]:
    """Interpolate a table between its points, on logarithmic axes."""
    points, values = np.array([*table]), np.array([*table.values()])
    return np.exp(np.interp(np.log(x), np.log(points), np.log(values)))
