"""Which rows are reported: groups of rows, and the setting of each that is shown.

A *group* is what is compared: the columns asked for, and the size (``keep``). Its rows
differ in seeds; in what distinguishes problems, its *strata* (width, initial weights
from a file); and in everything else in a config: its *settings* (learning rate,
schedule, options), of which each stratum shows one, chosen by the median.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from spiral import spelling
from spiral.errors import ConfigError
from spiral.protocol import config
from spiral.results.columns import MADE, options_among

SIZE = "keep"
SEEDS = ("seed", "init_seed", "order_seed")
STRATA = ("width", "init")
"""What distinguishes problems: each may need a learning rate of its own, so each shows
its own best setting."""
SHOWN = ("lr", "schedule")
"""Settings that tables have even where they do not vary."""

FAILED = ("aborted", "collapsed", "diverged", "infeasible")
"""Statuses of rows that are no network of the size asked for: they count as chance."""

GIVEN = ("block", "mask")
"""Methods that are given their mask, as in a search: not pruners."""

CHANCE = 0.5
"""The accuracy of a constant output: both classes have equally many points."""

Codes = Int[np.ndarray, " R"]


@dataclass(frozen=True)
class Choice:
    """All rows, the groups they make, and which of them are reported."""

    rows: pd.DataFrame
    """With numbers for ``group``, ``stratum``, ``setting`` and ``seed_code``; accuracy
    of failures is that of chance."""
    groups: pd.DataFrame
    """The columns asked for and ``keep``: one line for each group."""
    reported: Bool[np.ndarray, " R"]
    """Rows of the chosen settings; with a seed split, of seeds not used to choose."""
    settings: list[str]
    """Columns that make a setting."""

    @property
    def by(self) -> list[str]:
        """The columns asked for."""
        return [name for name in self.groups if name != SIZE]


def choose(
    rows: pd.DataFrame,
    by: Sequence[str] = ("method", "width"),
    seed_split: bool = False,
) -> Choice:
    """Group rows and choose the setting of each stratum with the highest median.

    Choosing a setting on the rows that are then reported flatters methods with many
    settings: of nine equally good ones with 8 normal seeds each, the best has a median
    0.6 standard deviations above the truth, of 27 one 0.8 above (simulated). A seed
    split chooses on every other seed of a stratum, the first included, and reports the
    rest: a stratum of one seed then has nothing to report.

    Args:
        rows: Rows with config columns and results.
        by: Config columns that make groups; ``keep`` always does.
        seed_split: Whether seeds that choose are left out of the report.

    Raises:
        ConfigError: A column does not exist or is a seed, or there is none.
    """
    fields = known_columns(rows)
    by = _checked(by, fields)
    varied = [n for n in fields if n in SHOWN or _varies(rows, n)]
    strata = [n for n in STRATA if n in varied and n not in by]
    settings = [n for n in varied if n not in {*by, SIZE, *SEEDS, *strata, *MADE}]
    table = clean(rows)
    table["group"], groups = codes(table, [*by, SIZE])
    table["stratum"], _ = codes(table, ["group", *strata])
    table["seed_code"], _ = codes(table, [n for n in SEEDS if n in rows])
    table["setting"], _ = codes(table, settings)
    cell, _ = codes(table, ["stratum", "setting"])
    stratum = table["stratum"].to_numpy()
    choosing = np.ones(len(table), bool)
    if seed_split:
        choosing = every_other(stratum, table["seed_code"].to_numpy())
    chosen = best_cell(cell, stratum, table["accuracy"].to_numpy(), choosing)
    reported = (chosen[stratum] == cell) & ~(choosing & seed_split)
    return Choice(table, groups, reported, settings)


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
            distinct, combined = np.unique(combined, return_inverse=True)
            range_ = len(distinct)
        combined = combined * size + np.where(each < 0, size - 1, each)
        range_ *= size
    _, first, code = np.unique(combined, return_index=True, return_inverse=True)
    return code, table[[*names]].iloc[first].reset_index(drop=True)


def every_other(stratum: Codes, seed: Codes) -> Bool[np.ndarray, " R"]:
    """Return the rows of every other seed of each stratum, its first among them.

    Every other one rather than the first half: when a launch is extended by higher
    seeds, those that chose settings before still do.
    """
    pairs = stratum * (seed.max(initial=0) + 1) + seed
    distinct, which = np.unique(pairs, return_inverse=True)
    home = distinct // (seed.max(initial=0) + 1)
    _, first, count = np.unique(home, return_index=True, return_counts=True)
    place = np.arange(len(distinct)) - np.repeat(first, count)
    chosen: Bool[np.ndarray, " R"] = (place % 2 == 0)[which]
    return chosen


def best_cell(
    cell: Codes,
    stratum: Codes,
    accuracy: Float[np.ndarray, " R"],
    choosing: Bool[np.ndarray, " R"],
) -> Int[np.ndarray, " S"]:
    """Return the cell of each stratum with the highest median; of equals, the first.

    By the median, as accuracies have two modes: a mean would choose the setting by how
    many of its seeds collapse.
    """
    cells, home, values = cell[choosing], stratum[choosing], accuracy[choosing]
    order = np.lexsort((values, cells))
    known, start, count = np.unique(cells[order], return_index=True, return_counts=True)
    low, high = start + (count - 1) // 2, start + count // 2
    middle = (values[order][low] + values[order][high]) / 2
    owner = home[order][start]
    best = np.lexsort((known, -middle, owner))
    _, first = np.unique(owner[best], return_index=True)
    return known[best][first]


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


def _varies(rows: pd.DataFrame, name: str) -> bool:
    """Return whether a column has several values; none is one.

    An option of some methods is empty in the rows of all others, which is no value.
    """
    column = rows[name]
    if column.nunique() > 1:
        return True
    having = column.notna()
    if name not in config.fields(config.Config):
        having = having[rows["method"].isin(rows["method"][having])]
    return bool(having.any() and not having.all())


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
    accuracy = np.where(failed, CHANCE, accuracy)
    return rows.assign(keep=size, accuracy=accuracy, failed=failed)
