"""What differs between rows that are compared, beyond what was asked for.

A *condition* is a column of configs, or of how rows were made (``MADE``), that makes no
groups here: the budget, the batch, the version. Where one differs between the lines of
a table it is a column of that table; where it differs within a line, a note
lists what is pooled and how to separate it. So nothing is pooled silently.

Settings that are tuned (learning rate, schedule, options) differ
within lines by design: a note names them, and ``settings`` counts them where lines had
more or fewer to choose from. An option is compared only between lines of one method.
"""

import shlex
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from spiral.protocol import config
from spiral.report.stats.selection import (
    SEEDS,
    SHOWN,
    SIZE,
    STRATA,
    Choice,
    Codes,
    codes,
    numbered,
)
from spiral.results.columns import MADE

NO_SETTINGS = ("fidelity",)
"""Options that choose the algorithm, which one would not tune."""
NAMED = 3
"""Values, or lines, that a cell or a sentence names."""
NOTHING = "none"
"""What people read where a condition has no value."""

Sets = dict[Hashable, frozenset[object]]


class Condition(NamedTuple):
    """One column that has several values among the rows compared."""

    name: str
    tuned: bool
    """Whether it is a setting, of which each line shows the best."""
    lines: Sets
    """The values of each line: of each group over all its sizes."""
    unlike: bool
    """Whether lines differ in their values."""

    @property
    def values(self) -> list[object]:
        """All values, sorted."""
        return _sorted({value for some in self.lines.values() for value in some})

    @property
    def mixed(self) -> list[Hashable]:
        """The lines that have several values."""
        return [line for line, values in self.lines.items() if len(values) > 1]

    @property
    def shown(self) -> bool:
        """Whether it is a column: options of which lines show the best are none."""
        if not self.tuned:
            return True
        return self.unlike and (self.name in SHOWN or not self.mixed)


def of(choice: Choice, besides: Sequence[str] = ()) -> list[Condition]:
    """Return the conditions that differ.

    Args:
        choice: Rows and groups.
        besides: Columns that differ on purpose, as the folders of a ranking.
    """
    common = config.fields(config.Config)
    skipped = {*choice.by, SIZE, *SEEDS, *besides}
    made = [name for name in MADE if name in choice.rows]
    strata = [name for name in STRATA if name in choice.rows]
    found = []
    for name in dict.fromkeys([*choice.settings, *strata, *made]):
        if name in skipped:
            continue
        option = name not in common and name not in MADE
        tuned = name in SHOWN or (option and name not in NO_SETTINGS)
        lines = _values(choice, name, option)
        if len({value for some in lines.values() for value in some}) < 2:
            continue
        kin = choice.by.index("method") if option and "method" in choice.by else None
        found.append(Condition(name, tuned, lines, _unlike(lines, kin)))
    return found


def columns(
    choice: Choice, lines: pd.DataFrame, found: Iterable[Condition]
) -> pd.DataFrame:
    """Return a column for each condition in which the lines of a table differ.

    Args:
        choice: Rows and groups.
        lines: A table with the columns that make groups, maybe with ``keep``.
        found: The conditions.

    Returns:
        Columns beside the table: the value of the rows reported, or several in words.
        ``settings``, how many there were to choose from, where that differs.
    """
    keys = [name for name in (*choice.by, SIZE) if name in lines]
    line, known = codes(choice.groups, keys)
    place = pd.Series(line)[choice.rows["group"]].to_numpy()
    reported = choice.rows[choice.reported]
    at = place[choice.reported]
    shown = {}
    for each in found:
        if each.shown:
            code, words = _words(reported[each.name])
            values = _at_places(at, code, words)
            shown[each.name] = pd.Series(values, dtype=object).map(_cell)
    count = choice.rows.groupby("group")["setting"].nunique().groupby(line).max()
    if count.nunique() > 1:
        shown["settings"] = count
    table = pd.DataFrame(shown, index=range(len(known)))
    both = known.join(table)
    return lines[keys].merge(both, on=keys, how="left").drop(columns=keys)


