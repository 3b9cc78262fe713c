"""The document of a comparison: which columns people read, and what they mean."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from spiral.report.stats.compare import Comparison
from spiral.report.stats.selection import SHOWN, SIZE
from spiral.report.text import scores
from spiral.report.text.document import Document, Table, interval
from spiral.results.columns import STATUSES

TITLES = {
    "scores": "Normalised gap to the best known, and rank",
    "excess": "Excess weights over the best known",
    "groups": "Accuracy at each size",
    "pairwise": "Probability of improvement",
    "masks": "Ablation of masks and weights",
    "distances": "Distance to the best known masks",
}

BETTER = "P(better than next)"
"""The column of the probability of improvement over the line below."""

YARDSTICKS = {
    "protocol": "fewest weights of a network known to reach the threshold that was "
    "trained as the paper trains (SGD from random weights for 50 epochs), no wider "
    "either; in brackets the excess of the median over it",
    "random": "fewest weights at which the best of as many random masks as the method "
    "trained is expected to reach the threshold; in brackets the excess of the best of "
    "all rows of the method over it; - too few random masks were trained",
}
EXCESS: dict[str, str] = {
    "threshold": "accuracy to reach",
    "best_known": "fewest weights known to reach the threshold, by any means, with "
    "hidden layers no wider than these networks'",
    "median": "between which numbers of weights half of the seeds begin to reach the "
    "threshold, and the excess over the best known; > none of the sizes tried reaches "
    "it, ≤ the smallest size tried does; the share of seeds is made monotone in the "
    "size (isotonic regression)",
    "interval": "95 % confidence interval of that number of weights; ≤ no smaller size "
    "is excluded, ≥ no larger one",
    "best": "the same for the best of the seeds",
    "any": "the same for any row, whatever its setting and seed",
    **YARDSTICKS,
    "n": "fewest seeds reported at any size",
    BETTER: "probability of improvement over the next line with equal seeds, a tie "
    "counting half, with a 95 % confidence interval",
}
GROUPS: dict[str, str] = {
    "keep": "weights asked for",
    "n": "seeds",
    "median": "median accuracy over the seeds",
    "interval": "95 % confidence interval of the median",
    "best": "accuracy of the best of the seeds",
    "best_any": "accuracy of the best of all rows, whatever their setting",
    "random_best": "expected accuracy of the best of as many random masks as the "
    "method trained, in all settings; - too few were trained",
    "accuracy_gap": "accuracy of the best network known with as many weights, found by "
    "any means and no wider, minus the median",
    "accuracy_gap_protocol": "the same to the best network known that was trained as "
    "the paper trains",
    "effective": "weights on a path from input to output (median)",
}
PAIRWISE = {
    "keep": "weights asked for; - is over all sizes",
    "probability": "probability of improvement: how often a is better than b with "
    "equal seeds, a tie counting half",
    "low": "lower limit of its 95 % confidence interval",
    "high": "upper limit of its 95 % confidence interval",
    "interval": "95 % confidence interval of the probability",
    "p": "p-value of the probability being one half",
    "p_holm": "the same corrected for all comparisons of this size (Holm)",
    "n": "seeds",
    "pairs": "pairs of rows",
    "ties": "pairs of equal accuracy",
}
MASKS = {
    "n": "seeds of the method",
    "own": "median accuracy of the method's networks",
    "n_mask": "seeds of its masks trained from scratch",
    "mask": "median accuracy of its masks trained from scratch",
    "shuffled": "median accuracy of its masks shuffled within layers",
    "positions": "mask minus shuffled: the effect of where weights are within layers",
    "mask_gap": "accuracy of the best network known of the size that is no wider, "
    "minus mask",
    "weight_gap": "mask minus own; mask_gap and weight_gap add up to the accuracy gap",
}
DISTANCES = {
    "weights": "weights of the masks compared",
    "n": "networks compared",
    "hamming": "weights that only one of a mask and the nearest best known mask keeps, "
    "minimised over permutations of hidden units (median)",
    "hamming_least": "the smallest of these distances",
    "jaccard": "the same distance as a share of the weights that either keeps (median)",
    "exact": "share of distances that are exact; the others are upper bounds",
}


def document(found: Comparison) -> Document:
    """Return all that a comparison has found."""
    question = found.question
    facts = {
        "by": [*question.by],
        "conditions": found.conditions,
        "thresholds": [*question.thresholds],
        "where": {axis: [*values] for axis, values in question.where.items()},
        "seed_split": question.seed_split,
        "each_size": question.each_size,
        "equal_settings": question.equal_settings,
        "statuses": STATUSES,
    }
    return Document(tables(found), found.notes, facts=facts)


def tables(found: Comparison) -> dict[str, Table]:
    """Return each table of a comparison, with the columns a newcomer needs."""
    by, content = [*found.question.by], found.tables
    shown = {name: content[name] for name in TITLES}
    shown["scores"] = pd.DataFrame()
    if "gap" in content["scores"] and content["scores"]["gap"].notna().any():
        shown["scores"] = scores.shown(content["scores"], by)
    if len(content["excess"]):
        shown["excess"] = _excess(
            content["excess"], content["pairwise"], by, found.conditions
        )
    if len(content["groups"]):
        shown["groups"] = _groups(content["groups"], by, found.conditions)
    levels = {
        f"≥{level:g}": f"share of the seeds with an accuracy of {level:g} or more"
        for level in found.question.thresholds
    }
    definitions = {
        "scores": scores.COLUMNS,
        "excess": EXCESS,
        "groups": GROUPS | levels,
        "pairwise": PAIRWISE,
        "masks": MASKS,
        "distances": DISTANCES,
    }
    return {
        name: Table(title, content[name], shown[name], definitions[name])
        for name, title in TITLES.items()
    }


def ranked(excess: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Sort groups of each threshold, and of equal other columns, the best first."""
    order = ["threshold", *by[1:], "median", "best", "any"]
    return excess.sort_values(order, kind="stable").reset_index(drop=True)


