"""Which rows are reported: groups of rows, and the setting of each that is shown.

A *group* is what is compared: the columns asked for, and the size (``keep``). Its rows
differ in seeds; in what distinguishes problems, its *strata* (width, initial weights
from a file); and in everything else in a config: its *settings* (learning rate,
schedule, options). Settings are chosen for all sizes of a stratum at once, by
cross-fitting (see ``tuning``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from spiral import spelling
from spiral.errors import ConfigError
from spiral.protocol import config, identity
from spiral.report.stats import tuning
from spiral.results.columns import MADE, options_among
from spiral.tasks import catalogue

SIZE = "keep"
TASK = "task"
SEEDS = ("seed", "init_seed", "order_seed")
REPLICATE = "replicate"
"""The number of a repetition, where each config draws a seed of its own."""
STRATA = ("width", "init")
"""What distinguishes problems: each may need a learning rate of its own, so each shows
its own best setting."""
SHOWN = ("lr", "schedule")
"""Settings that tables have even where they do not vary."""

FAILED = ("aborted", "collapsed", "diverged", "infeasible")
"""Statuses of rows that are no network of the size asked for: they count as chance."""

GIVEN = ("block", "mask")
"""Methods that are given their mask, as in a search: not pruners."""

Codes = Int[np.ndarray, " R"]

DENSE = 16
"""How many times their count the range of numbers may be to be counted in a table."""


@dataclass(frozen=True)
class Choice:
    """All rows, the groups they make, and which of them are reported."""

    rows: pd.DataFrame
    """With numbers for ``group``, ``stratum``, ``problem`` (see ``tuning``),
    ``setting`` and ``fold`` (the seed, or the replicate where each config has a seed of
    its own), without options that no row has; no accuracy is below chance, failures are
    at chance."""
    groups: pd.DataFrame
    """The columns asked for and ``keep``: one line for each group."""
    reported: Bool[np.ndarray, " R"]
    """Rows of the chosen settings, none of which chose its own."""
    settings: list[str]
    """Columns that make a setting."""
    strata: list[str]
    """Columns in which rows must be equal to be compared."""
    in_sample: Bool[np.ndarray, " R"]
    """Rows reported that did choose their own setting, for want of another seed."""

    @property
    def by(self) -> list[str]:
        """The columns asked for."""
        return [name for name in self.groups if name != SIZE]

    @property
    def task(self) -> str:
        """The task of all rows."""
        return task_of(self.rows)


def choose(
    rows: pd.DataFrame,
    by: Sequence[str] = ("method", "width"),
    seed_split: bool = False,
    each_size: bool = False,
    equal_settings: bool = False,
) -> Choice:
    """Group rows and choose which settings are reported.

    Args:
        rows: Rows with config columns and results.
        by: Config columns that make groups; ``keep`` always does.
        seed_split: Whether half of the seeds choose, and the others are reported.
        each_size: Whether each size has a setting of its own.
        equal_settings: Whether all settings are reported, and rows compared that agree
            in them: what one option is worth, whatever the others are.

    Raises:
        ConfigError: A column does not exist or is a seed, or there is none; or the
            rows are of several tasks.
    """
    task_of(rows)
    fields = known_columns(rows)
    by = _checked(by, fields)
    method = pd.factorize(rows["method"])[0]
    # A file is one task wherever it lies
    others = (n for n in fields if n not in SHOWN and n != TASK)
    moving = {n for n in others if _varies(rows[n], method)}
    varied = [n for n in fields if n in SHOWN or n in moving]
    strata = [n for n in STRATA if n in varied and n not in by]
    repeats = [*SEEDS, REPLICATE]
    settings = [n for n in varied if n not in {*by, SIZE, *repeats, *strata, *MADE}]
    if equal_settings:
        strata, settings = [*strata, *settings], []
    # Most options are of few methods: empty columns would be copied again and again
    options = [name for name in options_among(rows) if name not in (*varied, *by)]
    table = clean(rows.drop(columns=[n for n in options if rows[n].isna().all()]))
    table["group"], groups = codes(table, [*by, SIZE])
    table["stratum"], _ = codes(table, ["group", *strata])
    table["fold"] = folds(table)
    table["setting"], _ = codes(table, settings)
    line, _ = codes(table, ["group", *strata] if each_size else [*by, *strata])
    table["size"], _ = codes(table, [SIZE])
    table["problem"] = tuning.problems(
        line, table["size"].to_numpy(), table["setting"].to_numpy()
    )
    found = tuning.report(table, seed_split)
    return Choice(table, groups, found.rows, settings, strata, found.in_sample)


def inflation(choice: Choice, by: Sequence[str]) -> pd.Series:
    """Return by how much variances over seeds exceed those of independent ones.

    Args:
        choice: Rows and groups.
        by: Some of the columns asked for.

    Returns:
        ``tuning.INFLATION`` for each value of these columns that has rows which were
        tuned, else 1.
    """
    place, _ = codes(choice.groups, by)
    tried = choice.rows.groupby("problem")["setting"].transform("nunique")
    home = pd.Series(place[choice.rows["group"].to_numpy()])
    tuned = (tried > 1).reset_index(drop=True).groupby(home).any()
    return tuned.map({True: tuning.INFLATION, False: 1.0})


def folds(rows: pd.DataFrame) -> Codes:
    """Number the repetitions of each row: its seeds, or its replicate if it has one."""
    seeds = rows[[name for name in SEEDS if name in rows]]
    if REPLICATE in rows:
        fresh = rows[REPLICATE].notna()
        seeds = seeds.mask(fresh, -1).assign(**{REPLICATE: rows[REPLICATE]})
    return codes(seeds, list(seeds))[0]


def task_of(rows: pd.DataFrame) -> str:
    """Return the task of rows; no number may be of two.

    Raises:
        ConfigError: They are of several tasks.
    """
    found = {identity.content(name): name for name in rows[TASK].unique()}
    if len(found) > 1:
        raise ConfigError(
            "expected rows of one task, got those of "
            f"{', '.join(sorted(found.values()))}; choose one by --task NAME"
        )
    return next(iter(found.values()), catalogue.DEFAULT)


def known_columns(rows: pd.DataFrame) -> list[str]:
    """Return the columns of rows that may make groups or select some of them."""
    common = [name for name in config.fields(config.Config) if name in rows]
    made = [name for name in MADE if name in rows]
    return [*common, *options_among(rows), *made]


def codes(table: pd.DataFrame, names: Sequence[str]) -> tuple[Codes, pd.DataFrame]:
    """Number the distinct values of some columns in sorted order, null last.

    Returns:
        The number of each row, and the values of each number.
    """
    combined, range_ = np.zeros(len(table), np.int64), 1
    for name in names:
        each, values = pd.factorize(table[name], sort=True)
        size = len(values) + 1
        # The columns are the digits of one number. Before it overflows, its values in
        # use are numbered anew; that keeps their order, so the result is the same.
        if range_ > np.iinfo(np.int64).max // size:
            distinct, combined = numbered(combined)
            range_ = len(distinct)
        combined = combined * size + np.where(each < 0, size - 1, each)
        range_ *= size
    distinct, code = numbered(combined)
    first = np.empty(len(distinct), np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]  # of several, what comes last stays
    return code, table[[*names]].iloc[first].reset_index(drop=True)


def numbered(values: Codes) -> tuple[Codes, Codes]:
    """Return the distinct values of some, none negative, and the number of each.

    As ``np.unique`` does by sorting; without that where values are dense.
    """
    span = int(values.max(initial=0)) + 1
    if span > DENSE * len(values):
        distinct, number = np.unique(values, return_inverse=True)
        return distinct, number
    seen = np.zeros(span, bool)
    seen[values] = True
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[values]


def _checked(by: Sequence[str], fields: list[str]) -> list[str]:
    """Return the columns that make groups beside the size."""
    wanted = [name for name in dict.fromkeys(by) if name != SIZE]
    for name in wanted:
        if name not in fields or name in SEEDS:
            known = [n for n in fields if n not in SEEDS]
            hint = spelling.suggest(name, known, spelling.KEYS)
            raise ConfigError(f"no column {name!r} to group by; {hint}")
    if not wanted:
        raise ConfigError("name at least one column to group by, as method,width")
    return wanted


def _varies(column: pd.Series, method: Codes) -> bool:
    """Return whether a column has several values; none is one.

    An option of some methods is empty in the rows of all others, which is no value.

    Args:
        column: Of the rows.
        method: A number for the method of each.
    """
    having = column.notna().to_numpy()
    if not having.any():
        return False
    values = column.array[having]
    if (values != values[0]).any():  # faster than counting them
        return True
    if having.all():
        return False
    if column.name in config.fields(config.Config):
        return True
    return bool(np.isin(method[~having], np.unique(method[having])).any())


def clean(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with failures at chance and the size of every row that has one.

    Size is what was asked for, or, for methods that are not asked (blocks, masks), what
    there is; null for dense networks, which stand beside every size.
    """
    dense = rows["method"] == "dense"
    size = rows[SIZE].fillna(rows["nnz"]).mask(dense).astype("Int64")
    accuracy = rows["accuracy"].to_numpy(np.float64, na_value=np.nan)
    # Without its failures a method that often fails would look better than it is.
    failed = rows["status"].isin(FAILED).to_numpy(bool) | np.isnan(accuracy)
    # Nor may a network that is worse than a constant lose to one that failed.
    chance = rows["task_chance"].to_numpy(np.float64)
    accuracy = np.where(failed, chance, np.maximum(accuracy, chance))
    return rows.assign(keep=size, accuracy=accuracy, failed=failed)
