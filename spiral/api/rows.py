"""Rows of results, and what is said of them: comparisons and figures."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from spiral import spelling
from spiral.api import elsewhere
from spiral.errors import ConfigError
from spiral.methods import registry
from spiral.report.stats import compare as comparisons
from spiral.report.stats.compare import Besides, Question
from spiral.report.stats.row_filter import select
from spiral.report.stats.selection import task_of
from spiral.report.text import comparison
from spiral.report.text.document import Document
from spiral.results import buckets, load, summary
from spiral.search import best_known
from spiral.tasks import catalogue

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spiral.report.figures.rows import Source

Place = Path | str
Rows: TypeAlias = Place | Sequence[Place] | pd.DataFrame
"""Results directories (also in buckets), summary files or names of shipped summaries;
or their rows."""


def load_rows(places: Place | Sequence[Place], networks: bool = False) -> pd.DataFrame:
    """Return the rows of launches, each config once.

    Args:
        places: Results directories, summary files, or names of shipped summaries.
        networks: Whether to read ``mask`` and ``weights``, too, for
            ``Network.from_row``; summaries have those of few rows, or of none.

    Returns:
        The config with the options of the methods that there are, its results and
        their origin; ``attrs["notes"]`` has remarks.

    Raises:
        StoreError: One of the places has no rows.
        ConfigError: There are no networks.

    >>> import spiral
    >>> rows = spiral.load_rows("standard").query("width == 16 and keep == 23")
    >>> medians = rows.groupby("method")["accuracy"].median()
    >>> bool(medians["obs"] > medians["random"])
    True
    """
    folders = _folders(places)
    found = load.read(folders, registry.options())
    rows = found.rows
    if networks:
        rows = load.networks(folders, rows)
        if rows["weights"].isna().all():
            raise ConfigError(
                "expected a results directory, or a summary with networks, got "
                f"{', '.join(map(str, folders))}"
            )
    rows.attrs["notes"] = found.notes
    return rows


def frontier(task: str = catalogue.DEFAULT, file: Place | None = None) -> pd.DataFrame:
    """Return the best known networks of a task, a row for each.

    Args:
        task: Its name.
        file: A frontier file; by default the shipped one and your own finds.

    Raises:
        ConfigError: There is no such task.
        StoreError: The file cannot be read.

    >>> import spiral
    >>> known = spiral.frontier()
    >>> int(known.query("accuracy >= 0.95")["nnz"].min())
    14
    """
    place = None if file is None else Path(file)
    return best_known.load(place, catalogue.canonical(task))


def compare(rows: Rows, others: Sequence[Place] = (), **question: Any) -> Document:
    """Return what ``spiral-sweep compare`` prints, and all its tables.

    Args:
        rows: Places of rows, or rows of :func:`load_rows`.
        others: Folders of other programs' networks, which are evaluated as they are and
            stand under the name of their folder; with places of rows only.
        question: Fields of ``report.stats.compare.Question``, such as ``by``,
            ``thresholds``, ``where`` or ``seed_split``.

    Returns:
        ``print`` shows it; ``tables[NAME].content`` is a table in full.

    Raises:
        ConfigError: A column, a threshold or an axis is unknown, or no row is left.

    >>> import spiral
    >>> where = {"method": ["gmp", "random"], "width": ["3"]}
    >>> found = spiral.compare("standard", where=where)
    >>> found.tables["scores"].content["method"].tolist()
    ['gmp', 'random']
    """
    asked = Question(**question)
    if not isinstance(rows, pd.DataFrame):
        with elsewhere.evaluated([Path(p) for p in others], asked.task) as named:
            every = [*_folders(rows), *named]
            found = comparisons.of_folders(every, registry.known(), asked, named)
        return comparison.document(found)
    if others:
        raise ConfigError("expected results directories beside others, got a table")
    chosen = select(rows, asked.where, registry.known())
    besides = Besides(pool=rows, options=registry.options())
    known = comparisons.best_known(asked, task_of(chosen))
    return comparison.document(comparisons.of_rows(chosen, asked, known, besides))


def plot(figure: str, rows: Rows | None = None, **options: Any) -> "Figure":
    """Draw a figure of the catalogue, as ``spiral-sweep plot`` does.

    Args:
        figure: Its name; ``spiral-sweep plot --help`` lists them.
        rows: Places of rows, or rows; none for figures of the frontier.
        options: Options of the figure, such as ``widths=[3, 16]``, or
            ``config_id="gmp@26"`` for one of a single network.

    Returns:
        A matplotlib figure, which notebooks show.

    Raises:
        ConfigError: There is no such figure, or rows are missing.

    >>> import spiral
    >>> figure = spiral.plot("accuracy", "standard", widths=[16])
    >>> figure.axes[0].get_xlabel()
    'weights kept'
    """
    from spiral.report.figures import catalogue, style

    names = [entry.name for entry in catalogue.FIGURES if entry.takes in GIVEN]
    try:
        entry = catalogue.find(figure)
        given = GIVEN[entry.takes]
    except KeyError:
        hint = spelling.suggest(figure, names)
        raise ConfigError(f"there is no figure {figure!r}; {hint}") from None
    style.register(registry.looks())
    return entry.draw(**given(rows), **options)


def _folders(places: Place | Sequence[Place]) -> list[Path]:
    """Return paths; names of shipped summaries stand for their files."""
    each = [places] if isinstance(places, str | Path) else places
    return [summary.located(buckets.at(place)) for place in each]


def _needed(rows: Rows | None) -> Rows:
    """Return rows; raise ConfigError if there are none."""
    if rows is None:
        raise ConfigError("expected rows for this figure, got none; give a directory")
    return rows


def _source(rows: Rows | None) -> dict[str, "Source"]:
    """Return the rows of a figure, with what all figures derive from them."""
    from spiral.report.figures import rows as figure_rows

    given = _needed(rows)
    if not isinstance(given, pd.DataFrame):
        return {"source": figure_rows.read(_folders(given), registry.known())}
    known = comparisons.best_known(Question(), task_of(given))
    return {"source": figure_rows.Source([], given, known, pool=given)}


def _one_folder(rows: Rows | None) -> dict[str, Path]:
    """Return the one directory of a figure."""
    given = _needed(rows)
    folders = [] if isinstance(given, pd.DataFrame) else _folders(given)
    if len(folders) != 1:
        raise ConfigError("expected one results directory for this figure")
    return {"out": folders[0]}


def _budgets(rows: Rows | None) -> dict[str, Any]:
    """Return the directories of a figure of budgets."""
    given = _needed(rows)
    if isinstance(given, pd.DataFrame):
        raise ConfigError("expected results directories for this figure, got rows")
    return {"folders": _folders(given), "methods": registry.known(), "where": {}}


def _frontier(rows: Rows | None) -> dict[str, Path | None]:
    """Return the frontier file of a figure, the usual one by default."""
    if isinstance(rows, pd.DataFrame):
        raise ConfigError("expected a frontier file or nothing, got rows")
    return {"path": None if rows is None else _folders(rows)[0]}


GIVEN: dict[str, Callable[[Rows | None], dict[str, Any]]] = {
    "rows": _source,
    "budgets": _budgets,
    "network": _one_folder,
    "trainings": _one_folder,
    "frontier": _frontier,
}
"""Where a figure's numbers come from → the arguments of its ``draw``."""
