"""Rank the shipped methods among each other, with their excess over the best known."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from spiral.protocol.config import OptionClasses
from spiral.report.stats import budget_matched, differences
from spiral.report.stats import notes as notes_text
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.excess import excess_weights
from spiral.report.stats.pairwise import pairwise
from spiral.report.stats.ranking import CELL
from spiral.report.stats.selection import SIZE, choose
from spiral.results import load, old_defaults, read, summary
from spiral.search import best_known as frontier
from spiral.search.best_known import THRESHOLDS


class Standings(NamedTuple):
    """Ranks in the cells (size, setting, seed) that all methods share at one width."""

    ranks: pd.DataFrame
    """``method``, ``rank`` (1 + how many methods have a probability of improvement over
    it above one half), ``better`` and ``worse`` (than how many, with 95 % confidence
    each), fewest ``seeds`` and ``pairs`` of a comparison, ``epochs`` trained in all
    (median); best first."""
    width: int
    """The largest width that all share."""
    tried: list[int]
    """Weights asked for."""
    excess: pd.DataFrame
    """As of ``compare``."""
    sizes: pd.DataFrame
    """As ``compare``'s groups."""
    notes: list[str]
    """What differs beyond the methods."""
    caveats: list[str]
    """What readers of the ranks alone must know; the notes have it, too."""


WIDTH = 16
"""Of the shipped standings: the default of grids. Their rows have width 64, too."""


def shipped(options: OptionClasses) -> Standings:
    """Return the standings of the shipped methods, each at its defaults."""
    rows = load.read([summary.shipped("standard")], options).rows
    rows = rows[rows["width"] <= WIDTH].reset_index(drop=True)
    rows = old_defaults.latest(rows, options)
    old = old_defaults.sentences(old_defaults.of(rows, options))
    return standings(rows, frontier.load(), old)


def standings(
    rows: pd.DataFrame, best_known: pd.DataFrame, caveats: Sequence[str] = ()
) -> Standings:
    """Rank the methods of some rows.

    Args:
        rows: Rows as ``load.read`` has them, of up to ``pairwise.MOST`` methods.
        best_known: A frontier.
        caveats: What readers must know of these rows.
    """
    shared = _shared(rows)
    width = int(shared["width"].max())
    wide = shared[shared["width"] == width].reset_index(drop=True)
    choice = choose(wide, ("method", "width"))
    compared = pairwise(choice)
    differ = differences.of(choice)
    ranks = _ranks(compared[compared[SIZE].isna()])
    epochs = read.epochs(wide)
    sizes = summarise(choice, THRESHOLDS, best_known, rows)
    excess = excess_weights(choice, sizes, THRESHOLDS, best_known)
    caveats = [*caveats, *notes_text.degenerate(choice)]
    return Standings(
        ranks.assign(
            epochs=ranks["method"].map(epochs.groupby(wide["method"]).median())
        ),
        width,
        sorted(wide[SIZE].unique().tolist()),
        excess,
        sizes,
        [
            *caveats,
            *differences.unlike(differ),
            *differences.pooled(choice, differ, ways=False),
            *budget_matched.note(choice, sizes),
            *notes_text.brackets(excess),
            *notes_text.on_the_curve(choice, excess, THRESHOLDS, best_known),
        ],
        caveats,
    )


def _shared(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in cells that every method has."""
    methods = rows.groupby(CELL)["method"].transform("nunique")
    return rows[methods == rows["method"].nunique()].reset_index(drop=True)


def _ranks(compared: pd.DataFrame) -> pd.DataFrame:
    """Return the rank of each method, given how each two compare.

    A rank counts the methods that are more often better (as Copeland's rule does), by
    comparisons of equal size and seed alone. Mean accuracies over all sizes would rank
    methods by how many of their networks collapse.
    """
    chance = compared[["probability", "low", "high"]].to_numpy(np.float64)
    both = pd.DataFrame(
        {
            "method": np.concatenate([compared["a"], compared["b"]]),
            "behind": np.concatenate([chance[:, 0] < 0.5, chance[:, 0] > 0.5]),
            "better": np.concatenate([chance[:, 1] > 0.5, chance[:, 2] < 0.5]),
            "worse": np.concatenate([chance[:, 2] < 0.5, chance[:, 1] > 0.5]),
            "seeds": np.tile(compared["n"], 2),
            "pairs": np.tile(compared["pairs"], 2),
        }
    )
    found = both.groupby("method", as_index=False).agg(
        rank=("behind", "sum"),
        better=("better", "sum"),
        worse=("worse", "sum"),
        seeds=("seeds", "min"),
        pairs=("pairs", "min"),
    )
    found["rank"] += 1
    order = ["rank", "better", "method"]
    return found.sort_values(order, ascending=[True, False, True], ignore_index=True)
