"""Which rows a question is about: ``when=before``, ``method=gmp``, ``epochs=50``."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from spiral import spelling
from spiral.errors import ConfigError
from spiral.protocol import config, identity
from spiral.protocol.methods import Methods
from spiral.report.stats.budget_matched import CONTROL
from spiral.report.stats.differences import NOTHING
from spiral.report.stats.selection import TASK, known_columns, task_of
from spiral.results import load
from spiral.results.summary import ALL, Only
from spiral.tasks import catalogue

Where = Mapping[str, Sequence[str]]


class Rows(NamedTuple):
    """The rows of launches and summaries that a question is about."""

    rows: pd.DataFrame
    pool: pd.DataFrame
    """Those and others, with all random masks of their widths."""
    notes: list[str]


def read(
    folders: Sequence[Path],
    methods: Methods,
    where: Where,
    named: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows,
) -> Rows:
    """Read rows and select some, of large summaries without reading all.

    Args:
        folders: Results directories, or summaries of them.
        methods: Those that this process knows.
        where: See :func:`select`.
        named: Changes what rows are called.

    Raises:
        ConfigError: As :func:`select`.
        StoreError: One of the places has no rows yet.
        CorruptPack: A file cannot be read.
    """
    only = _readable_alone(where)
    while True:
        pool, notes = load.read(folders, methods.options, only=only)
        pool = named(pool)
        try:
            return Rows(select(pool, where, methods), pool, notes)
        except ConfigError:
            if not only:
                raise
            only = ALL  # so that the message says which values there are


def _readable_alone(where: Where) -> Only:
    """Return the widths and methods of rows that a question may need."""
    found: dict[str, Sequence[object]] = {}
    widths = where.get("width", ())
    if widths and all(text.isdecimal() and len(text) < 4 for text in widths):
        found["width"] = [int(text) for text in widths]
    if where.get("method"):
        found["method"] = [*where["method"], CONTROL]
    return found


def select(
    rows: pd.DataFrame, where: Where, methods: Methods, always: Collection[str] = ()
) -> pd.DataFrame:
    """Return the rows that have one of some values in each column.

    Args:
        rows: Config columns and results.
        where: Columns, or axes of the taxonomy of methods, and values. A name that is
            both is an axis if the axis has all these values; but if they are values of
            an option, too, rows that have the option are judged by it, since the axis
            only knows its default (``allocation=global``).
        methods: Those that this process knows, with their taxonomy.
        always: Methods that are kept whatever is asked of methods.

    Raises:
        ConfigError: A name or a value is unknown, or no row is left, or rows of several
            tasks are.
    """
    some = chosen(rows, where, methods, always)
    task_of(some)
    return some


def chosen(
    rows: pd.DataFrame, where: Where, methods: Methods, always: Collection[str] = ()
) -> pd.DataFrame:
    """Return the same as :func:`select`, though they may be of several tasks.

    Raises:
        ConfigError: A name or a value is unknown, or no row is left.
    """
    axes = methods.axes()
    kinds = {n: values for n, values in where.items() if _is_axis(axes, n, values)}
    wanted = np.ones(len(rows), bool)
    kept = rows["method"].isin([*always]).to_numpy(bool)
    for name, values in kinds.items():
        wanted &= _of_kind(rows, name, values, methods) | kept
    if TASK in where:
        wanted &= _of_tasks(rows, where[TASK])
    for name, values in where.items():
        if name not in kinds and name != TASK:
            wanted &= _having(rows, name, values, methods) | (kept & (name == "method"))
    if not wanted.any():
        asked = " and ".join(f"{name}={','.join(v)}" for name, v in where.items())
        present = ", ".join(sorted(rows["method"].unique()))
        raise ConfigError(f"no rows have {asked}; the methods present are {present}")
    return rows[wanted].reset_index(drop=True) if where else rows


def of_task(rows: pd.DataFrame, task: str | None) -> pd.DataFrame:
    """Return the rows of one task, of the only one if none is named.

    Raises:
        ConfigError: There are several and none is named, or none of that name.
    """
    some = rows if task is None else rows[_of_tasks(rows, [task])]
    task_of(some)
    return some.reset_index(drop=True)


def _of_tasks(rows: pd.DataFrame, wanted: Sequence[str]) -> np.ndarray:
    """Return which rows are of some tasks.

    A file may be named as in rows, by its digest, or without its folder.

    Raises:
        ConfigError: There are none of one of them.
    """
    present = sorted(rows[TASK].unique())
    found = set()
    for text in wanted:
        named = {identity.content(name) for name in present if text in _words(name)}
        named = named or {identity.content(_canonical(text))}
        if len(named) > 1:
            raise ConfigError(
                f"several tasks are called {text}; give one by its digest: "
                f"{', '.join(sorted(named))}"
            )
        found |= named
    contents = rows[TASK].map({name: identity.content(name) for name in present})
    if missing := found - {*contents}:
        raise ConfigError(
            f"no rows are of task {min(missing)}; there are {', '.join(present)}"
        )
    chosen: np.ndarray = contents.isin(found).to_numpy(bool)
    return chosen


def _words(name: str) -> tuple[str, ...]:
    """Return what a task of rows may be called: a file by its path, name or digest."""
    file, _, digest = name.rpartition("@")
    return (name, digest, file, Path(file).name) if file else (name,)


def _canonical(text: str) -> str:
    """Return the name of a task as rows have it; texts that name none as they are."""
    with suppress(ConfigError):
        return catalogue.canonical(text)
    return text


def _is_axis(
    axes: Mapping[str, frozenset[str]], name: str, values: Sequence[str]
) -> bool:
    """Return whether a condition is of an axis of the taxonomy."""
    return name in axes and {*values} <= axes[name]


def _of_kind(
    rows: pd.DataFrame, name: str, values: Sequence[str], methods: Methods
) -> np.ndarray:
    """Return which rows have one of some values on an axis."""
    found = rows["method"].isin(methods.of_kind({name: values})).to_numpy(bool)
    option = config.option_fields(methods.options).get(name)
    if name not in rows or not option or not {*values} <= {*_legal(option)}:
        return found
    own = rows[name].isin(values).to_numpy(bool)
    return np.where(rows[name].isna().to_numpy(bool), found, own)


def _legal(option: config.ConfigField) -> Sequence[str]:
    """Return the words that an option may be."""
    return option.legal().get("enum", ())


def _having(
    rows: pd.DataFrame, name: str, values: Sequence[str], methods: Methods
) -> np.ndarray:
    """Return which rows have one of some values in a column.

    Raises:
        ConfigError: There is no such column, or no row has one of the values.
    """
    known = known_columns(rows)
    if name in known:
        column = rows[name]
    elif name in config.option_fields(methods.options):
        column = pd.Series(pd.NA, rows.index)  # an option of methods that have no rows
    else:
        axes = methods.axes()
        if name in axes:
            methods.of_kind({name: values})  # raises with the known values
        hint = spelling.suggest(name, axes)  # `units` is an axis here, not the width
        if not hint.startswith("did you mean"):
            hint = spelling.suggest(name, [*axes, *known], spelling.KEYS)
        raise ConfigError(f"no column or axis of methods {name!r}; {hint}")
    present = sorted(column.dropna().unique().tolist())
    words = {_word(value): value for value in present}
    empty = column.isna().to_numpy(bool)
    if empty.any():
        words.setdefault(NOTHING, NOTHING)
    asked = [text if text in words else _number(text) for text in values]
    missing = [
        text for text, word in zip(values, asked, strict=True) if word not in words
    ]
    if missing:
        shown = ", ".join([*words][:20]) + (", …" if len(words) > 20 else "")
        raise ConfigError(f"no rows have {name}={missing[0]}; there are {shown}")
    wanted = [words[word] for word in asked]
    chosen: np.ndarray = column.isin(wanted).to_numpy(bool)
    return chosen | empty if NOTHING in values else chosen


def _number(text: str) -> str:
    """Return a number as columns have it, however it was written; other words as is."""
    try:
        return _word(float(text))
    except ValueError:
        return text


def _word(value: object) -> str:
    """Return a value of a column as text."""
    if isinstance(value, bool | np.bool_ | str):
        return str(value)
    return f"{float(str(value)):.17g}"
