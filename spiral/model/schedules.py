"""Learning-rate schedules: a factor per step, constant within an epoch but for ramps.

A schedule maps epoch numbers 0 … E-1 to factors of the base learning rate. Milestones
are fractions of E, so that a shorter or longer budget keeps its shape; at the paper's
50 epochs they are 15 and 30.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

Factors = Float[np.ndarray, " E"]


def constant(epochs: int) -> Factors:
    """Factor 1 throughout."""
    return np.ones(epochs)


def cosine(epochs: int) -> Factors:
    """Half a cosine from 1 towards 0 (small but positive in the last epoch)."""
    return (1 + np.cos(np.pi * np.arange(epochs) / epochs)) / 2


def step(epochs: int) -> Factors:
    """Factor 1, then 0.1 from 30 %, then 0.01 from 60 % of the epochs."""
    tenths = 10 * np.arange(epochs)
    return 0.1 ** ((tenths >= 3 * epochs).astype(int) + (tenths >= 6 * epochs))


def ramp(steps: int, warmup: int = 0) -> Float[np.ndarray, " T"]:
    """Linear, step by step: from 1e-4 to 1 in ``warmup`` steps, then towards 0."""
    places, factors = [0, warmup, steps], [1e-4, 1.0, 0.0]
    begin = 0 if warmup else 1
    return np.interp(np.arange(steps), places[begin:], factors[begin:])


SCHEDULES: dict[str, Callable[[int], Factors]] = {
    "constant": constant,
    "cosine": cosine,
    "step": step,
}


def curves(epochs: int, steps_per_epoch: int) -> dict[str, Float[np.ndarray, " T"]]:
    """Return every schedule as a factor per step.

    Args:
        epochs: Length of the training.
        steps_per_epoch: Training steps of one epoch.
    """
    return {
        name: np.repeat(schedule(epochs), steps_per_epoch)
        for name, schedule in SCHEDULES.items()
    }
