"""The figures of a comparison: which numbers each shows. Drawing is done elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from spiral.errors import ConfigError
from spiral.methods.registry import options
from spiral.report.figures import (
    accuracy as accuracy_figures,
)
from spiral.report.figures import (
    connection as connection_figures,
)
from spiral.report.figures import (
    maps,
)
from spiral.report.figures import (
    ranking as ranking_figures,
)
from spiral.report.figures.layout import add, some
from spiral.report.figures.networks import Drawn
from spiral.report.stats import differences, fixed_start
from spiral.report.stats.aggregate import known_at, summarise
from spiral.report.stats.compare import BY, Question, best_known
from spiral.report.stats.connection import connection
from spiral.report.stats.excess import gaps
from spiral.report.stats.pairwise import pairs
from spiral.report.stats.row_filter import select
from spiral.report.stats.selection import FAILED, GIVEN, Choice, choose
from spiral.results import columns as result_rows
from spiral.results import load
from spiral.search import best_known as frontier
from spiral.search import network

ABREAST = 4
"""Widths that stand side by side unless others are asked for."""
SHOWN = [
    *("config_id", "folder", "method", "width", "keep"),
    *("status", "accuracy", "nnz", "effective_nnz"),
]
"""What the choice of a network, and its title, needs of a row."""
TOGETHER = 6
"""Sizes whose panels make one figure."""


@dataclass(frozen=True)
class Source:
    """Rows of launches, and what follows from them once for all figures."""

    folders: Sequence[Path]
    rows: pd.DataFrame
    """What ``load.read`` returns."""
    known: pd.DataFrame | None
    """A frontier, if there is one."""
    question: Question = field(default_factory=Question)
    """Its thresholds, and whether it is honest; figures are of methods and widths."""
    notes: Sequence[str] = ()
    """What to know about the rows."""

    @cached_property
    def choice(self) -> Choice:
        """Rows in groups of method, width and size."""
        return choose(self.rows, BY, self.question.honest)

    @cached_property
    def remark(self) -> str:
        """How lines of figures differ beyond method and width, in a sentence or more.

        Settings that are tuned are none: each line shows the best.
        """
        return _remark(self.choice, differences.of(self.choice))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """A line for each group."""
        return summarise(self.choice, self.question.thresholds, self.known)


def read(folders: Sequence[Path], question: Question | None = None) -> Source:
    """Return the rows of launches, and the frontier."""
    question = question or Question()
    rows, notes = load.read(folders, options())
    rows = select(rows, question.where)
    return Source(folders, rows, best_known(question), question, notes)


def accuracy(source: Source, widths: Sequence[int] = ()) -> Figure:
    """Return accuracy over the weights kept, a panel for each width."""
    known = None if source.known is None else frontier.best(source.known)
    figure = accuracy_figures.accuracy(_of(source.summary, "width", widths), known)
    return add(figure, source.remark)


def over_width(source: Source, keeps: Sequence[int] = ()) -> Figure:
    """Return accuracy over width, a panel for each size; by default of some sizes.

    Raises:
        ConfigError: No size has rows of two widths.
    """
    sized = source.summary[source.summary["keep"].notna()]
    widths = sized.groupby("keep")["width"].nunique()
    several = widths.index[widths > 1]
    if several.empty:
        raise ConfigError(
            "no size has rows of two widths, so there is none to draw over"
        )
    chosen = _of(sized, "keep", keeps or some(several, TOGETHER))
    levels: dict[int, float] = {}
    if source.known is not None:
        sizes = np.unique(chosen["keep"].to_numpy(float))
        best = known_at(sizes, source.known, "any")
        found = pd.Series(best, sizes.astype(int)).dropna()
        levels = {int(str(size)): float(level) for size, level in found.items()}
    figure = accuracy_figures.over_width(chosen, levels, _share(chosen, sized, "keep"))
    return add(figure, source.remark)


def connected(source: Source, widths: Sequence[int] = ()) -> Figure:
    """Return connected share and effective weights over the weights kept."""
    table = connection(source.choice)
    pruned = table[table["keep"].notna()]
    if pruned.empty:
        raise ConfigError("no rows have a size; dense networks are always connected")
    chosen = widths or some(pruned["width"], ABREAST)
    shown = _of(pruned, "width", chosen)
    figure = connection_figures.connected(shown, _share(shown, pruned, "width"))
    return add(figure, source.remark)


def ranking(source: Source, widths: Sequence[int] = ()) -> Figure:
    """Return the ranking by excess weights over the optimum.

    Raises:
        ConfigError: There is no frontier, so no optimum.
    """
    if source.known is None:
        raise ConfigError(
            "there is no frontier, so no optimum; `spiral-sweep frontier update` makes "
            "one"
        )
    table = gaps(
        source.choice, source.summary, source.question.thresholds, source.known
    )
    pruned = table[~table["method"].isin(["dense", *GIVEN])]
    pruned = pruned[pruned["optimum"].notna()]
    if pruned.empty:
        raise ConfigError("no rows of pruners, or no optimum known for any threshold")
    chosen = widths or some(pruned["width"], ABREAST)
    shown = _of(pruned, "width", chosen)
    return add(
        ranking_figures.gaps(shown, _share(shown, pruned, "width")), source.remark
    )


def from_fixed(source: Source) -> Figure:
    """Return pruners from fixed initial weights against what those contain."""
    return add(connection_figures.fixed(*fixed_start.split(source.rows)), source.remark)


def fidelity(source: Source) -> Figure:
    """Return how probably exact methods beat those of Zhang & Papyan's code.

    Raises:
        ConfigError: There are no pairs of both.
    """
    told = source.rows[source.rows["fidelity"].notna()]
    met = pd.DataFrame()
    if told["fidelity"].nunique() > 1:
        met = pairs(choose(told, ("fidelity", *BY), source.question.honest))
    if met.empty:
        raise ConfigError(
            "no rows of one method, width, size and seed with fidelity exact and zp24; "
            "`spiral-sweep launch fidelity` makes some"
        )
    told = [c for c in differences.of(source.choice) if c.name != "fidelity"]
    figure = ranking_figures.fidelity(met, sorted(met["width"].unique()))
    return add(figure, _remark(source.choice, told))


def best_maps(source: Source, keep: int | None = None) -> Figure:
    """Return each method's best network of a size, beside the best one known.

    Args:
        source: Rows.
        keep: The size; by default the one that most methods have, next to the optimum.

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
        raise ConfigError(f"no sound networks of {keep} weights; there are {sizes}")
    drawn = [
        _row(row) for row in load.networks(source.folders, best).to_dict("records")
    ]
    count = f"{(rows['keep'] == keep).sum():,}"
    caption = f"Best of each method asked for {keep} weights, of n = {count} rows"
    known = source.known
    if known is not None:
        leaders = frontier.leaders(known).query("nnz <= @keep")
        drawn = [*map(_known, leaders.tail(1).to_dict("records")), *drawn]
        caption += "; framed: the best network known with at most as many"
    figure = maps.beside(drawn, f"{caption}.", framed=known is not None)
    return add(figure, source.remark)


