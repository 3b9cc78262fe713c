"""Compare groups of rows: excess weights over the best known, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from spiral.errors import ConfigError
from spiral.protocol.config import OptionClasses
from spiral.protocol.methods import Methods
from spiral.report.stats import (
    differences,
    mask_distance,
    on_curve,
    row_filter,
    scores,
)
from spiral.report.stats import notes as notes_text
from spiral.report.stats.ablation import ablation
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.excess import excess_weights
from spiral.report.stats.pairwise import pairwise
from spiral.report.stats.selection import SHOWN, TASK, Choice, choose, task_of
from spiral.results import load, old_defaults
from spiral.search import best_known as frontier
from spiral.tasks import catalogue

BY = ("method", "width")


@dataclass(frozen=True)
class Question:
    """What to compare, and how."""

    by: Sequence[str] = BY
    """Config columns that make groups, the one to compare first."""
    thresholds: Sequence[float] = frontier.THRESHOLDS
    """Accuracies over chance and up to 1."""
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Columns, or axes of the taxonomy of methods, and values that rows must have."""
    seed_split: bool = False
    """Whether settings are chosen on half of the seeds and the other half reported."""
    each_size: bool = False
    """Whether each size has a setting of its own."""
    equal_settings: bool = False
    """Whether all settings are reported, and rows compared that agree in them."""
    frontier: Path | None = None
    """The file; the shipped one, if there is one, by default."""
    masks: int | None = None
    """How many masks of each line are compared with the best known ones; by default
    100 in all (see ``mask_distance``)."""

    def choose(self, rows: pd.DataFrame, by: Sequence[str] | None = None) -> Choice:
        """Group rows, and choose which settings are reported.

        Raises:
            ConfigError: A column is unknown.
        """
        how = (self.seed_split, self.each_size, self.equal_settings)
        return choose(rows, by or self.by, *how)

    @property
    def task(self) -> str:
        """The one task asked for; the default where none is named."""
        return [*self.where.get(TASK, ()), catalogue.DEFAULT][0]

    def __post_init__(self) -> None:
        """Refuse thresholds outside (0.5, 1]."""
        self._refuse(0.5)

    def check(self, rows: pd.DataFrame) -> None:
        """Refuse thresholds that a constant reaches on the task of rows.

        Raises:
            ConfigError: One of them is not above chance.
        """
        self._refuse(float(rows["task_chance"].max()))

    def _refuse(self, chance: float) -> None:
        """Refuse thresholds that are not above chance."""
        if not self.thresholds or not all(chance < t <= 1 for t in self.thresholds):
            raise ConfigError(
                f"expected thresholds above {chance:.3g} and up to 1, got "
                f"{[*self.thresholds]}; {chance:.3g} is chance level"
            )


@dataclass(frozen=True)
class Comparison:
    """Tables that answer one question each, with notes."""

    question: Question
    tables: dict[str, pd.DataFrame]
    """``scores``: the normalised gap of each group over all sizes, and its rank;
    ``excess``: weights needed beyond the best known, a line for each threshold and
    group over all sizes; ``groups``: accuracy of each group; ``pairwise``: probability
    of improvement of one group over another; ``masks``: ablation of masks and weights;
    ``distances``: how far masks are from the best known ones."""
    notes: list[str]
    conditions: list[str] = field(default_factory=list)
    """Columns of ``excess`` and ``groups`` that were added because lines differ in them
    (see ``differences``)."""


def of_folders(
    folders: Sequence[Path],
    methods: Methods,
    question: Question | None = None,
    named: Mapping[Path, str] | None = None,
) -> Comparison:
    """Compare the rows of launches, each config once.

    Args:
        folders: Results directories, or summaries of them.
        methods: Those that this process knows.
        question: What to compare.
        named: Folders whose rows count as those of one method, and its name.

    Raises:
        ConfigError: A column, a threshold or an axis is unknown, or no row is left.
        StoreError: A folder holds no rows, or the file no frontier of their task.
    """
    question = question or Question()

    def with_names(pool: pd.DataFrame) -> pd.DataFrame:
        return pool.assign(method=_methods(pool, folders, named or {}))

    rows, pool, notes = row_filter.read(folders, methods, question.where, with_names)
    summaries = any(folder.is_file() for folder in folders)
    if summaries:  # these have neither masks nor weights
        question = replace(question, masks=0)
    found = of_rows(
        rows,
        question,
        best_known(question, task_of(rows)),
        Besides(
            partial(load.masks, folders),
            None if summaries else partial(load.networks, folders),
            pool,
            methods.options,
        ),
    )
    old = [
        each
        for each in old_defaults.of(rows, methods.options)
        if each.option not in question.by
    ]
    notes += old_defaults.sentences(old)
    return replace(found, question=question, notes=[*notes, *found.notes])


