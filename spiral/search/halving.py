"""Racing: train all a little, choose, train the chosen on. Not exhaustive.

Of each rung the share of lowest loss goes on. On the census of 3-3-3 loss ranked better
than accuracy, also for the sparsest hits; ranks within a number of weights, a seed or a
setting lost more; and ranks after 2 or 3 epochs say little (a third of all holds half
to two thirds of what reaches 0.9). What starts late is lost, more so in small networks.

Recall of rungs at 5 and 15 of 50 epochs with a share of 0.25, which take 1/4.2 of the
steps of a census and 1/3.6 of its time: hits that it trains to the end, and a 95 %
interval as if hits were independent, though they crowd on lucky seeds
(``benchmarks/race.json``)::

    accuracy        3-3-3, 6 settings, 5 seeds    3-2-2, 3 settings, 100 seeds
    best 0.1 %        350 of 372   0.91 … 0.96      70 of 82   0.76 … 0.91
    0.85            1,030 of 1,100 0.92 … 0.95      11 of 15   0.48 … 0.89
    0.9               427 of 453   0.92 … 0.96       4 of 7    0.25 … 0.84
    0.95              163 of 171   0.91 … 0.98       2 of 3    0.21 … 0.94

The fewest weights that reached 0.95 were the same, 20 and 17.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import pandas as pd


class Rules(NamedTuple):
    """How a race chooses."""

    rungs: Sequence[int]
    """Epochs after which it does; the last rung trains to the end."""
    share: float
    """What goes on from a rung to the next."""


def survivors(rows: pd.DataFrame, share: float) -> set[str]:
    """Return the configs of a rung that go on: those of lowest loss.

    Args:
        rows: ``config_id`` and ``loss`` of the whole rung.
        share: How many go on, 0 … 1, rounded up.
    """
    order = rows.sort_values(["loss", "config_id"])  # NaN, which diverged, is last
    return {*order["config_id"].iloc[: ceil(share * len(rows))]}
