"""Scores: which columns people read, and what they mean."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from spiral.report.text.document import interval

COLUMNS = {
    "rank": "among the lines of equal other columns: 1 + how many have a "
    "significantly smaller gap, to how many have none that is significantly larger; "
    "Holm's correction for all pairs, so all ranks hold at once with 95 % confidence",
    "gap": "normalised gap G: the share of what the best known networks have over "
    "chance that these lack, averaged over the logarithm of the weights; 0 is the "
    "best known, 1 is chance; with a 95 % confidence interval over seeds",
    "gap_protocol": "the same to the best networks known that were trained as the "
    "paper trains",
    "gap_default": "the gap of the rows at default settings, without any tuning",
    "strength": "of Bradley and Terry's model, fitted to all pairs of rows of equal "
    "seed and size, a tie counting half: the difference of two is the log odds that "
    "one beats the other",
    "settings": "settings tried",
    "n": "seeds",
}


def shown(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the columns of scores that a newcomer needs."""
    found = scores[[*by]].copy()
    if "gap" in scores:
        ends = zip(scores["rank_low"], scores["rank_high"], strict=True)
        found.insert(0, "rank", [rank(*each) for each in ends])
        for suffix in ("", "_protocol", "_default"):
            if f"gap{suffix}" in scores:
                found[f"gap{suffix}"] = estimates(scores, f"gap{suffix}")
    found["strength"] = [
        "-" if pd.isna(each) else f"{each:+.1f}" for each in scores["strength"]
    ]
    names = [name for name in ("settings", "n") if name in scores]
    return found.join(scores[names])


def rank(low: Any, high: Any) -> str:
    """Return the limits of a rank as a cell."""
    if pd.isna(low):
        return "-"
    return f"{low}" if low == high else f"{low}–{high}"


def estimates(table: pd.DataFrame, name: str) -> list[str]:
    """Return cells of a number with two digits and its limits."""
    columns = (table[name], table[f"{name}_low"], table[f"{name}_high"])
    return [
        "-" if pd.isna(each) else f"{each:.2f} ({interval(low, high, 2)})"
        for each, low, high in zip(*columns, strict=True)
    ]
