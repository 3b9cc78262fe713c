"""Do pruners rank alike on other tasks? Gaps on each task, and how ranks agree.

Every gap is of one task, relative to the networks known and to chance there; no mean is
over tasks. Only ranks of methods are compared between tasks, by Kendall's τ-b.

Sizes from the fewest weights known to reach 95 % on a task to four times these count,
so that each task contributes equally hard sizes.

Seeds are resampled for the limits of τ, all methods and tasks with the same seeds, as
configs of one seed start from the same weights. Noise of seeds blurs ranks and lowers
τ, in resamples a second time. With 10 methods and 8 or 16 seeds, simulated lower limits
lie above the true τ in 0 to 6 % of the cases. Upper limits lie below it in 1 to 6 %
where seeds spread by 0.03, but in up to 27 % where they spread by 0.08 and methods
truly rank alike: then τ is higher than it looks.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from spiral.errors import ConfigError
from spiral.protocol import identity
from spiral.protocol.methods import Methods
from spiral.report.stats import normalised_gap
from spiral.report.stats.compare import Question
from spiral.report.stats.frontier_notes import no_frontier
from spiral.report.stats.intervals import LEVEL
from spiral.report.stats.row_filter import chosen
from spiral.report.stats.selection import GIVEN, TASK, codes
from spiral.results import load
from spiral.search import best_known
from spiral.tasks import catalogue, cubist, from_file, naming

BY = ("method",)
"""Widths are strata: gaps are means over them."""
NOT_RANKED = ("dense", *GIVEN)
REACHES = best_known.THRESHOLDS[0]
MOST = 4
"""Times the fewest weights known: the largest size that counts."""
DRAWS = 2000

Frontiers = Callable[[str], pd.DataFrame]


class Transfer(NamedTuple):
    """Gaps of methods on several tasks, and how the ranks of two tasks agree."""

    gaps: pd.DataFrame
    """``task``, ``method``, ``gap`` with limits ``gap_low`` and ``gap_high``, ``n``
    seeds, the range ``least`` to ``most`` weights, and ``fewest`` known for 95 %."""
    agreement: pd.DataFrame
    """``a`` and ``b`` (tasks), ``tau`` with limits ``low`` and ``high``, ``methods``
    that both tasks have."""


def of_folders(
    folders: Sequence[Path], methods: Methods, question: Question
) -> Transfer:
    """Return what the rows of launches say.

    Raises:
        ConfigError: No row is left, or a task has no frontier or no method with a gap.
    """
    every, _ = load.read(folders, methods.options)
    return of_rows(chosen(every, question.where, methods), question, _frontier)


def of_rows(rows: pd.DataFrame, question: Question, frontiers: Frontiers) -> Transfer:
    """Return what rows of several tasks say, the default task first.

    Args:
        rows: Config columns and ``read.MEASURED``.
        question: How settings are chosen.
        frontiers: Returns the frontier of a task.

    Raises:
        ConfigError: A task has no method with a gap.
    """
    content = rows[TASK].map(identity.content)  # a file is one task wherever it lies
    lines, seeds = [], {}
    for key in sorted(content.unique(), key=lambda n: (n != catalogue.DEFAULT, n)):
        part = rows[content == key].reset_index(drop=True)
        task = part[TASK].iloc[0]
        line, seeds[task] = of_task(part, question, frontiers(task))
        lines.append(line.assign(task=task))
    return Transfer(pd.concat(lines, ignore_index=True), agreement(seeds))


def of_task(
    rows: pd.DataFrame, question: Question, known: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the gaps of the pruners on one task, and those of each seed.

    Args:
        rows: Of one task.
        question: How settings are chosen.
        known: The frontier of the task.

    Returns:
        A line for each method, as ``Transfer.gaps`` has it; and the gap of each method
        (index) and seed (columns), NaN where it has none.

    Raises:
        ConfigError: No method has a gap.
    """
    task = rows[TASK].iloc[0]
    fewest = best_known.fewest(known, REACHES)
    if fewest is None:
        raise ConfigError(no_frontier(task))
    choice = question.choose(rows, BY)
    _, lines = codes(choice.groups, choice.by)
    span = (fewest, MOST * fewest)
    each = normalised_gap.of_seeds(choice, known, span=span)
    found = lines.join(normalised_gap.with_limits(each, len(lines)))
    ranked = ~found["method"].isin(NOT_RANKED) & found["gap"].notna()
    if not ranked.any():
        raise ConfigError(
            f"expected rows of pruners at two sizes or more between {span[0]} and "
            f"{span[1]} weights on task {task}, got none"
        )
    method = each["line"].map(found.loc[ranked, "method"])
    wide = each.assign(method=method).pivot_table("gap", "method", "fold")
    return found[ranked].assign(fewest=fewest), wide


