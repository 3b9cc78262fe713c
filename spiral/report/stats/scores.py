"""One line for each method: its normalised gap, tuned and at defaults, and its rank."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool

from spiral.protocol import config
from spiral.protocol.config import OptionClasses
from spiral.report.stats import normalised_gap, ranks, strengths
from spiral.report.stats.selection import Choice, choose, codes

PLACE = ["method", "group", "stratum"]
"""Where rows at a default are told from others."""


def scores(
    choice: Choice,
    known: pd.DataFrame | None,
    compared: pd.DataFrame,
    defaults: Choice | None = None,
) -> pd.DataFrame:
    """Return a line for each group over all its sizes, the smallest gap first.

    Args:
        choice: Rows and groups.
        known: A frontier, if there is one.
        compared: As ``pairwise.pairwise`` returns it for these rows.
        defaults: The rows at default settings alone, if there are any.

    Returns:
        The columns asked for; ``settings`` tried; with a frontier ``gap`` (see
        ``normalised_gap``) with limits and its ``n`` seeds, from ``least`` to ``most``
        weights, ``rank_low`` and ``rank_high`` (see ``ranks``), ``gap_protocol``
        with limits, to networks that were trained as in the paper, and ``gap_default``
        with limits, of the rows at default settings; ``strength`` (Bradley and Terry's,
        in log odds, 0 on average).
    """
    line, lines = codes(choice.groups, choice.by)
    settings = choice.rows.groupby("group")["setting"].nunique().groupby(line).max()
    table = lines.assign(settings=settings.astype("Int64"))
    if known is not None:
        table = table.join(ranked(choice, known).drop(columns=choice.by))
        other = normalised_gap.of_lines(choice, known, "protocol")
        table = table.join(_renamed(other, "_protocol"))
        if defaults is not None:
            plain = normalised_gap.of_lines(defaults, known)
            plain = plain.set_index(choice.by)
            found = lines.merge(plain, "left", left_on=choice.by, right_index=True)
            table = table.join(_renamed(found, "_default"))
    table["strength"] = strengths.of_lines(choice.by, lines, compared)
    order = [*choice.by[1:], *(["gap"] if "gap" in table else [])]
    return table.sort_values(order, kind="stable", ignore_index=True)


def ranked(choice: Choice, known: pd.DataFrame) -> pd.DataFrame:
    """Return the normalised gap of each line with limits, and the limits of its rank.

    Returns:
        The columns of ``normalised_gap.of_lines``, and ``rank_low`` and ``rank_high``
        among the lines of equal other columns than the first.
    """
    _, lines = codes(choice.groups, choice.by)
    seeds = normalised_gap.of_seeds(choice, known)
    found = lines.join(normalised_gap.with_limits(seeds, len(lines)))
    return found.join(_ranks(seeds, lines, choice.by))


def at_defaults(
    choice: Choice, options: OptionClasses | None, seed_split: bool = False
) -> Choice | None:
    """Return the rows whose settings are all their method's defaults, as a choice.

    None where nothing was tuned, so that these are all, or where there are none.
    """
    rows = choice.rows.reset_index(drop=True)
    if options is None or rows["setting"].nunique() < 2:
        return None
    found = np.ones(len(rows), bool)
    code, methods = pd.factorize(rows["method"])
    fields = [config.fields_of(method, options) for method in methods]
    for name in choice.settings:
        having = rows[name].notna().to_numpy(bool)
        known = [i for i, own in enumerate(fields) if name in own]
        defaults = [fields[i][name].default for i in known]
        # Methods of equal defaults at once: methods are many, such defaults few
        for default in dict.fromkeys(defaults):
            alike = [
                i for i, own in zip(known, defaults, strict=True) if own == default
            ]
            these = np.flatnonzero(having & np.isin(code, alike))
            has = _has(rows[[*PLACE, name]].iloc[these], name, default)
            found[these[~has]] = False
    kept = rows[found].reset_index(drop=True)
    return choose(kept, choice.by, seed_split) if len(kept) else None


def _has(rows: pd.DataFrame, name: str, default: object) -> Bool[np.ndarray, " R"]:
    """Return which rows of methods that have an option have their default."""
    values = rows[name]
    if default is not None:
        return (values == default).to_numpy(bool)
    # Rows have what follows from other fields (the levels that a rate needs): the
    # default, as far as rows tell, unless several values were tried at one size
    tried = rows[[*PLACE, name]].drop_duplicates()
    several = tried.loc[tried.duplicated(PLACE), PLACE]
    places = pd.MultiIndex.from_frame(several)
    return ~pd.MultiIndex.from_frame(rows[PLACE]).isin(places)


def _renamed(found: pd.DataFrame, suffix: str) -> pd.DataFrame:
    """Return gap and limits under other names."""
    names = {
        "gap": f"gap{suffix}",
        "gap_low": f"gap{suffix}_low",
        "gap_high": f"gap{suffix}_high",
    }
    return found[[*names]].rename(columns=names)


def _ranks(seeds: pd.DataFrame, lines: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the ranks of lines among those of equal other columns."""
    place, _ = codes(lines, by[1:])
    parts = [
        ranks.table(part) for _, part in seeds.groupby(place[seeds["line"].to_numpy()])
    ]
    names = ["rank_low", "rank_high"]
    found = pd.concat(parts) if parts else pd.DataFrame(columns=names, dtype="Int64")
    return found.reindex(lines.index)
