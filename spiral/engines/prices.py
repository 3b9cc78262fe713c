"""What a step costs on an engine: models measured on one machine, one core.

All on one core of an AMD EPYC Zen 5, torch 2.13.0, Numba 0.68.1; other machines differ
by a small factor (``sweep.calibration``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from jaxtyping import Float

from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Plan

STEPS = 19_500
"""Of 50 epochs with a batch of 128."""


class Price(Protocol):
    """What an engine's training costs."""

    @property
    def loop_seconds(self) -> float:
        """Of ``STEPS`` steps of a pack of any size, in itself."""

    def step(
        self, width: int, profile: CostProfile, plan: Plan
    ) -> Float[np.ndarray, " N"]:
        """Return the seconds of one step of each network on average, at batch 128."""

    def most_networks(self, width: int) -> float:
        """Return how many networks a pack may hold before it gets slower."""


@dataclass(frozen=True)
class ByWidth:
    """Of engines whose step costs the same whatever the masks."""

    seconds: Mapping[int, float]
    """Of one network of ``STEPS`` steps, by width; between them a power law."""
    extra: Mapping[str, float] = field(default_factory=dict)
    """How much longer a step takes with a weight map, or another optimiser."""
    most: int = 1
    """Networks of a pack; more do not make it faster."""
    most_units: int = 1
    """Networks × width beyond which a pack's activations leave the cache."""
    loop_seconds: float = 0.0

    def step(
        self, width: int, profile: CostProfile, plan: Plan
    ) -> Float[np.ndarray, " N"]:
        """Return the seconds of one step of each network on average, at batch 128."""
        share = profile.share.sum(axis=0)
        found = float(_interpolate(width, self.seconds)) / STEPS * share
        found = found * self.extra.get(plan.optimiser.name, 1.0)
        if plan.weight_map is not None:
            found = found * self.extra.get(plan.weight_map.name, 1.0)
        return found

    def most_networks(self, width: int) -> float:
        """Return how many networks a pack may hold before it gets slower."""
        return min(self.most, self.most_units // width)


@dataclass(frozen=True)
class ByWeights:
    """Of engines whose step costs as much as the weights it trains."""

    nanoseconds: Mapping[int, float]
    """Of one step per parameter, by parameters; between them a power law."""
    step_nanoseconds: float
    """Of one step of a network in itself."""
    factor: float = 1.0
    """On all of it."""
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
        """Return that a network costs the same in a pack of any size."""
        return np.inf


def _interpolate(
    x: float | Float[np.ndarray, "..."], table: Mapping[int, float]
) -> Float[np.ndarray, "..."]:
    """Interpolate a table between its points, on logarithmic axes."""
    points, values = np.array([*table]), np.array([*table.values()])
    return np.exp(np.interp(np.log(x), np.log(points), np.log(values)))
