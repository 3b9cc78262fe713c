"""A comparison in words and in tables for people; the numbers are all in its JSON."""

import json
import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd

from spiral.report.stats.compare import Comparison
from spiral.report.stats.selection import SHOWN, SIZE
from spiral.results.columns import STATUSES

DEFINITIONS = {
    "gaps": "fewest weights with which the median of n seeds reaches an accuracy, the "
    "best of them, and any row of any setting; in brackets what that is over the "
    "optimum, the fewest weights known at any width",
    "groups": "accuracy of n seeds at the setting with the best median; best_any: of "
    "all rows; ≥: the share of seeds that reach it; shortfall: of the median from the "
    "best network known with as many weights, at any width; effective: weights on a "
    "path",
    "pairs": "probability that a beats b with equal seeds, a tie counting half",
    "masks": "median accuracy of a method's own networks, of its masks trained from "
    "scratch, and of masks shuffled within layers; mask_gap is what the second misses "
    "to the best network known of the size, weight_gap what the first misses beyond",
    "distances": "weights that only one of a mask and the nearest optimal mask keeps, "
    "over all renumberings of hidden units (median of n networks)",
}
"""What each table shows."""


def document(found: Comparison) -> dict[str, Any]:
    """Return all that a comparison has found, for JSON."""
    question = found.question
    tables = {name: records(table) for name, table in found.tables.items()}
    return {
        "by": [*question.by],
        "conditions": found.conditions,
        "thresholds": [*question.thresholds],
        "where": {axis: [*values] for axis, values in question.where.items()},
        "honest": question.honest,
        "notes": found.notes,
        "definitions": DEFINITIONS,
        "statuses": STATUSES,
        **tables,
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table for JSON: a document a line, null where nothing is."""
    lines: list[dict[str, Any]] = json.loads(
        table.to_json(orient="records", double_precision=15)
    )
    return lines


def page(found: Comparison, tables: Sequence[str]) -> str:
    """Return tables for people, with what they show and what to know about them."""
    by, parts = [*found.question.by], []
    for name in tables:
        parts.append(textwrap.fill(f"{name}: {DEFINITIONS[name]}", 88))
        parts.append(text(name, found, by) + "\n")
    parts += [textwrap.fill(f"note: {note}", 88) for note in found.notes]
    return "\n".join(parts)


def text(table: str, found: Comparison, by: Sequence[str]) -> str:
    """Return one table of a comparison for people."""
    content = found.tables[table]
    return f"no {table}" if content.empty else as_text(shown(table, found, by))


def shown(table: str, found: Comparison, by: Sequence[str]) -> pd.DataFrame:
    """Return the columns of a table that a newcomer needs."""
    content = found.tables[table]
    if table == "gaps" and len(content):
        return _gaps(content, found.tables["pairs"], by, found.conditions)
    if table == "groups" and len(content):
        return _groups(content, by, found.conditions)
    return content


def as_text(table: pd.DataFrame) -> str:
    """Return a table for people."""
    return cells(table).to_string(index=False)


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return what people read: fractions with four digits, a dash for nothing."""
    found = table.astype(object).where(table.notna(), "-")
    for name in found:
        found[name] = [f"{v:.4g}" if isinstance(v, float) else v for v in found[name]]
    return found


def ranked(gaps: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Sort groups of each threshold, and of equal other columns, the best first."""
    order = ["threshold", *by[1:], "median", "best", "any"]
    return gaps.sort_values(order, kind="stable").reset_index(drop=True)


def _gaps(
    gaps: pd.DataFrame, pairs: pd.DataFrame, by: Sequence[str], differ: Sequence[str]
) -> pd.DataFrame:
    """Return the columns of the gaps that a newcomer needs."""
    gaps = ranked(gaps, by)
    shown = gaps[[*by, *differ, "threshold"]].copy()
    if "optimum" in gaps:
        shown["optimum"] = gaps["optimum"]
    lines = gaps.to_dict("records")
    for name in ("median", "best", "any"):
        shown[name] = [count(line, name) for line in lines]
        if name == "median":
            shown["interval"] = [limits(line) for line in lines]
    shown["n"] = gaps["n"]
    shown["beats next"] = _beats_next(gaps, pairs, by)
    return shown


def _groups(
    groups: pd.DataFrame, by: Sequence[str], differ: Sequence[str]
) -> pd.DataFrame:
    """Return the columns of the groups that a newcomer needs."""
    settings = [name for name in SHOWN if name in groups and name not in by]
    more = [name for name in differ if name not in SHOWN and name in groups]
    shown = groups[[*by, SIZE, *settings, *more, "n", "median"]].copy()
    ends = zip(groups["median_low"], groups["median_high"], strict=True)
    shown["interval"] = ["-" if pd.isna(a) else f"{a:.3f}–{b:.3f}" for a, b in ends]
    shown[["best", "best_any"]] = groups[["best", "best_any"]]
    for name in groups:
        threshold = str(name).removeprefix("success_")
        if threshold != name and not threshold.endswith(("_low", "_high")):
            shown[f"≥{threshold}"] = groups[name]
    if "shortfall" in groups:
        shown["shortfall"] = groups["shortfall"]
    return shown.assign(effective=groups["effective_nnz"])


def count(line: dict[Any, Any], name: str) -> str:
    """Return a count with its excess; a sign where no smaller or larger was tried."""
    if pd.isna(line["largest"]):
        return "-"
    if pd.isna(line[name]):
        return f">{line['largest']}"
    sign = "≤" if line[name] <= line["smallest"] else ""
    excess = line.get(f"{name}_excess")
    return f"{sign}{line[name]}" + ("" if pd.isna(excess) else f" ({excess:+})")


def limits(line: dict[Any, Any]) -> str:
    """Return the limits of the fewest weights of a median network, if there are any."""
    low, high = line["median_low"], line["median_high"]
    if pd.isna(line["largest"]) or (pd.isna(high) and low == line["smallest"]):
        return "-"
    if pd.isna(low):
        return f">{line['largest']}"
    return f"≥{low}" if pd.isna(high) else f"{low}–{high}"


def _beats_next(
    gaps: pd.DataFrame, pairs: pd.DataFrame, by: Sequence[str]
) -> list[str]:
    """Return how probably each line beats the one below, if those can be compared."""
    over_all = pairs[pairs[SIZE].isna()]
    known = {}
    for line in over_all.to_dict("records"):
        place = tuple(line[name] for name in by[1:])
        chance, low, high = line["probability"], line["low"], line["high"]
        known[(*place, line["a"], line["b"])] = (chance, low, high)
        known[(*place, line["b"], line["a"])] = (1 - chance, 1 - high, 1 - low)
    lines = gaps[["threshold", *by]].to_dict("records")
    found = []
    for line, following in zip(lines, [*lines[1:], {}], strict=True):
        place = tuple(line[name] for name in by[1:])
        chance = known.get((*place, line[by[0]], following.get(by[0])))
        alike = all(line[n] == following.get(n) for n in ("threshold", *by[1:]))
        found.append(
            "{:.2f} ({:.2f}–{:.2f})".format(*chance) if alike and chance else "-"
        )
    return found