def _methods(
    pool: pd.DataFrame, folders: Sequence[Path], named: Mapping[Path, str]
) -> pd.Series:
    """Return the method of every row: that of its folder, if it has a name."""
    names = {number: named[f] for number, f in enumerate(folders) if f in named}
    found: pd.Series = pool["folder"].map(names).astype("string")
    return found.fillna(pool["method"])


def best_known(question: Question, task: str) -> pd.DataFrame | None:
    """Return the frontier asked for, or that of the task, if there is one.

    Raises:
        StoreError: The file holds no frontier of the task.
    """
    if question.frontier or frontier.exists(task):
        return frontier.load(question.frontier, task)
    return None


class Besides(NamedTuple):
    """What is known besides the rows that are compared."""

    read_masks: mask_distance.ReadMasks | None = None
    """Reads the masks of rows; without it there are no distances."""
    read_networks: on_curve.ReadNetworks | None = None
    """Reads the networks of rows; without it their accuracy on the curve is unknown."""
    pool: pd.DataFrame | None = None
    """Rows that may have random masks (see ``budget_matched``); by default those
    compared."""
    options: OptionClasses | None = None
    """Those of methods; without them nothing is known of their defaults."""


NOTHING = Besides()


def of_rows(
    rows: pd.DataFrame,
    question: Question,
    known: pd.DataFrame | None = None,
    besides: Besides = NOTHING,
) -> Comparison:
    """Compare rows.

    Args:
        rows: Config columns and ``read.MEASURED``.
        question: What to compare.
        known: A frontier, if there is one.
        besides: What else is known.

    Raises:
        ConfigError: A column is unknown, or the rows are of several tasks.
    """
    choice = question.choose(rows)
    question.check(rows)
    groups = summarise(choice, question.thresholds, known, besides.pool)
    lines = excess_weights(choice, groups, question.thresholds, known)
    lines = lines.join(on_curve.of_lines(choice, groups, lines, besides.read_networks))
    differ = differences.of(choice)
    added = differences.columns(choice, lines, differ)
    compared = pairwise(choice)
    plain = scores.at_defaults(choice, besides.options, question.seed_split)
    tables = {
        "scores": scores.scores(choice, known, compared, plain),
        "excess": lines.assign(**added),
        "groups": _with_conditions(choice, groups, differ),
        "pairwise": compared,
        "masks": ablation(rows, known),
        "distances": _distances(question, choice, groups, known, besides.read_masks),
    }
    notes = notes_text.of(choice, groups, question.seed_split, known, differ)
    notes += notes_text.gaps(tables["scores"], question.by)
    notes += notes_text.brackets(lines)
    notes += notes_text.on_the_curve(choice, lines, question.thresholds, known)
    notes += _left_out(question, lines)
    return Comparison(question, tables, notes, [*added])


def _with_conditions(
    choice: Choice, groups: pd.DataFrame, differ: Sequence[differences.Condition]
) -> pd.DataFrame:
    """Return groups with a column for each condition in which they differ."""
    by_size = differences.columns(choice, groups, differ)
    own = [name for name in SHOWN if name in by_size]  # groups have these, as numbers
    return groups.assign(**by_size.drop(columns=own))


def _distances(
    question: Question,
    choice: Choice,
    groups: pd.DataFrame,
    known: pd.DataFrame | None,
    read: mask_distance.ReadMasks | None,
) -> pd.DataFrame:
    """Return distances to the best known masks; empty where there are none to read."""
    if known is None or read is None:
        return pd.DataFrame()
    return mask_distance.distances(
        choice, groups, question.thresholds, known, read, question.masks
    )


def _left_out(question: Question, lines: pd.DataFrame) -> list[str]:
    """Return that distances are left out, where lines are too many by default."""
    if question.masks is not None or len(lines) <= mask_distance.SAMPLE:
        return []
    return [
        "distances to the best known masks are left out, as there are more than "
        f"{mask_distance.SAMPLE} lines; `--distances N` computes them for N masks "
        "of each"
    ]
