"""Rows to numbers: how good each method is at each size, with counts."""

from collections.abc import Sequence

import pandas as pd

from spiral import config, methods
from spiral.errors import ConfigError

SEEDS = ("seed", "init_seed", "order_seed")
"""What a summary is taken over; everything else makes another setting."""


def summarise(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return accuracy per group: median and best over seeds, with counts.

    Only seeds are summarised over. Within a group, every setting (learning rate,
    schedule, and whatever else of a config varies) gets the median and the best of its
    seeds; shown are those of the setting with the highest median. Choosing the setting
    on the rows that are then reported flatters methods with many settings; ``settings``
    says how many there were.

    Args:
        rows: Rows with config columns, ``status`` and ``accuracy``.
        by: Columns that make a group.

    Returns:
        One row per group: ``median``, ``best`` (at the chosen setting), ``n`` (its
        seeds), ``settings``, ``lr``, ``schedule``, and over all settings ``rows``,
        ``ok`` (share with that status) and ``best_any``.

    Raises:
        ConfigError: A column does not exist.
    """
    missing = [name for name in by if name not in rows]
    if missing:
        raise ConfigError(f"no column {missing[0]!r}; known are {', '.join(rows)}")
    fields = [*config.fields(config.Config), *methods.option_fields()]
    varied = [n for n in fields if n in rows and rows[n].nunique() > 1]
    shown = [n for n in ("lr", "schedule") if n in rows]
    setting = [n for n in dict.fromkeys([*shown, *varied]) if n not in {*by, *SEEDS}]
    per = rows.groupby([*by, *setting], dropna=False, sort=True)["accuracy"]
    cells = per.agg(median="median", best="max", n="count").reset_index()
    cells = cells.sort_values("median", ascending=False, kind="stable")
    groups = cells.groupby([*by], dropna=False, sort=False)
    chosen = groups.head(1).set_index([*by])
    chosen["settings"] = groups.size()
    whole = rows.assign(ok=rows["status"] == "ok").groupby([*by], dropna=False)
    chosen["rows"] = whole.size()
    chosen["ok"] = whole["ok"].mean()
    chosen["best_any"] = whole["accuracy"].max()
    return chosen.sort_index().reset_index()


def over_size(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a summary per method, width and size, for figures.

    Size is the column ``keep``: the weights asked for, or, for methods that are not
    asked (blocks, masks), those they have; null for dense networks.
    """
    size = rows["keep"].fillna(rows["nnz"]).mask(rows["method"] == "dense")
    return summarise(rows.assign(keep=size), ["method", "width", "keep"])


def as_text(table: pd.DataFrame) -> str:
    """Return a table for people: fractions with four digits, nulls as a dash."""
    shown = table.astype(object).where(table.notna(), "-")
    for name in shown:
        shown[name] = [f"{v:.4g}" if isinstance(v, float) else v for v in shown[name]]
    return shown.to_string(index=False)
