"""The document of a ranking: one method among the others."""

import textwrap
from pathlib import Path
from typing import Any

import pandas as pd

from spiral.report.stats.ranking import Ranking
from spiral.report.text import comparison, scores
from spiral.report.text.document import WIDE, Document, Table, interval

NAMED = 5
"""Rows that a message names."""

BETTER = "P(better)"
VERDICT = "verdict"
SIGNIFICANT = 0.05

PAIRWISE = {
    "widths": "widths that both methods have rows of",
    BETTER: "probability of improvement: how often the method is better than this one, "
    "in pairs of equal seed, width and weights, a tie counting half",
    "interval": "95 % confidence interval of the probability",
    "n": "seeds",
    "pairs": "pairs of rows",
    VERDICT: "better or worse if p < 0.05 for the probability being one half, "
    "corrected for all of these comparisons (Holm)",
}
PLACES = {
    "place": "by the gap alone, the smallest first",
    "rank": "the places it may truly have, with 95 % confidence for all methods of a "
    "width at once",
    "gap": "normalised gap G, with its 95 % confidence interval: 0 is as good as the "
    "best networks known, 1 is chance",
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
        "methods": found.methods,
        "widths": found.widths,
        "out": str(out),
    }
    title = f"Probability that {found.method} is better"
    shown = scores.shown(found.scores, ["method", "width"])
    tables = {
        "scores": Table(
            comparison.TITLES["scores"], found.scores, shown, scores.COLUMNS
        ),
        "pairwise": Table(title, found.pairwise, pairwise(found), PAIRWISE),
        "excess": Table(
            comparison.TITLES["excess"], found.excess, excess(found), EXCESS
        ),
        "sizes": Table(comparison.TITLES["groups"], found.sizes, sizes(found), SIZES),
    }
    notes = [*found.notes, *found.beside]
    return Document(tables, notes, headline(found), facts)


def brief(found: Ranking) -> Document:
    """Return a ranking for a glance: the neighbours, and each note in one line."""
    near = neighbours(found)
    title = f"The first method, and {found.method} between its neighbours"
    wide = WIDE - len("note: ")
    notes = [textwrap.shorten(note, wide, placeholder=" …") for note in found.notes]
    return Document(
        {"neighbours": Table(title, near, near, PLACES)}, notes, headline(found)
    )


def neighbours(found: Ranking) -> pd.DataFrame:
    """Return the first method at each width, and ours between those next to it."""
    columns = ["width", "place", "rank", "method", "gap", "n"]
    if "gap" not in found.scores:
        return pd.DataFrame(columns=columns)
    known = found.scores.dropna(subset="gap").copy()
    known["place"] = known.groupby("width").cumcount() + 1
    own = known[known["method"] == found.method].set_index("width")["place"]
    away = (known["place"] - known["width"].map(own)).abs()
    near = known[(away <= 1) | (away.notna() & (known["place"] == 1))]
    return scores.shown(near, ["width", "place", "method"])[columns]


def headline(found: Ranking) -> str:
    """Return the score and the rank at each width in a sentence."""
    lines = [line for line in found.own.to_dict("records") if pd.notna(line.get("gap"))]
    if not lines:
        why = "as no seed has rows of all sizes, or there is no frontier"
        return f"{found.method}: no normalised gap, {why}."
    words = [_at_width(found, line) for line in lines]
    seeds = min(line["n"] for line in lines)
    return (
        f"{found.method}: normalised gap {'; '.join(words)} (n = {seeds} seeds; the "
        "ranks of a width hold with 95 % confidence, all at once)."
    )


def _at_width(found: Ranking, line: dict[Any, Any]) -> str:
    """Return the score and the rank at one width in words."""
    same = found.scores["width"] == line["width"]
    among = int(found.scores.loc[same, "gap"].notna().sum())
    limits = interval(line["gap_low"], line["gap_high"], 2)
    rank = scores.rank(line["rank_low"], line["rank_high"])
    return (
        f"{line['gap']:.2f} ({limits}) at width {line['width']}, rank {rank} of {among}"
    )


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
            VERDICT: [
                _verdict(*each)
                for each in zip(table["probability"], table["p_holm"], strict=True)
            ],
        }
    )


def _verdict(probability: float, p: float) -> str:
    """Return what a corrected p-value of a probability of improvement implies."""
    if not p < SIGNIFICANT:
        return "no significant difference"
    return "better" if probability > 1 / 2 else "worse"


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
