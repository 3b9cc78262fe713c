"""Notes on the numbers of a comparison, in sentences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from spiral.report.stats import (
    budget_matched,
    differences,
    frontier_notes,
    on_curve,
    tuning,
)
from spiral.report.stats.differences import Condition
from spiral.report.stats.intervals import LEAST_MEDIAN
from spiral.report.stats.selection import FAILED, STRATA, Choice
from spiral.results.columns import STATUSES, meanings

INTERVALS = (
    f"intervals have 95 % confidence; there is none (-) for a median of fewer than "
    f"{LEAST_MEDIAN} seeds, nor where the seeds exclude none of the sizes tried"
)


def of(
    choice: Choice,
    groups: pd.DataFrame,
    seed_split: bool,
    best_known: pd.DataFrame | None,
    differ: Sequence[Condition],
) -> list[str]:
    """Return notes on the numbers of a comparison.

    Args:
        choice: Rows and groups.
        groups: Their summary (``aggregate.summarise``).
        seed_split: Whether settings are chosen on seeds that are not reported.
        best_known: A frontier, if there is one.
        differ: The conditions that differ (``differences.of``).
    """
    found = [INTERVALS]
    if seed_split:
        found.append("settings are chosen on every other seed and reported on the rest")
        empty = int((groups["n"] == 0).sum())
        if empty:
            found.append(f"{empty} groups have only one seed and none left to report")
    else:
        found += tuned(choice, differ)
    found += [*unequal(choice), *unpaired(choice)]
    found += differences.pooled(choice, differ)
    found += [*statuses(choice.rows), *_meanings(choice.rows["status"])]
    found += budget_matched.note(choice, groups)
    return [*found, *frontier_notes.of(choice, best_known)]


def tuned(choice: Choice, differ: Sequence[Condition]) -> list[str]:
    """Return how settings were chosen, in sentences.

    Args:
        choice: Rows and groups.
        differ: The conditions that differ (``differences.of``).
    """
    if beside := [name for name in choice.strata if name not in STRATA]:
        return [
            f"rows of all settings are reported, and those compared that agree in them "
            f"({differences.several(beside)})"
        ]
    if not (choice.rows.groupby("problem")["setting"].nunique() > 1).any():
        return []
    names = differences.settings(differ)
    found = [
        f"settings{names and f' ({names})'} are cross-fitted: each half of the seeds "
        "is reported at the setting with the highest mean accuracy of the other half, "
        "over all sizes for which the same were tried (--seed-split reports one half)"
    ]
    found.append(
        "the halves choose for each other, so they are correlated: intervals of gaps, "
        "ranks and probabilities of improvement allow for that, those of medians, "
        "interquartile means, shares and weights needed do not: they may be up to "
        f"{1 - tuning.INFLATION**-0.5:.0%} too narrow".replace("%", " %")
    )
    alone = int(choice.in_sample.sum())
    if alone:
        found.append(
            f"{alone:,} rows are of the only seed of several settings, which is "
            "reported at the best of them: that is optimistic; add seeds"
        )
    return found


def unequal(choice: Choice) -> list[str]:
    """Return which groups had more settings to choose from than others, if any did."""
    count = choice.rows.groupby("group")["setting"].nunique()
    names = pd.Series(differences.lines(choice.groups[choice.by]))
    tried = count.groupby(names.loc[count.index]).max()
    if tried.nunique() < 2:
        return []
    words = []
    for number, part in sorted(tried.groupby(tried)):
        words.append(f"{number} settings ({differences.several(part.index)})")
    return [
        "comparisons of groups with different numbers of settings are unequal in their "
        f"tuning: {differences.several(words)}"
    ]


def unpaired(choice: Choice) -> list[str]:
    """Return which groups tried each setting on seeds of its own, if any did."""
    tried = choice.rows[["problem", "setting", "fold"]].drop_duplicates()
    of_problem = tried.groupby("problem")
    counts = of_problem["fold"].agg(["size", "nunique"])
    alone = counts["size"] == counts["nunique"]  # no seed has two settings
    apart = counts.index[alone & (of_problem["setting"].nunique() > 1)]
    groups = choice.rows.loc[choice.rows["problem"].isin(apart), "group"].unique()
    names = differences.lines(choice.groups.loc[np.sort(groups), choice.by])
    if not names:
        return []
    return [
        f"no two settings of {differences.several(dict.fromkeys(names))} were tried "
        "on the same seed, so the choice between settings is one between seeds, too; "
        "try all settings on the same seeds"
    ]


def gaps(scores: pd.DataFrame, by: Sequence[str]) -> list[str]:
    """Return over which weights gaps are averaged, and which groups have none."""
    if "gap" not in scores or scores.empty:
        return []
    known = scores.dropna(subset="gap")
    if known.empty:
        return []
    names = [] if len(by) < 2 else by[1:]
    found = []
    places = known.groupby([*names]) if names else [((), known)]
    for place, part in places:
        ends = f"{part['least'].min()} to {part['most'].max()} weights"
        where = ", ".join(f"{n} {v}" for n, v in zip(names, place, strict=True))
        found.append(f"{ends}{where and f' ({where})'}")
    sentences = [f"gaps are averaged over {differences.several(found)}"]
    missing = differences.lines(scores[scores["gap"].isna()][[*by]])
    if len(missing):
        sentences.append(
            f"{differences.several(missing)} {'has' if len(missing) == 1 else 'have'} "
            "no gap, for want of rows over these sizes"
        )
    return sentences


def on_the_curve(
    choice: Choice,
    excess: pd.DataFrame,
    thresholds: Sequence[float],
    best_known: pd.DataFrame | None,
) -> list[str]:
    """Return notes on which networks are less accurate on the curve than on points.

    Args:
        choice: Rows and groups.
        excess: Excess weights, maybe with ``any_arc_accuracy`` (``on_curve.of_lines``).
        thresholds: Accuracies to reach.
        best_known: A frontier, if there is one.
    """
    found = []
    if best_known is not None:
        known = on_curve.of_best_known(choice, thresholds, best_known)
        numbers = (known[name].to_numpy() for name in ("accuracy", "arc_accuracy"))
        found += on_curve.note("best known networks compared with", *numbers)
    if "any_arc_accuracy" in excess:
        if len(excess) > on_curve.MOST:
            found.append(
                "the accuracy of rows on the curve is left out, as there are more than "
                f"{on_curve.MOST} lines"
            )
        once = excess.dropna(subset="any_arc_accuracy").drop_duplicates("any_config_id")
        numbers = (once[f"any_{n}"].to_numpy() for n in ("accuracy", "arc_accuracy"))
        found += on_curve.note("networks counted as `any`", *numbers)
    return found


def brackets(excess: pd.DataFrame) -> list[str]:
    """Return between which sizes the smallest number of weights lies, in a sentence.

    Args:
        excess: As ``excess.excess_weights`` returns it.
    """
    if "proven" not in excess:
        return []
    known = excess.dropna(subset=["proven", "best_known"])
    ends = known.groupby("threshold").agg({"proven": "max", "best_known": "min"})
    words = [
        f"{low} ≤ smallest ≤ {high} for {level:g}"
        for level, low, high in ends.itertuples()
    ]
    if not words:
        return []
    return [
        "the smallest number of weights that reaches an accuracy is at least what is "
        f"proven and at most the best known: {', '.join(words)}"
    ]


def of_ranking(choice: Choice, method: str) -> list[str]:
    """Return notes on how a method was compared with others, and on its failures.

    Args:
        choice: Rows and groups of all methods.
        method: Which is ranked.
    """
    differ = differences.of(choice, besides=["source"])  # that of others is shipped
    own = choice.rows[choice.rows["method"] == method]
    return [
        *tuned(choice, differ),
        *unequal(choice),
        *unpaired(choice),
        *differences.unlike(differ),
        *differences.pooled(choice, differ, ways=False),
        *statuses(own, method),
        *_meanings(own["status"]),
    ]


def beside_ranking(
    choice: Choice,
    groups: pd.DataFrame,
    method: str,
    best_known: pd.DataFrame | None,
) -> list[str]:
    """Return the other notes on a ranking: on the other methods and the yardsticks.

    Args:
        choice: Rows and groups of all methods.
        groups: Their summary (``aggregate.summarise``).
        method: Which is ranked.
        best_known: A frontier, if there is one.
    """
    own = choice.rows["method"] == method
    status = choice.rows["status"]
    return [
        INTERVALS,
        *statuses(choice.rows[~own], "the other methods"),
        *_meanings(status[~status.isin(status[own])]),
        *budget_matched.note(choice, groups[groups["method"] == method]),
        *frontier_notes.of(choice, best_known),
    ]


def _meanings(status: pd.Series) -> list[str]:
    """Return in one sentence what the statuses of these rows mean."""
    found = meanings({*status.unique()})
    return ["; ".join(found)] if found else []


def degenerate(choice: Choice) -> list[str]:
    """Return how many of each method's rows reported are degenerate, in a sentence.

    Args:
        choice: Rows and groups.
    """
    rows = choice.rows[choice.reported]
    odd = (rows["status"] == "degenerate").groupby(rows["method"]).agg(["sum", "size"])
    words = [f"{n} of {size} of {name}" for name, n, size in odd.itertuples() if n]
    if not words:
        return []
    why = STATUSES["degenerate"]
    return [f"degenerate rows ({why}) count with their accuracy: {', '.join(words)}"]


def statuses(rows: pd.DataFrame, of: str = "") -> list[str]:
    """Return how rows with another status than ok are counted.

    Args:
        rows: Rows of one task.
        of: Whose rows they are, if there are others, as ``gmp``.
    """
    status, chance = rows["status"], rows["task_chance"].max()
    counts = status[status != "ok"].value_counts()
    whole = f"(of {len(status):,}{of and f' of {of}'})"
    failed = [f"{counts[name]:,} {name}" for name in FAILED if name in counts]
    found = []
    if failed:
        words = ", ".join(failed)
        found.append(f"failed rows count with accuracy {chance:.3g}: {words} {whole}")
    if "degenerate" in counts:
        number = counts["degenerate"]
        found.append(f"{number:,} degenerate rows count with their accuracy {whole}")
    return found
