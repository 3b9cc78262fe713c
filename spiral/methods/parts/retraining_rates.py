"""Retraining after pruning: its learning rates, its length, its momentum.

All follow from the curve of the dense training, whose largest and smallest factor are
η_max and η_min, and from the number of steps n. But for ``ft`` and ``lrw`` a tenth of
the steps warms up along half a cosine; n' steps are left:

- ``ft`` (Han et al. 2015): η_min throughout;
- ``lrw`` (Renda et al. 2020): the last n factors again;
- ``slr`` (Le & Hua 2021): the whole curve, compressed to n' steps;
- ``clr`` (Le & Hua 2021): a cosine from η_max to η_min;
- ``llr`` (Zimmer et al. 2023): linear from η_max to 0;
- ``allr`` (Zimmer et al. 2023): the same, times a factor of each network that
  :func:`adaptive` finds at the pruning. The curve is known before training; the factor
  is what the engine multiplies it with from then on.

Source: Zimmer, Spiegel & Pokutta, ICLR 2023, arXiv:2111.00843. The authors' schedulers
apply the first factor after the warm-up twice and so lag by a step; ours do not.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from pydantic import Field

from spiral.model import masks
from spiral.protocol.job import View

Retraining = Literal["ft", "lrw", "slr", "clr", "llr", "allr"]
Buffers = Literal["reset", "kept"]
Curve = Float[np.ndarray, " T"]

WARMUP = 0.1
"""Share of the retraining in which the learning rate rises."""


def buffers_option(default: Buffers) -> Any:
    """Return the option ``buffers`` of methods that prune during training."""
    text = "momentum when weights come back, or when they are pruned"
    return Field(default, description=text)


def a_tenth(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Let each retraining take a tenth of the epochs, at least one."""
    return {"retrain_epochs": (table["epochs"] // 10).clip(lower=1)}


def curve(kind: Retraining, dense: Curve, steps: int) -> Curve:
    """Return the learning-rate factors of one retraining.

    Args:
        kind: See the module.
        dense: Factors of the dense training; ``lrw`` needs at least ``steps``.
        steps: How long the retraining is.
    """
    if kind == "ft":
        return np.full(steps, dense.min())
    if kind == "lrw":
        return dense[len(dense) - steps :]
    warm = int(WARMUP * steps)
    rise = dense.max() * (1 - np.cos(np.pi * np.arange(warm) / max(1, warm))) / 2
    return np.concatenate([rise, AFTER_WARMUP[kind](dense, steps - warm)])


def _resampled(dense: Curve, steps: int) -> Curve:
    return dense[np.arange(steps) * len(dense) // max(1, steps)]


def _cosine(dense: Curve, steps: int) -> Curve:
    low, high = dense.min(), dense.max()
    fall = (1 + np.cos(np.pi * np.arange(steps) / max(1, steps))) / 2
    return low + (high - low) * fall


def _linear(dense: Curve, steps: int) -> Curve:
    return dense.max() * (1 - np.arange(steps) / max(1, steps))


AFTER_WARMUP: dict[str, Callable[[Curve, int], Curve]] = {
    "slr": _resampled,
    "clr": _cosine,
    "llr": _linear,
    "allr": _linear,
}


def adaptive(
    view: View, kept: Bool[np.ndarray, "N W"], share: float
) -> Float[np.ndarray, " N"]:
    """Return the factor of ``allr``: min(1, max(d1, d2)).

    d1 = ‖dropped weights‖ / (‖all parameters‖ √q), for q the share of the weights left
    that this pruning drops; d2 is the retraining's length as a share of the dense one.
    What is dropped by magnitude is below average, so d1 is at most 1.

    Args:
        view: The networks just before the pruning.
        kept: The weights that stay.
        share: d2.
    """
    before = masks.of_weights(view.masks, view.width)
    weights = masks.of_weights(view.params, view.width).astype(np.float64)
    dropped = np.linalg.norm(np.where(kept, 0, weights), axis=1)
    every = np.linalg.norm(view.params.astype(np.float64), axis=1)
    left = before.sum(axis=1)
    q = (left - kept.sum(axis=1)) / left
    measured = dropped / (every * np.sqrt(q))  # NaN where nothing is dropped
    found: Float[np.ndarray, " N"] = np.minimum(1, np.fmax(measured, share))
    return found