def _remark(choice: Choice, found: Sequence[differences.Condition]) -> str:
    """Return in sentences how lines of a figure differ."""
    pooled = differences.pooled(choice, found, ways=False)
    told = [*differences.unlike(found), *pooled]
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in told)


def _usual_size(source: Source, sound: pd.DataFrame) -> int:
    """Return the size that most methods have, the next to the first optimum."""
    counts = sound.groupby("keep")["method"].nunique()
    if counts.empty:
        raise ConfigError("no sound rows of pruned networks")
    goal = None
    if source.known is not None:
        goal = frontier.optimum(source.known, source.question.thresholds[0])
    usual = counts.index[counts == counts.max()].to_numpy(int)
    return int(min(usual, key=lambda size: (abs(size - (goal or size)), size)))


def _row(row: dict[str, object]) -> Drawn:
    """Return the network of a result row."""
    width = int(str(row["width"]))
    name = f"{row['method']}, width {width}\n{row['nnz']} weights "
    on_path, right = row["effective_nnz"], row["accuracy"]
    title = f"{name}({on_path} on a path)\n{right:.4f}"
    return Drawn(title, *result_rows.params_of(row), width)


def _known(entry: dict[str, object]) -> Drawn:
    """Return a network of the frontier."""
    title = f"best known\n{entry['nnz']} weights\n{entry['accuracy']:.4f}"
    params = np.asarray(entry["params"])
    return Drawn(title, *network.unpacked(str(entry["matrices"]), params))


def _of(table: pd.DataFrame, column: str, wanted: Sequence[int]) -> pd.DataFrame:
    """Return the lines of some values of a column, of all if none is named.

    Raises:
        ConfigError: One has no lines.
    """
    known = sorted({int(value) for value in table[column].dropna()})
    missing = [value for value in wanted if value not in known]
    if missing:
        raise ConfigError(f"no rows of {column} {missing[0]}; there are {known}")
    return table[table[column].isin(wanted)] if wanted else table


def _share(shown: pd.DataFrame, every: pd.DataFrame, column: str) -> str:
    """Return which share of the values of a column is shown, if not all are."""
    some, known = shown[column].nunique(), every[column].nunique()
    return f" {some} of {known} values of --{column}." if some < known else ""
