"""Rows to numbers: how far from the optimum each group is, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from spiral.errors import ConfigError
from spiral.methods.registry import options
from spiral.report.stats import differences, mask_distance
from spiral.report.stats.ablation import worth
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.excess import gaps
from spiral.report.stats.pairwise import pairs
from spiral.report.stats.row_filter import select
from spiral.report.stats.selection import SHOWN, choose
from spiral.report.text import notes as notes_text
from spiral.results import load
from spiral.search import best_known as frontier

BY = ("method", "width")


@dataclass(frozen=True)
class Question:
    """What to compare, and how."""

    by: Sequence[str] = BY
    """Config columns that make groups, the one to compare first."""
    thresholds: Sequence[float] = frontier.THRESHOLDS
    """Accuracies over 0.5 and up to 1."""
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Columns, or axes of the taxonomy of methods, and values that rows must have."""
    honest: bool = False
    """Whether settings are chosen on half of the seeds and the other half reported."""
    frontier: Path | None = None
    """The file; the shipped one, if there is one, by default."""
    masks: int | None = None
    """How many masks of each line are held against the optimal ones (see ``near``)."""

    def __post_init__(self) -> None:
        """Refuse thresholds that make no sense."""
        if not self.thresholds or not all(0.5 < t <= 1 for t in self.thresholds):
            raise ConfigError(
                f"thresholds must be over 0.5 and up to 1, got {[*self.thresholds]}"
            )


@dataclass(frozen=True)
class Comparison:
    """Tables that answer one question each, and what to know about them."""

    question: Question
    tables: dict[str, pd.DataFrame]
    """``gaps``: weights more than the optimum, a line for each threshold and group of
    all sizes; ``groups``: how good each group is; ``pairs``: which of two is better;
    ``masks``: what masks are worth without their weights (see ``worth``);
    ``distances``: how far masks are from optimal ones."""
    notes: list[str]
    conditions: list[str] = field(default_factory=list)
    """Columns of ``gaps`` and ``groups`` that are there because lines differ in them
    beyond what was asked (see ``conditions``)."""


def of_folders(folders: Sequence[Path], question: Question | None = None) -> Comparison:
    """Compare the rows of launches, each config once.

    Args:
        folders: Results directories, or summaries of them.
        question: What to compare.

    Raises:
        ConfigError: A column, a threshold or an axis makes no sense, or no row is left.
        StoreError: A folder holds no rows, or the file no frontier.
    """
    question = question or Question()
    rows, notes = load.read(folders, options())
    if any(folder.is_file() for folder in folders):  # a summary has no masks
        question = replace(question, masks=0)
    rows = select(rows, question.where)
    read_masks = partial(load.masks, folders)
    found = of_rows(rows, question, best_known(question), read_masks)
    return replace(found, question=question, notes=[*notes, *found.notes])


def best_known(question: Question) -> pd.DataFrame | None:
    """Return the frontier asked for, or the shipped one, if there is one.

    Raises:
        StoreError: The file holds no frontier.
    """
    if question.frontier or frontier.SHIPPED.exists():
        return frontier.load(question.frontier)
    return None


def of_rows(
    rows: pd.DataFrame,
    question: Question,
    known: pd.DataFrame | None = None,
    read_masks: mask_distance.ReadMasks | None = None,
) -> Comparison:
    """Compare rows.

    Args:
        rows: Config columns and ``read.MEASURED``.
        question: What to compare.
        known: A frontier, if there is one.
        read_masks: Reads the masks of rows; without it there are no distances.

    Raises:
        ConfigError: A column makes no sense.
    """
    choice = choose(rows, question.by, question.honest)
    groups = summarise(choice, question.thresholds, known)
    lines = gaps(choice, groups, question.thresholds, known)
    differ = differences.of(choice)
    told = differences.columns(choice, lines, differ)
    tables = {
        "gaps": lines.assign(**told),
        "groups": groups.assign(
            **differences.columns(choice, groups, differ).drop(
                columns=[*SHOWN],
                errors="ignore",  # these it has, as numbers
            )
        ),
        "pairs": pairs(choice),
        "masks": worth(rows, known),
        "distances": pd.DataFrame(),
    }
    if known is not None and read_masks is not None:
        tables["distances"] = mask_distance.distances(
            choice, groups, question.thresholds, known, read_masks, question.masks
        )
    notes = notes_text.of(choice, groups, question.honest, known, differ)
    if question.masks is None and len(tables["gaps"]) > mask_distance.SAMPLE:
        notes.append(
            f"no distances, there are over {mask_distance.SAMPLE} lines: "
            "--distances N looks at N masks of each"
        )
    return Comparison(question, tables, notes, [*told])


def over_size(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a line for each method, width and size, for figures."""
    return summarise(choose(rows, BY))