def pooled(choice: Choice, found: Iterable[Condition], ways: bool = True) -> list[str]:
    """Return which rows of different conditions are pooled in one line, in sentences.

    Args:
        choice: Rows and groups.
        found: The conditions.
        ways: Whether to name what separates them: ``--by`` and ``--where``.
    """
    sentences = []
    for each in found:
        if each.tuned or not each.mixed:
            continue
        chosen = each.name in choice.settings
        text = (
            f"rows of different {each.name} ({several(each.values)}) are pooled in "
            f"{several([_line(line) for line in each.mixed])}"
        )
        text += ", showing the best" if chosen else ""
        if ways:
            by = ",".join([*choice.by, each.name])
            one = shlex.quote(f"{each.name}={_word(each.values[-1])}")
            text += f"; `--by {by}` separates them, `--where {one}` selects one"
        sentences.append(text)
    return sentences


def settings(found: Iterable[Condition]) -> str:
    """Return the settings of which lines show the best, in words."""
    return several([each.name for each in found if each.tuned and each.mixed])


def unlike(found: Iterable[Condition]) -> list[str]:
    """Return in which conditions lines differ, in sentences, for figures."""
    sentences = []
    for each in found:
        if not each.unlike or (each.tuned and each.mixed):
            continue
        parts: dict[frozenset[object], list[str]] = {}
        for line, values in each.lines.items():
            parts.setdefault(values, []).append(_line(line))
        words = [
            f"{several(_sorted(values))} ({several(lines)})"
            for values, lines in parts.items()
        ]
        sentences.append(f"lines differ in {each.name}: {several(words)}")
    return sentences


def _values(choice: Choice, name: str, option: bool) -> Sets:
    """Return the values that each line has, of options where the method has it."""
    line, lines = codes(choice.groups, choice.by)
    names = list(lines.astype(object).itertuples(index=False, name=None))
    code, words = _words(choice.rows[name])
    at = line[choice.rows["group"].to_numpy()]
    if option:
        method = pd.factorize(choice.rows["method"])[0]
        having = np.zeros(method.max(initial=0) + 1, bool)
        having[method[code < len(words) - 1]] = True
        at, code = at[having[method]], code[having[method]]
    found = _at_places(at, code, words)
    return {names[place]: frozenset(some) for place, some in found.items()}


def _words(column: pd.Series) -> tuple[Codes, list[object]]:
    """Return a column's distinct values, ``NOTHING`` last, and each row's number."""
    code, values = pd.factorize(column)
    words = [*values.tolist(), NOTHING]
    return np.where(code < 0, len(values), code), words


def _at_places(at: Codes, code: Codes, words: list[object]) -> dict[int, set[object]]:
    """Return the values at each place, from the place and the value of each row."""
    found: dict[int, set[object]] = {}
    for pair in numbered(at * len(words) + code)[0].tolist():
        place, value = divmod(pair, len(words))
        found.setdefault(place, set()).add(words[value])
    return found


def _unlike(lines: Sets, kin: int | None) -> bool:
    """Return whether lines differ; with ``kin`` only those of one method are alike."""
    first: dict[object, frozenset[object]] = {}
    for line, values in lines.items():
        same = None if kin is None or not isinstance(line, tuple) else line[kin]
        if first.setdefault(same, values) != values:
            return True
    return False


def _cell(values: Iterable[object]) -> object:
    """Return what a cell shows of some values."""
    some = _sorted(values)
    return some[0] if len(some) == 1 else several(some)


def _sorted(values: Iterable[object]) -> list[object]:
    """Return values in their order, numbers before words."""
    return sorted(values, key=lambda v: (isinstance(v, str), v))


def several(values: Iterable[object]) -> str:
    """Return some values in words, and how many more there are."""
    words = [_word(value) for value in values]
    more = len(words) - NAMED
    if more <= 1:
        return ", ".join(words)
    return f"{', '.join(words[:NAMED])} and {more:,} more"


def _word(value: object) -> str:
    """Return a value as text."""
    if pd.isna(value):
        return NOTHING
    return f"{value:g}" if isinstance(value, float) else str(value)


def lines(table: pd.DataFrame) -> list[str]:
    """Return the name of each line of a table of the columns that make groups."""
    return [_line(line) for line in table.itertuples(index=False, name=None)]


def _line(line: Hashable) -> str:
    """Return the name of a line."""
    return " ".join(_word(part) for part in line) if isinstance(line, tuple) else "all"
