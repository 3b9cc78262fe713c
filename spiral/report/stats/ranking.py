"""Rank of one method among the shipped ones, by its normalised gap."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from spiral.errors import StoreError
from spiral.protocol.config import OptionClasses
from spiral.report.stats import notes as notes_text
from spiral.report.stats import scores as scores_of
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.excess import excess_weights
from spiral.report.stats.pairwise import pairwise
from spiral.report.stats.selection import SIZE, choose
from spiral.results import load, old_defaults, store, summary
from spiral.search import best_known as frontier
from spiral.search.best_known import THRESHOLDS

CELL = ["width", SIZE, "lr", "schedule", "seed"]
"""What rows must have in common to be compared. That includes learning rate and
schedule, so that all methods are tuned over the same ones."""


@dataclass(frozen=True)
class Ranking:
    """The rank of a method, and the numbers behind it."""

    method: str
    scores: pd.DataFrame
    """As of ``compare``, for all methods at each width."""
    pairwise: pd.DataFrame
    """Against each other method, the strongest first: ``width`` (null: over all),
    ``method``, ``probability`` that ours is better, with limits, ``p_holm`` that it is
    one half (corrected for all of these), ``n`` seeds, ``pairs``, ``ties``."""
    excess: pd.DataFrame
    """As of ``compare``, for all methods, with the ``rank`` of each by the weights its
    median network needs; ties share one."""
    sizes: pd.DataFrame
    """Lines of ``compare``'s groups for ours, with the ``rank`` by median accuracy."""
    notes: list[str]
    """On the scores and on ours."""
    beside: list[str]
    """Notes on the other tables and methods."""
    widths: list[int]
    """Those over which it is ranked: where ours is compared with another method."""
    miscounted: pd.DataFrame
    """Our rows that keep another number of weights than they promise."""

    @property
    def own(self) -> pd.DataFrame:
        """The scores of ours, a line for each width."""
        return self.scores[self.scores["method"] == self.method]

    @property
    def methods(self) -> int:
        """How many are ranked, ours included."""
        return int(self.scores["method"].nunique())


def of_folder(out: Path, method: str, options: OptionClasses) -> Ranking:
    """Rank the rows of a launch among the shipped ones of ``standard``.

    Args:
        out: The results directory.
        method: Which of its methods.
        options: Those of the methods that this process knows.

    Raises:
        StoreError: There are no rows.
    """
    found = load.read([out, summary.shipped("standard")], options)
    planned, _ = store.read_manifest(out, columns=["method"])
    missing = (planned["method"] == method).sum() - (found.rows["folder"] == 0).sum()
    if missing > 0:
        found.notes.append(
            f"{missing:,} configs are missing; the rank is based on those present"
        )
    rows, old = old_defaults.latest(found.rows, options)
    notes = [*found.notes, *old]
    return of_rows(rows, method, frontier.load(), options, notes)


def of_rows(
    rows: pd.DataFrame,
    method: str,
    best_known: pd.DataFrame | None,
    options: OptionClasses,
    notes: Sequence[str] = (),
) -> Ranking:
    """Rank one method of some rows among the others.

    Compared are only the widths, sizes, settings and seeds that the method has rows of.

    Args:
        rows: Rows as ``load.read`` has them.
        method: Which to rank.
        best_known: A frontier, if there is one.
        options: Those of the methods that this process knows.
        notes: Notes on the rows.

    Raises:
        StoreError: There are no rows of the method.
    """
    same = _same_cells(rows, method)
    choice = choose(same, ("method", "width"))
    groups = summarise(choice, THRESHOLDS, best_known, rows)
    found = excess_weights(choice, groups, THRESHOLDS, best_known)
    compared = pairwise(choice, method)
    plain = scores_of.at_defaults(choice, options)
    table = scores_of.scores(choice, best_known, pairwise(choice), plain)
    against = _against(same, compared, method)
    ranks = groups.groupby(["width", SIZE])["median"].rank("min", ascending=False)
    told = notes_text.gaps(table, choice.by)
    told += notes_text.of_ranking(choice, method)
    beside = notes_text.beside_ranking(choice, groups, method, best_known)
    beside += notes_text.brackets(found)
    beside += notes_text.on_the_curve(choice, found, THRESHOLDS, best_known)
    ours = (groups["method"] == method).to_numpy()
    return Ranking(
        method,
        scores=table,
        pairwise=against,
        excess=found.assign(rank=_ranks(found)),
        sizes=groups.assign(rank=ranks.astype("Int64"))[ours].reset_index(drop=True),
        notes=[*notes, *told],
        beside=beside,
        widths=sorted(against["width"].dropna().astype(int).unique().tolist()),
        miscounted=same[(same["method"] == method) & (same["status"] == "infeasible")],
    )


def _same_cells(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return the rows of all methods in the cells that one has."""
    ours = rows[rows["method"] == method]
    if ours.empty:
        raise StoreError(f"no rows of method {method}")
    cells = pd.MultiIndex.from_frame(ours[CELL])
    return rows[pd.MultiIndex.from_frame(rows[CELL]).isin(cells)].reset_index(drop=True)


def _against(rows: pd.DataFrame, by_width: pd.DataFrame, method: str) -> pd.DataFrame:
    """Compare the method with each other one, over all widths and at each."""
    # Grouped by method alone the width is a stratum, so pairs still have equal widths.
    over_all = pairwise(choose(rows, ("method",)), method)
    both = pd.concat(
        [over_all.assign(width=pd.array([None] * len(over_all), "Int64")), by_width]
    )
    both = both[both[SIZE].isna() & ((both["a"] == method) | (both["b"] == method))]
    turned = (both["b"] == method).to_numpy()
    chance = both[["probability", "low", "high"]].to_numpy(np.float64, copy=True)
    chance[turned] = 1 - chance[turned][:, [0, 2, 1]]
    found = pd.DataFrame(
        {
            "width": both["width"].array,
            "method": np.where(turned, both["a"], both["b"]),
            "probability": chance[:, 0],
            "low": chance[:, 1],
            "high": chance[:, 2],
            "p_holm": both["p_holm"].array,
            "n": both["n"].array,
            "pairs": both["pairs"].array,
            "ties": both["ties"].array,
        }
    )
    return found.sort_values(
        ["width", "probability"], kind="stable", na_position="first", ignore_index=True
    )


def _ranks(excess: pd.DataFrame) -> pd.Series:
    """Return each line's rank by its median; null where it is never reached."""
    needed = excess["median"].astype("Float64")
    alike = needed.groupby([excess["threshold"], excess["width"]])
    return alike.rank("min").astype("Int64")