def _excess(
    excess: pd.DataFrame, pairwise: pd.DataFrame, by: Sequence[str], also: Sequence[str]
) -> pd.DataFrame:
    """Return the columns of excess weights that a newcomer needs."""
    excess = ranked(excess, by)
    shown = excess[[*by, *also, "threshold"]].copy()
    if "best_known" in excess:
        shown["best_known"] = excess["best_known"]
    shown = shown.join(needed(excess))
    shown["any"] = [count(line, "any") for line in excess.to_dict("records")]
    shown = shown.join(yardsticks(excess))
    shown["n"] = excess["n"]
    shown[BETTER] = _better_than_next(excess, pairwise, by)
    return shown


def _groups(
    groups: pd.DataFrame, by: Sequence[str], also: Sequence[str]
) -> pd.DataFrame:
    """Return the columns of the groups that a newcomer needs."""
    settings = [name for name in SHOWN if name in groups and name not in by]
    more = [name for name in also if name not in SHOWN and name in groups]
    shown = groups[[*by, SIZE, *settings, *more, "n", "median"]].copy()
    ends = zip(groups["median_low"], groups["median_high"], strict=True)
    shown["interval"] = [interval(low, high) for low, high in ends]
    shown[["best", "best_any"]] = groups[["best", "best_any"]]
    for name in groups:
        threshold = str(name).removeprefix("success_")
        if threshold != name and not threshold.endswith(("_low", "_high")):
            shown[f"≥{threshold}"] = groups[name]
    names = ["random_best", "accuracy_gap", "accuracy_gap_protocol"]
    shown = shown.join(groups[[name for name in names if name in groups]])
    return shown.assign(effective=groups["effective_nnz"])


