"""The standings: the shipped methods of one width by their normalised gap."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from spiral.protocol.config import OptionClasses
from spiral.report.stats import budget_matched, differences
from spiral.report.stats import notes as notes_text
from spiral.report.stats import scores as scores_of
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.excess import excess_weights
from spiral.report.stats.pairwise import pairwise
from spiral.report.stats.selection import SHOWN, SIZE, Choice, choose
from spiral.results import load, old_defaults, read, summary
from spiral.search import best_known as frontier
from spiral.search.best_known import THRESHOLDS


class Standings(NamedTuple):
    """Methods at one width, each tuned over the same settings."""

    scores: pd.DataFrame
    """As of ``compare``, the smallest gap first, with ``epochs`` trained in all
    (median)."""
    width: int
    tried: list[int]
    """Weights asked for."""
    settings: dict[str, list[object]]
    """Learning rates and schedules that methods were tuned over."""
    excess: pd.DataFrame
    """As of ``compare``."""
    sizes: pd.DataFrame
    """As ``compare``'s groups."""
    notes: list[str]
    """How settings were chosen, and what differs beyond the methods."""
    caveats: list[str]
    """What readers of the scores alone must know; the notes have it, too."""


WIDTH = 16
"""Of the standings that are shown first: the default of grids."""


def shipped(options: OptionClasses, width: int = WIDTH) -> Standings:
    """Return the standings of the shipped methods at a width."""
    rows = load.at_width(summary.shipped("standard"), options, width)
    rows, old = old_defaults.latest(rows, options)
    return standings(rows, frontier.load(), options, old)


def standings(
    rows: pd.DataFrame,
    best_known: pd.DataFrame,
    options: OptionClasses,
    caveats: Sequence[str] = (),
) -> Standings:
    """Rank the methods of some rows of one width.

    Args:
        rows: Rows as ``load.read`` has them.
        best_known: A frontier.
        options: Those of the methods that this process knows.
        caveats: What readers must know of these rows.
    """
    choice = choose(rows, ("method", "width"))
    found = scores_of.scores(
        choice, best_known, pairwise(choice), scores_of.at_defaults(choice, options)
    )
    epochs = read.epochs(rows).groupby(rows["method"]).median()
    sizes = summarise(choice, THRESHOLDS, best_known, rows)
    excess = excess_weights(choice, sizes, THRESHOLDS, best_known)
    differ = differences.of(choice)
    caveats = [*caveats, *notes_text.degenerate(choice), *notes_text.unequal(choice)]
    return Standings(
        found.assign(epochs=found["method"].map(epochs)),
        int(rows["width"].max()),
        sorted(rows[SIZE].dropna().unique().tolist()),
        _tuned(choice),
        excess,
        sizes,
        [
            *caveats,
            *notes_text.tuned(choice, differ),
            *notes_text.gaps(found, choice.by),
            *differences.unlike(differ),
            *differences.pooled(choice, differ, ways=False),
            *budget_matched.note(choice, sizes),
            *notes_text.brackets(excess),
            *notes_text.on_the_curve(choice, excess, THRESHOLDS, best_known),
        ],
        caveats,
    )


def _tuned(choice: Choice) -> dict[str, list[object]]:
    """Return learning rates and schedules, if methods were tuned over several."""
    tried = {n: choice.rows[n].dropna().unique() for n in SHOWN if n in choice.settings}
    return {n: sorted(each.tolist()) for n, each in tried.items() if len(each) > 1}
