"""The document of a ranking: one method among the others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from spiral.report.stats.ranking import Ranking
from spiral.report.text import comparison
from spiral.report.text.document import Document, Table, interval

NAMED = 5
"""Rows that a message names."""

BETTER = "P(better)"
VERDICT = "verdict"

PAIRWISE = {
    "widths": "widths that both methods have rows of",
    BETTER: "probability of improvement: how often the method is better than this one, "
    "in pairs of equal seed, width and weights, a tie counting half",
    "interval": "95 % confidence interval of the probability",
    "n": "seeds",
    "pairs": "pairs of rows",
    VERDICT: "better or worse if the interval excludes 0.5",
}
RANK = "rank among all methods by the median, ties sharing one"
EXCESS = comparison.EXCESS | {
    "rank": RANK,
    "first": "the method of rank 1, and what its median needs",
}
SIZES = comparison.GROUPS | {
    "n": "seeds",
    "best": "accuracy of the best of the seeds",
    "disconnected": "share of networks without a path from input to output",
    "rank": RANK,
}


def document(found: Ranking, out: Path) -> Document:
    """Return a ranking: the rank, the numbers behind it, and notes."""
    facts = {
        "method": found.method,
        "rank": found.rank,
        "methods": found.methods,
        "widths": found.widths,
        "out": str(out),
    }
    title = f"Probability that {found.method} is better"
    tables = {
        "pairwise": Table(title, found.pairwise, pairwise(found), PAIRWISE),
        "excess": Table(
            comparison.TITLES["excess"], found.excess, excess(found), EXCESS
        ),
        "sizes": Table(comparison.TITLES["groups"], found.sizes, sizes(found), SIZES),
    }
    return Document(tables, found.notes, headline(found), facts)


def headline(found: Ranking) -> str:
    """Return the rank in a sentence."""
    over_all = found.pairwise[found.pairwise["width"].isna()]
    better = int((over_all["low"] > 1 / 2).sum())
    worse = int((over_all["high"] < 1 / 2).sum())
    return (
        f"{found.method}: rank {found.rank} of {found.methods} over "
        f"{_widths(found.widths)}. With 95 % confidence it is better than {better} of "
        f"the {found.methods - 1} others and worse than {worse} "
        f"(n = {over_all['n'].min()} seeds)."
    )


def _widths(widths: Sequence[int]) -> str:
    """Return widths in words."""
    words = [str(width) for width in widths]
    if len(words) < 2:
        return f"width {''.join(words) or 'none'}"
    return f"widths {', '.join(words[:-1])} and {words[-1]}"


def pairwise(found: Ranking) -> pd.DataFrame:
    """Return the comparisons over all widths, the strongest method first."""
    table = found.pairwise[found.pairwise["width"].isna()]
    ends = [*zip(table["low"], table["high"], strict=True)]
    by_width = found.pairwise.dropna(subset="width")
    widths = by_width.groupby("method")["width"].agg(lambda w: ", ".join(map(str, w)))
    return pd.DataFrame(
        {
            "against": table["method"],
            "widths": table["method"].map(widths),
            BETTER: [f"{chance:.2f}" for chance in table["probability"]],
            "interval": [interval(low, high, 2) for low, high in ends],
            "n": table["n"],
            "pairs": table["pairs"],
            VERDICT: [_verdict(low, high) for low, high in ends],
        }
    )


def _verdict(low: float, high: float) -> str:
    """Return what an interval of a probability of improvement implies."""
    if low > 1 / 2:
        return "better"
    return "worse" if high < 1 / 2 else "no significant difference"


def excess(found: Ranking) -> pd.DataFrame:
    """Return how many weights the method needs at each width and accuracy."""
    table = found.excess[found.excess["method"] == found.method]
    shown = table[["width", "threshold"]].copy()
    if "best_known" in table:
        shown["best_known"] = table["best_known"]
    shown = shown.join(comparison.needed(table)).join(comparison.yardsticks(table))
    shown["n"], shown["rank"] = table["n"], table["rank"]
    shown["first"] = [_first(found.excess, line) for line in table.to_dict("records")]
    return shown


def _first(excess: pd.DataFrame, line: dict[Any, Any]) -> str:
    """Return the best method of a width and threshold, and what it needs."""
    same = excess["threshold"] == line["threshold"]
    same &= excess["width"] == line["width"]
    best = comparison.ranked(excess[same], ("method", "width")).iloc[0]
    if pd.isna(best["median"]):
        return "none reaches it"
    return f"{best['method']}: {comparison.count(best.to_dict(), 'median')}"


def miscounted(found: Ranking) -> str:
    """Return which rows keep another number of weights than was asked for."""
    lines = [
        f"  config {line['config_id'][:12]} (width {line['width']}, seed "
        f"{line['seed']}, keep {line['keep']}): {line['nnz']} weights"
        for line in found.miscounted.head(NAMED).to_dict("records")
    ]
    count = len(found.miscounted)
    first = (
        f"{found.method}: expected each row to keep exactly the weights asked for, got "
        f"{count:,} that do not; keep that many, or return Plan(exact=False):"
    )
    return "\n".join([first, *lines])


def sizes(found: Ranking) -> pd.DataFrame:
    """Return the accuracy at each width and size."""
    table = found.sizes
    ends = zip(table["median_low"], table["median_high"], strict=True)
    shown = table[["width", "keep", "n", "median"]].copy()
    shown["interval"] = [interval(low, high) for low, high in ends]
    names = ["random_best", "accuracy_gap", "accuracy_gap_protocol"]
    shown = shown.join(table[[name for name in names if name in table]])
    return shown.assign(
        disconnected=table["disconnected"], best=table["best"], rank=table["rank"]
    )
