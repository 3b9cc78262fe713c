"""Successive halving: train all briefly, continue the best. Not exhaustive.

The share with the lowest loss of each rung survives. Alternatives measured on the
census of 3-3-3: accuracy ranks worse than loss, also for the sparsest hits; ranking
within a number of weights, a seed or a setting loses more hits; ranks after 2 or 3
epochs carry little information (the best third contains half to two thirds of the
trainings that reach 0.9). Trainings that start slowly are lost, more so in small
networks.

Recall of rungs at 5 and 15 of 50 epochs with a share of 0.25, which take 1/4.2 of the
steps of a census and 1/3.6 of its time: hits trained to the end, with a 95 % interval
that treats hits as independent, though they cluster on lucky seeds
(``benchmarks/race.json``)::

    accuracy        3-3-3, 6 settings, 5 seeds    3-2-2, 3 settings, 100 seeds
    best 0.1 %        350 of 372   0.91 … 0.96      70 of 82   0.76 … 0.91
    0.85            1,030 of 1,100 0.92 … 0.95      11 of 15   0.48 … 0.89
    0.9               427 of 453   0.92 … 0.96       4 of 7    0.25 … 0.84
    0.95              163 of 171   0.91 … 0.98       2 of 3    0.21 … 0.94

The fewest weights that reached 0.95 were the same as in the census, 20 and 17.

Source: Jamieson & Talwalkar, AISTATS 2016, for successive halving.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import pandas as pd


class Rules(NamedTuple):
    """The rules of successive halving."""

    rungs: Sequence[int]
    """Epochs after which trainings are selected; a last rung trains to the end."""
    share: float
    """Share of the trainings that survives each rung."""


def survivors(rows: pd.DataFrame, share: float) -> set[str]:
    """Return the configs of a rung that survive: those with the lowest loss.

    Args:
        rows: ``config_id`` and ``loss`` of the whole rung.
        share: Share that survives, 0 … 1, rounded up.
    """
    order = rows.sort_values(["loss", "config_id"])  # NaN (diverged) sorts last
    return {*order["config_id"].iloc[: ceil(share * len(rows))]}