def needed(excess: pd.DataFrame) -> pd.DataFrame:
    """Return cells: the fewest weights of the median with limits, and of the best."""
    lines = excess.to_dict("records")
    found = {
        "median": [count(line, "median") for line in lines],
        "interval": [limits(line) for line in lines],
        "best": [count(line, "best") for line in lines],
    }
    return pd.DataFrame(found, index=excess.index)


def yardsticks(excess: pd.DataFrame) -> pd.DataFrame:
    """Return cells: what else is compared with, and the excess over it."""
    lines = excess.to_dict("records")
    found = {"random": [_random(line) for line in lines]}
    if "best_known_protocol" in excess:
        found = {"protocol": [_protocol(line) for line in lines]} | found
    return pd.DataFrame(found, index=excess.index)


def _protocol(line: dict[Any, Any]) -> str:
    """Return the fewest weights trained as in the paper, with the excess over them."""
    fewest = line["best_known_protocol"]
    if pd.isna(fewest):
        return "-"
    return f"{fewest}{_signed(line['median_excess_protocol'])}"


def _random(line: dict[Any, Any]) -> str:
    """Return the fewest weights of random masks, with the excess over them."""
    fewest, largest = line["random_masks"], line["largest"]
    if pd.isna(fewest):
        unknown = line["random_masks_short"] or pd.isna(largest)
        return "-" if unknown else f">{largest}"
    sign = "≤" if pd.notna(largest) and fewest <= line["smallest"] else ""
    return f"{sign}{fewest}{_signed(line['any_excess_random'])}"


def _signed(excess: Any) -> str:
    """Return an excess in brackets; nothing if there is none."""
    return "" if pd.isna(excess) else f" ({excess:+})"


def count(line: dict[Any, Any], name: str) -> str:
    """Return a count with its excess; a sign where no smaller or larger was tried.

    Of a crossing between two sizes that were tried, the first and last it may be.
    """
    if pd.isna(line["largest"]):
        return "-"
    if pd.isna(line[name]):
        return f">{line['largest']}"
    least = line.get(f"{name}_least")
    if least is None or pd.isna(least) or least == line[name]:
        sign = "≤" if line[name] <= line["smallest"] else ""
        return f"{sign}{line[name]}{_signed(line.get(f'{name}_excess'))}"
    ends = (line.get(f"{name}_excess_least"), line.get(f"{name}_excess"))
    more = "" if pd.isna(ends[1]) else f" ({ends[0]:+} to {ends[1]:+})"
    return f"{least}–{line[name]}{more}"


def limits(line: dict[Any, Any]) -> str:
    """Return the limits of where half of the seeds reach, if there are any."""
    low, high = line["median_low"], line["median_high"]
    if pd.isna(line["largest"]) or (pd.isna(low) and pd.isna(high)):
        return "-"
    if pd.isna(low):
        return f"≤{high}"
    if pd.isna(high):
        above = low > line["largest"]
        return f">{line['largest']}" if above else f"≥{low}"
    return f"{low}–{high}" if low != high else f"{low}"


def _better_than_next(
    excess: pd.DataFrame, pairwise: pd.DataFrame, by: Sequence[str]
) -> list[str]:
    """Return the probability of improvement of each line over the one below it."""
    over_all = pairwise[pairwise[SIZE].isna()]
    known = {}
    for line in over_all.to_dict("records"):
        place = tuple(line[name] for name in by[1:])
        chance, low, high = line["probability"], line["low"], line["high"]
        known[(*place, line["a"], line["b"])] = (chance, low, high)
        known[(*place, line["b"], line["a"])] = (1 - chance, 1 - high, 1 - low)
    lines = excess[["threshold", *by]].to_dict("records")
    found = []
    for line, following in zip(lines, [*lines[1:], {}], strict=True):
        place = tuple(line[name] for name in by[1:])
        chance = known.get((*place, line[by[0]], following.get(by[0])))
        alike = all(line[n] == following.get(n) for n in ("threshold", *by[1:]))
        found.append(
            "{:.2f} ({:.2f}–{:.2f})".format(*chance) if alike and chance else "-"
        )
    return found
