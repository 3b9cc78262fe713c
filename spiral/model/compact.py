"""Networks without their dead units: wide networks that use few units become narrow.

Live units move to the front of each layer; after training, parameters return to their
places. A unit is dead if none of its incoming weights, bias and outgoing weights is
kept.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int

from spiral.model import mlp
from spiral.model.masks import Mask

WIDTHS = (4, 8, 16, 32, 64, 128)
"""Widths to shrink to; few, because an engine may compile code for each."""


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


def widths(masks: Mask, width: int) -> Int[np.ndarray, " N"]:
    """Return the width to which each network shrinks.

    One of ``WIDTHS`` that is at most half of the network's own, or its own. A function
    of its mask alone, so that a row does not depend on the other networks of the pack.
    """
    most = live_units(masks, width).sum(axis=2).max(axis=1)
    choices = np.array([w for w in WIDTHS if w <= width // 2] + [width])
    return choices[np.searchsorted(choices[:-1], most)]


def compact(masks: Mask, width: int, narrow: int) -> Compact:
    """Return how to shrink networks to width ``narrow``."""
    live = live_units(masks, width)
    order = np.argsort(~live, axis=2, kind="stable")[:, :, :narrow]
    real = np.take_along_axis(live, order, axis=2)
    networks = len(masks)
    inputs = np.tile(np.arange(mlp.INPUTS), (networks, 1))
    output = np.zeros((networks, 1), int)
    units = [inputs, *order.transpose(1, 0, 2), output]
    alive = [inputs >= 0, *real.transpose(1, 0, 2), output >= 0]
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