def agreement(seeds: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how the ranks of methods on each two tasks agree.

    Args:
        seeds: Task → gap of each method (index) and seed (columns).

    Returns:
        As ``Transfer.agreement`` has it; τ is NaN where both tasks have fewer than two
        methods, or all methods are equal on one.
    """
    found = []
    for a, b in combinations(seeds, 2):
        methods = seeds[a].index.intersection(seeds[b].index)
        one, other = (seeds[task].loc[methods] for task in (a, b))
        names = {"a": a, "b": b, "methods": len(methods)}
        found.append(names | _with_limits(one, other))
    columns = ["a", "b", "methods", "tau", "low", "high"]
    return pd.DataFrame(found, columns=columns)


def _with_limits(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    """Return τ of the mean gaps of methods on two tasks, with bootstrap limits."""
    every = one.columns.union(other.columns)
    tables = [part.reindex(columns=every).to_numpy(np.float64) for part in (one, other)]
    tau = float(kendall(*(_means(part, np.ones(len(every))) for part in tables)))
    if len(every) < 2:
        return {"tau": tau, "low": np.nan, "high": np.nan}
    draws = np.random.default_rng(0).multinomial(
        len(every), np.full(len(every), 1 / len(every)), DRAWS
    )
    drawn = kendall(*(_means(part, draws) for part in tables))
    tails = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    low, high = np.nanquantile(drawn, tails) if np.isfinite(tau) else (np.nan,) * 2
    return {"tau": tau, "low": float(low), "high": float(high)}


def _means(
    gaps: Float[np.ndarray, "M S"], counts: Float[np.ndarray, "*B S"]
) -> Float[np.ndarray, "*B M"]:
    """Return the mean gap of each method over seeds that occur so often."""
    there = ~np.isnan(gaps)
    with np.errstate(invalid="ignore"):  # none of a method's seeds was drawn
        found: Float[np.ndarray, "*B M"] = (counts @ np.nan_to_num(gaps).T) / (
            counts @ there.T
        )
    return found


def kendall(
    one: Float[np.ndarray, "*B M"], other: Float[np.ndarray, "*B M"]
) -> Float[np.ndarray, "*B"]:
    """Return Kendall's τ-b of two lists of numbers, for many at once.

    Pairs of which a number is missing do not count. NaN where all of a list are equal.
    """
    i, j = np.triu_indices(one.shape[-1], 1)
    signs = [np.sign(part[..., i] - part[..., j]) for part in (one, other)]
    there = ~np.isnan(signs[0] + signs[1])
    a, b = (np.where(there, sign, 0) for sign in signs)
    with np.errstate(invalid="ignore"):
        found: Float[np.ndarray, "*B"] = (a * b).sum(-1) / np.sqrt(
            (a**2).sum(-1) * (b**2).sum(-1)
        )
    return found


def over_turns(gaps: pd.DataFrame) -> pd.DataFrame:
    """Return the gaps on spirals of the default number of sides, with their ``turns``.

    Raises:
        ConfigError: There are fewer than two such tasks.
    """
    turns = {task: _turns(task) for task in gaps[TASK].unique()}
    found = gaps.assign(turns=gaps[TASK].map(turns)).dropna(subset="turns")
    if found["turns"].nunique() < 2:
        raise ConfigError(
            "expected rows of two tasks like cubist and cubist(turns=3), got those of "
            f"{', '.join(turns)}"
        )
    return found.sort_values(["turns", "method"], kind="stable", ignore_index=True)


def _turns(task: str) -> float:
    """Return the turns of a spiral like the default one, NaN for other tasks."""
    if from_file.is_named(task):
        return np.nan
    family, values = naming.parsed(task, catalogue.FAMILIES)
    alike = family.name == catalogue.DEFAULT and values["sides"] == cubist.SIDES
    return float(values["turns"]) if alike else np.nan


def _frontier(task: str) -> pd.DataFrame:
    """Return the frontier of a task.

    Raises:
        ConfigError: It has none.
    """
    if not best_known.exists(task):
        raise ConfigError(no_frontier(task))
    return best_known.load(task=task)
