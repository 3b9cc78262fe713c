"""One method's place among the shipped ones, in pairs of equal seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from spiral.errors import StoreError
from spiral.methods.registry import options
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.excess import gaps
from spiral.report.stats.pairwise import pairs
from spiral.report.stats.selection import SIZE, choose
from spiral.report.text import notes as notes_text
from spiral.results import load, store, summary
from spiral.search import best_known as frontier
from spiral.search.best_known import THRESHOLDS

CELL = ["width", SIZE, "lr", "schedule", "seed"]
"""What rows must have in common to be compared."""


@dataclass(frozen=True)
class Ranking:
    """Where a method stands."""

    method: str
    place: int
    """1 + the methods that probably beat it, over all widths and sizes."""
    methods: int
    """With itself."""
    duels: pd.DataFrame
    """Against each other method, the strongest first: ``width`` (null: over all),
    ``method``, ``probability`` that ours beats it, with limits, ``n`` seeds, ``pairs``,
    ``ties``."""
    gaps: pd.DataFrame
    """As of ``compare``, for all methods, with the ``place`` of each by the weights its
    median network needs; equals share one."""
    sizes: pd.DataFrame
    """Lines of ``compare``'s groups for ours, with the ``place`` by median accuracy."""
    notes: list[str]
    widths: list[int]
    """Those over which the place is: where ours has met another method."""
    miscounted: pd.DataFrame
    """Our rows that keep another number of weights than they promise."""


def of_folder(out: Path, method: str, baseline: Sequence[Path] = ()) -> Ranking:
    """Rank the rows of a launch among those of a baseline.

    Args:
        out: The results directory.
        method: Which of its methods.
        baseline: Summaries; ``standard`` as shipped by default.

    Raises:
        StoreError: There are no rows.
    """
    places = [*baseline] or [summary.shipped("standard")]
    found = load.read([out, *places], options())
    planned, _ = store.read_manifest(out, columns=["method"])
    missing = (planned["method"] == method).sum() - (found.rows["folder"] == 0).sum()
    if missing > 0:
        found.notes.append(
            f"{missing:,} configs are missing, the place is among those that are there"
        )
    return of_rows(found.rows, method, frontier.load(), found.notes)


def of_rows(
    rows: pd.DataFrame,
    method: str,
    best_known: pd.DataFrame | None,
    notes: Sequence[str] = (),
) -> Ranking:
    """Rank one method of some rows among the others.

    Only widths, sizes, settings and seeds count that the method has rows of.

    Args:
        rows: Rows as ``load.read`` has them.
        method: Whose place.
        best_known: A frontier, if there is one.
        notes: What is known of the rows.

    Raises:
        StoreError: There are no rows of the method.
    """
    same = _same_cells(rows, method)
    choice = choose(same, ("method", "width"))
    groups = summarise(choice, THRESHOLDS, best_known)
    found = gaps(choice, groups, THRESHOLDS, best_known)
    duels = _duels(same, pairs(choice, method), method)
    over_all = duels[duels["width"].isna()]
    places = groups.groupby(["width", SIZE])["median"].rank("min", ascending=False)
    ours = (groups["method"] == method).to_numpy()
    return Ranking(
        method,
        place=1 + int((over_all["probability"] < 1 / 2).sum()),
        methods=1 + len(over_all),
        duels=duels,
        gaps=found.assign(place=_places(found)),
        sizes=groups.assign(place=places.astype("Int64"))[ours].reset_index(drop=True),
        notes=[*notes, *notes_text.of_ranking(choice, method, best_known)],
        widths=sorted(duels["width"].dropna().astype(int).unique().tolist()),
        miscounted=same[(same["method"] == method) & (same["status"] == "infeasible")],
    )


def _same_cells(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return the rows of all methods in the cells that one has."""
    ours = rows[rows["method"] == method]
    if ours.empty:
        raise StoreError(f"no rows of method {method}")
    cells = pd.MultiIndex.from_frame(ours[CELL])
    return rows[pd.MultiIndex.from_frame(rows[CELL]).isin(cells)].reset_index(drop=True)


def _duels(rows: pd.DataFrame, by_width: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return our meetings with each other method, over all widths and at each."""
    over_all = pairs(choose(rows, ("method",)), method)
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
            "n": both["n"].array,
            "pairs": both["pairs"].array,
            "ties": both["ties"].array,
        }
    )
    return found.sort_values(
        ["width", "probability"], kind="stable", na_position="first", ignore_index=True
    )


def _places(gaps: pd.DataFrame) -> pd.Series:
    """Return each line's place by its median; null for who never reaches."""
    needed = gaps["median"].astype("Float64")
    alike = needed.groupby([gaps["threshold"], gaps["width"]])
    return alike.rank("min").astype("Int64")
