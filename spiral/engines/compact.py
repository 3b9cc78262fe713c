"""Networks without their dead units: units that are masked completely cost nothing.

A pack of wide networks that use few units becomes a pack of narrow ones, each with its
own units moved to the front; afterwards the parameters go back to their places. A unit
is dead if nothing of it is kept: no incoming weight, no bias, no outgoing weight.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int

from spiral import mlp
from spiral.job import Mask, TrainJob, TrainState

WIDTHS = (4, 8, 16, 32, 64, 128)
"""Widths to shrink to: few, since an engine may prepare itself for each."""


@dataclass(frozen=True)
class Compact:
    """Where the parameters of the narrow networks lie in the wide ones."""

    width: int
    index: Int[np.ndarray, "N Q"]
    """Parameter of the wide network; 0 where there is none."""
    real: Bool[np.ndarray, "N Q"]
    """False where a network has fewer live units than others of its pack."""

    def take(self, values: np.ndarray) -> np.ndarray:
        """Return [N, Q] values of the narrow networks; 0 where there are none."""
        taken = np.take_along_axis(values, self.index, axis=1)
        return np.where(self.real, taken, np.zeros((), values.dtype))

    def put(self, values: np.ndarray, narrow: np.ndarray) -> np.ndarray:
        """Return the values of the wide networks [N, P] with those that were taken."""
        result = values.copy()
        rows, columns = np.nonzero(self.real)
        result[rows, self.index[rows, columns]] = narrow[rows, columns]
        return result

    def job(self, job: TrainJob) -> TrainJob:
        """Return the job of the narrow networks."""
        return replace(job, width=self.width, initial=self.take(job.initial))

    def state(self, state: TrainState) -> TrainState:
        """Return the state of the narrow networks."""
        return replace(
            state,
            params=self.take(state.params),
            momentum=self.take(state.momentum),
            masks=self.take(state.masks),
            trainable=None if state.trainable is None else self.take(state.trainable),
        )


def compact(masks: Mask, width: int) -> Compact | None:
    """Return how to shrink a pack to at most half its width, or None if it does not."""
    live = live_units(masks, width)
    most = int(live.sum(axis=2).max())
    narrow = next((w for w in WIDTHS if most <= w <= width // 2), None)
    if narrow is None:
        return None
    order = np.argsort(~live, axis=2, kind="stable")[:, :, :narrow]
    real = np.take_along_axis(live, order, axis=2)
    networks = len(masks)
    ends = np.ones((networks, mlp.INPUTS), bool), np.ones((networks, 1), bool)
    units = [np.tile(np.arange(mlp.INPUTS), (networks, 1)), *order.transpose(1, 0, 2)]
    alive = [ends[0], *real.transpose(1, 0, 2)]
    units.append(np.zeros((networks, 1), int))
    alive.append(ends[1])
    index, exists = [], []
    for i, layer in enumerate(mlp.layers(width)):
        rows, columns = units[i + 1], units[i]
        places = layer.weights.start + rows[:, :, None] * layer.inputs
        index += [(places + columns[:, None, :]).reshape(networks, -1)]
        index += [layer.biases.start + rows]
        both = alive[i + 1][:, :, None] & alive[i][:, None, :]
        exists += [both.reshape(networks, -1), alive[i + 1]]
    found = np.concatenate(exists, axis=1)
    return Compact(narrow, np.where(found, np.concatenate(index, axis=1), 0), found)


def live_units(masks: Mask, width: int) -> Bool[np.ndarray, "N 3 w"]:
    """Return the hidden units of which anything is kept."""
    parts = mlp.matrices(masks, width)
    found = [
        weights.any(axis=2) | biases | following.any(axis=1)
        for (weights, biases), (following, _) in pairwise(parts)
    ]
    return np.stack(found, axis=1)
