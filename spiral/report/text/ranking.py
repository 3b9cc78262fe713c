"""A ranking in words and in tables for people; the numbers are all in its JSON."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from spiral.report.stats.ranking import Ranking
from spiral.report.text import comparison

DEFINITIONS = {
    "duels": "probability that the method beats each other one, over the widths that "
    "both have, in pairs of equal seed, width and weights; a tie counts half; the "
    "place is behind all that win more than half",
    "gaps": "fewest weights with which the median of n seeds reaches an accuracy, and "
    "the best of them; in brackets what that is over the optimum, the fewest weights "
    "known at any width; place: by the median",
    "sizes": "accuracy of n seeds at each size; shortfall: of the median from the best "
    "network known with as many weights, at any width; place: by the median",
}

SHOWN = 5
"""Rows that a message names."""


def document(found: Ranking, out: Path) -> dict[str, Any]:
    """Return all of a ranking, for JSON."""
    tables = {"duels": found.duels, "gaps": found.gaps, "sizes": found.sizes}
    return {
        "method": found.method,
        "place": found.place,
        "methods": found.methods,
        "widths": found.widths,
        "out": str(out),
        "notes": found.notes,
        "definitions": DEFINITIONS,
        **{name: comparison.records(table) for name, table in tables.items()},
    }


def page(found: Ranking, out: Path) -> str:
    """Return a ranking for people: the place, why, and what to know about it."""
    parts = [textwrap.fill(headline(found), 88) + "\n"]
    tables = {"duels": duels(found), "gaps": gaps(found), "sizes": sizes(found)}
    for name, table in tables.items():
        parts.append(textwrap.fill(f"{name}: {DEFINITIONS[name]}", 88))
        parts.append(comparison.as_text(table) + "\n")
    parts += [textwrap.fill(f"note: {note}", 88) for note in found.notes]
    parts.append(f"rows: {out}")
    return "\n".join(parts)


def headline(found: Ranking) -> str:
    """Return the place in a sentence."""
    over_all = found.duels[found.duels["width"].isna()]
    better = int((over_all["low"] > 1 / 2).sum())
    worse = int((over_all["high"] < 1 / 2).sum())
    return (
        f"{found.method}: place {found.place} of {found.methods} over "
        f"{_widths(found.widths)}. With 95 % "
        f"confidence better than {better} of the {found.methods - 1} others and worse "
        f"than {worse} (n = {over_all['n'].min()} seeds)."
    )


def _widths(widths: Sequence[int]) -> str:
    """Return widths in words."""
    words = [str(width) for width in widths]
    if len(words) < 2:
        return f"width {''.join(words) or 'none'}"
    return f"widths {', '.join(words[:-1])} and {words[-1]}"


def duels(found: Ranking) -> pd.DataFrame:
    """Return the meetings over all widths, the strongest first."""
    table = found.duels[found.duels["width"].isna()]
    ends = zip(table["low"], table["high"], strict=True)
    words = [
        "better" if low > 1 / 2 else "worse" if high < 1 / 2 else "not told apart"
        for low, high in zip(table["low"], table["high"], strict=True)
    ]
    by_width = found.duels.dropna(subset="width")
    widths = by_width.groupby("method")["width"].agg(lambda w: ", ".join(map(str, w)))
    return pd.DataFrame(
        {
            "against": table["method"],
            "widths": table["method"].map(widths),
            "beats it": [f"{chance:.2f}" for chance in table["probability"]],
            "interval": [f"{low:.2f}–{high:.2f}" for low, high in ends],
            "n": table["n"],
            "pairs": table["pairs"],
            "ours is": words,
        }
    )


def gaps(found: Ranking) -> pd.DataFrame:
    """Return how many weights ours needs at each width and accuracy."""
    table = found.gaps[found.gaps["method"] == found.method]
    lines = table.to_dict("records")
    shown = table[["width", "threshold"]].copy()
    if "optimum" in table:
        shown["optimum"] = table["optimum"]
    shown["median"] = [comparison.count(line, "median") for line in lines]
    shown["interval"] = [comparison.limits(line) for line in lines]
    shown["best"] = [comparison.count(line, "best") for line in lines]
    shown["n"], shown["place"] = table["n"], table["place"]
    shown["first"] = [_first(found.gaps, line) for line in lines]
    return shown


def _first(gaps: pd.DataFrame, line: dict[Any, Any]) -> str:
    """Return the best method of a width and threshold, and what it needs."""
    alike = (gaps["threshold"] == line["threshold"]) & (gaps["width"] == line["width"])
    best = comparison.ranked(gaps[alike], ("method", "width")).iloc[0]
    if pd.isna(best["median"]):
        return "none reaches"
    return f"{best['method']}: {comparison.count(best.to_dict(), 'median')}"


def miscounted(found: Ranking) -> str:
    """Return which rows keep another number of weights than they promise."""
    lines = [
        f"  config {line['config_id'][:12]} (width {line['width']}, seed "
        f"{line['seed']}, keep {line['keep']}): {line['nnz']} weights"
        for line in found.miscounted.head(SHOWN).to_dict("records")
    ]
    count = len(found.miscounted)
    first = (
        f"{found.method}: {count:,} rows keep another number of weights than asked "
        "for; expected exactly keep (or Plan(exact=False)):"
    )
    return "\n".join([first, *lines])


def sizes(found: Ranking) -> pd.DataFrame:
    """Return the accuracy at each width and size."""
    table = found.sizes
    ends = zip(table["median_low"], table["median_high"], strict=True)
    shown = table[["width", "keep", "n", "median"]].copy()
    shown["interval"] = [
        "-" if pd.isna(low) else f"{low:.3f}–{high:.3f}" for low, high in ends
    ]
    if "shortfall" in table:
        shown["shortfall"] = table["shortfall"]
    return shown.assign(
        disconnected=table["disconnected"], best=table["best"], place=table["place"]
    )
