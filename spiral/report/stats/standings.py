"""Places of the shipped methods among each other, and how far each is from optimal."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from spiral.methods.registry import options
from spiral.report.stats import differences
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.excess import gaps
from spiral.report.stats.pairwise import pairs
from spiral.report.stats.ranking import CELL
from spiral.report.stats.selection import SIZE, choose
from spiral.results import load, read, summary
from spiral.search import best_known as frontier
from spiral.search.best_known import THRESHOLDS


class Standings(NamedTuple):
    """Who stands where, in the cells (size, setting, seed) all share at one width."""

    places: pd.DataFrame
    """``method``, ``place`` (1 + how many methods win more than half of their meetings
    with it), ``better`` and ``worse`` (than how many it is, with 95 % confidence each),
    fewest ``seeds`` and ``pairs`` of a meeting, ``epochs`` trained in all (median); the
    first place first."""
    width: int
    """The largest width that all share."""
    tried: list[int]
    """Weights asked for."""
    gaps: pd.DataFrame
    """As of ``compare``."""
    sizes: pd.DataFrame
    """As ``compare``'s groups."""
    notes: list[str]
    """What differs beyond the methods."""


def shipped() -> Standings:
    """Return the standings of the shipped methods, each at its defaults."""
    return standings(
        load.read([summary.shipped("standard")], options()).rows, frontier.load()
    )


def standings(rows: pd.DataFrame, best_known: pd.DataFrame) -> Standings:
    """Return who stands where.

    Args:
        rows: Rows as ``load.read`` has them, of up to ``pairwise.MOST`` methods.
        best_known: A frontier.
    """
    shared = _shared(rows)
    width = int(shared["width"].max())
    wide = shared[shared["width"] == width].reset_index(drop=True)
    choice = choose(wide, ("method", "width"))
    meetings = pairs(choice)
    differ = differences.of(choice)
    places = _places(meetings[meetings[SIZE].isna()])
    epochs = read.epochs(wide)
    sizes = summarise(choice, THRESHOLDS, best_known)
    return Standings(
        places.assign(
            epochs=places["method"].map(epochs.groupby(wide["method"]).median())
        ),
        width,
        sorted(wide[SIZE].unique().tolist()),
        gaps(choice, sizes, THRESHOLDS, best_known),
        sizes,
        [*differences.unlike(differ), *differences.pooled(choice, differ, ways=False)],
    )


def _shared(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in cells that every method has."""
    methods = rows.groupby(CELL)["method"].transform("nunique")
    return rows[methods == rows["method"].nunique()].reset_index(drop=True)


def _places(meetings: pd.DataFrame) -> pd.DataFrame:
    """Return the place of each method, given each pair's meeting."""
    chance = meetings[["probability", "low", "high"]].to_numpy(np.float64)
    both = pd.DataFrame(
        {
            "method": np.concatenate([meetings["a"], meetings["b"]]),
            "beaten": np.concatenate([chance[:, 0] < 0.5, chance[:, 0] > 0.5]),
            "better": np.concatenate([chance[:, 1] > 0.5, chance[:, 2] < 0.5]),
            "worse": np.concatenate([chance[:, 2] < 0.5, chance[:, 1] > 0.5]),
            "seeds": np.tile(meetings["n"], 2),
            "pairs": np.tile(meetings["pairs"], 2),
        }
    )
    found = both.groupby("method", as_index=False).agg(
        place=("beaten", "sum"),
        better=("better", "sum"),
        worse=("worse", "sum"),
        seeds=("seeds", "min"),
        pairs=("pairs", "min"),
    )
    found["place"] += 1
    order = ["place", "better", "method"]
    return found.sort_values(order, ascending=[True, False, True], ignore_index=True)
