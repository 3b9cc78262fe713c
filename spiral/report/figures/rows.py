"""Figures of result rows: which numbers each shows. Drawing is done elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from spiral.errors import ConfigError
from spiral.protocol.methods import Methods
from spiral.report.figures import accuracy as accuracy_figures
from spiral.report.figures import connection as connection_figures
from spiral.report.figures import files, maps, search
from spiral.report.figures import ranking as ranking_figures
from spiral.report.figures.layout import add, some
from spiral.report.figures.networks import Drawn
from spiral.report.stats import differences, fixed_start, frontier_notes
from spiral.report.stats.aggregate import known_at, summarise
from spiral.report.stats.compare import BY, Question, best_known
from spiral.report.stats.connection import connection
from spiral.report.stats.excess import excess_weights
from spiral.report.stats.pairwise import pairwise
from spiral.report.stats.row_filter import select
from spiral.report.stats.selection import FAILED, GIVEN, Choice, task_of
from spiral.results import columns as result_rows
from spiral.results import load
from spiral.search import best_known as frontier

ABREAST = 4
"""Widths that stand side by side unless others are asked for."""
SHOWN = [
    *("config_id", "folder", "method", "width", "keep"),
    *("status", "accuracy", "nnz", "effective_nnz"),
]
"""Columns needed to choose a network and to title it."""
TOGETHER = 6
"""Sizes whose panels make one figure."""


@dataclass(frozen=True)
class Source:
    """Rows of launches, and what all figures derive from them, computed once."""

    folders: Sequence[Path]
    rows: pd.DataFrame
    """What ``load.read`` returns."""
    known: pd.DataFrame | None
    """A frontier, if there is one."""
    question: Question = field(default_factory=Question)
    """Its thresholds and seed split; figures group by method and width."""
    notes: Sequence[str] = ()
    """Notes on the rows."""
    pool: pd.DataFrame | None = None
    """Rows that may have random masks (see ``budget_matched``); by default these."""

    @property
    def task(self) -> str:
        """The task of the rows."""
        return task_of(self.rows)

    def frontier(self) -> pd.DataFrame:
        """Return the frontier.

        Raises:
            ConfigError: There is none.
        """
        if self.known is None:
            raise ConfigError(frontier_notes.no_frontier(self.task))
        return self.known

    @cached_property
    def choice(self) -> Choice:
        """Rows in groups of method, width and size."""
        return self.question.choose(self.rows, BY)

    @cached_property
    def differ(self) -> str:
        """In which conditions lines differ beyond method and width, in sentences.

        Settings that are tuned do not count: each line shows the best.
        """
        return _sentences(self.choice, differences.of(self.choice))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """A line for each group."""
        thresholds = self.question.thresholds
        return summarise(self.choice, thresholds, self.known, self.pool)


def read(
    folders: Sequence[Path], methods: Methods, question: Question | None = None
) -> Source:
    """Return the rows of launches, and the frontier."""
    question = question or Question()
    pool, told = load.read(folders, methods.options)
    rows = select(pool, question.where, methods)
    known = best_known(question, task_of(rows))
    return Source(folders, rows, known, question, told, pool)


def accuracy(source: Source, widths: Sequence[int] = ()) -> Figure:
    """Return accuracy over the weights kept, a panel for each width."""
    shown = only(source.summary, "width", widths)
    known: dict[int, accuracy_figures.Known] = {}
    if source.known is not None:
        for width in shown["width"].unique():
            fitting = frontier.within(source.known, int(width))
            known[int(width)] = {k: frontier.best(fitting, k) for k in search.KINDS}
    return add(accuracy_figures.accuracy(shown, known), source.differ)


def over_width(source: Source, keeps: Sequence[int] = ()) -> Figure:
    """Return accuracy over width, a panel for each size; by default of some sizes.

    Raises:
        ConfigError: No size has rows of two widths.
    """
    sized = source.summary[source.summary["keep"].notna()]
    widths = sized.groupby("keep")["width"].nunique()
    several = widths.index[widths > 1]
    if several.empty:
        raise ConfigError("expected a size with rows of two widths, got none")
    chosen = only(sized, "keep", keeps or some(several, TOGETHER))
    levels: dict[int, accuracy_figures.Known] = {}
    if source.known is not None:
        across = np.unique(chosen["width"].to_numpy(float))
        for keep in chosen["keep"].unique():
            weights = np.full(len(across), float(keep))
            levels[int(keep)] = {
                kind: pd.Series(known_at(weights, across, source.known, kind), across)
                for kind in search.KINDS
            }
    figure = accuracy_figures.over_width(chosen, levels, _share(chosen, sized, "keep"))
    return add(figure, source.differ)


def connected(source: Source, widths: Sequence[int] = ()) -> Figure:
    """Return connected share and effective weights over the weights kept."""
    table = connection(source.choice)
    pruned = table[table["keep"].notna()]
    if pruned.empty:
        raise ConfigError(
            "expected rows of pruned networks, got none; dense networks are always "
            "connected"
        )
    chosen = widths or some(pruned["width"], ABREAST)
    shown = only(pruned, "width", chosen)
    figure = connection_figures.connected(shown, _share(shown, pruned, "width"))
    return add(figure, source.differ)


def excess(source: Source, widths: Sequence[int] = ()) -> Figure:
    """Return excess weights over the best known, methods in order.

    Raises:
        ConfigError: There is no frontier, or no row of a pruner.
    """
    known = source.frontier()
    table = excess_weights(
        source.choice, source.summary, source.question.thresholds, known
    )
    pruned = table[~table["method"].isin(["dense", *GIVEN])]
    pruned = pruned[pruned["best_known"].notna()]
    if pruned.empty:
        raise ConfigError(
            "expected rows of pruners and a best known size for a threshold, got none"
        )
    chosen = widths or some(pruned["width"], ABREAST)
    shown = only(pruned, "width", chosen)
    return add(
        ranking_figures.excess(shown, _share(shown, pruned, "width")), source.differ
    )


def from_fixed(source: Source) -> Figure:
    """Return pruners from fixed initial weights against what those contain."""
    return add(connection_figures.fixed(*fixed_start.split(source.rows)), source.differ)


def fidelity(source: Source) -> Figure:
    """Return the probability of improvement of exact methods over the paper's code.

    Raises:
        ConfigError: There are no pairs of both versions.
    """
    compared = pd.DataFrame()
    if "fidelity" in source.rows and source.rows["fidelity"].nunique() > 1:
        versions = source.rows[source.rows["fidelity"].notna()]
        compared = pairwise(source.question.choose(versions, ("fidelity", *BY)))
    if compared.empty:
        raise ConfigError(
            "expected rows of equal method, width, size and seed with fidelity exact "
            "and zp24, got none; `spiral-sweep launch fidelity` trains some"
        )
    conditions = [c for c in differences.of(source.choice) if c.name != "fidelity"]
    figure = ranking_figures.fidelity(compared, sorted(compared["width"].unique()))
    return add(figure, _sentences(source.choice, conditions))


def best_maps(source: Source, keep: int | None = None) -> Figure:
    """Return each method's best network of a size, beside the best one known.

    Args:
        source: Rows.
        keep: The size; by default the one that most methods have, closest to the best
            known.

    Raises:
        ConfigError: No rows have this size.
    """
    rows = source.rows[SHOWN]
    sound = rows[rows["keep"].notna() & ~rows["status"].isin(FAILED)]
    keep = keep or _usual_size(source, sound)
    best = sound[sound["keep"] == keep].sort_values("accuracy", kind="stable")
    best = best.groupby("method").tail(1).iloc[::-1]
    if best.empty:
        sizes = ", ".join(str(size) for size in sorted(sound["keep"].unique()))
        raise ConfigError(
            f"expected networks of {keep} weights that did not fail, got none; there "
            f"are {sizes}"
        )
    networks = load.networks(source.folders, best).to_dict("records")
    drawn = [_row(row)._replace(task=source.task) for row in networks]
    count = f"{(rows['keep'] == keep).sum():,}"
    caption = f"Best of each method asked for {keep} weights, of n = {count} rows"
    known = source.known
    if known is not None:
        width = int(rows.loc[rows["keep"] == keep, "width"].max())
        leaders = frontier.leaders(frontier.within(known, width)).query("nnz <= @keep")
        best_of_all = leaders.tail(1).to_dict("records")
        drawn = [*(_known(entry, source.task) for entry in best_of_all), *drawn]
        caption += "; framed: the best network known of at most this size"
    figure = maps.beside(drawn, f"{caption}.", framed=known is not None)
    return add(figure, source.differ)


def _sentences(choice: Choice, found: Sequence[differences.Condition]) -> str:
    """Return in sentences how lines of a figure differ."""
    pooled = differences.pooled(choice, found, ways=False)
    sentences = [*differences.unlike(found), *pooled]
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in sentences)


def _usual_size(source: Source, sound: pd.DataFrame) -> int:
    """Return the size that most methods have, closest to the best known one."""
    counts = sound.groupby("keep")["method"].nunique()
    if counts.empty:
        raise ConfigError("expected pruned networks that did not fail, got none")
    goal = None
    if source.known is not None:
        goal = frontier.fewest(source.known, source.question.thresholds[0])
    usual = counts.index[counts == counts.max()].to_numpy(int)
    return int(min(usual, key=lambda size: (abs(size - (goal or size)), size)))


def _row(row: dict[str, object]) -> Drawn:
    """Return the network of a result row."""
    width = int(str(row["width"]))
    name = f"{row['method']}, width {width}\n{row['nnz']} weights "
    on_path, right = row["effective_nnz"], row["accuracy"]
    title = f"{name}({on_path} on a path)\n{right:.4f}"
    return Drawn(title, *result_rows.params_of(row), width)


def _known(entry: dict[str, object], task: str) -> Drawn:
    """Return a network of the frontier."""
    title = f"best known\n{entry['nnz']} weights\n{entry['accuracy']:.4f}"
    return files.of_entry(entry, task)._replace(title=title)


def only(table: pd.DataFrame, column: str, wanted: Sequence[int]) -> pd.DataFrame:
    """Return the lines of some values of a column; of all if none is named.

    Raises:
        ConfigError: One of them has no lines.
    """
    known = sorted({int(value) for value in table[column].dropna()})
    missing = [value for value in wanted if value not in known]
    if missing:
        raise ConfigError(f"expected {column} {missing[0]} in the rows, got {known}")
    return table[table[column].isin(wanted)] if wanted else table


def _share(shown: pd.DataFrame, every: pd.DataFrame, column: str) -> str:
    """Return which share of the values of a column is shown, if not all are."""
    some, known = shown[column].nunique(), every[column].nunique()
    return f" Shown: {some} of {known} values of --{column}." if some < known else ""
