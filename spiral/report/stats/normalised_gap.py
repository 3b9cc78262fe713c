"""The normalised gap G: one number for a method, over all sizes and without threshold.

For each seed it is the share of what the best known networks have over chance that the
method's networks lack, averaged over the logarithm of the number of weights::

    G = ∫ (F(k) - a(k)) / (F(k) - c) d log k  /  ∫ d log k

F is the best accuracy known with k weights in as narrow a network, and a the method's
(c for a failure). c is chance, the accuracy of the better constant output: one half on
the Cubist Spiral. 0 is as good as the best known, 1 is chance; a network better than
the best known has a negative gap. Trapezoids in log k, from 16 to 65 weights: on the
Cubist Spiral from a little over the fewest that are known to reach 95 %, to four times
these.

Unlike a count of weights needed for a threshold it counts what never reaches it, and it
is strictly monotone in every accuracy.
"""

import itertools
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from spiral.report.stats import means
from spiral.report.stats.aggregate import known_at
from spiral.report.stats.selection import GIVEN, SIZE, Choice, codes, inflation
from spiral.search import best_known as frontier

RANGE = (16, 65)
"""Weights over which the gap is averaged, where rows have so few and so many."""


def of_seeds(
    choice: Choice,
    known: pd.DataFrame,
    kind: frontier.Kind = "any",
    span: tuple[int, int] = RANGE,
) -> pd.DataFrame:
    """Return the normalised gap of every seed of each line.

    The range is that of all rows at a place (of equal other columns than the first, and
    strata), cut to ``span``: at width 3 there are no 65 weights. A seed that lacks the
    ends or a size that its line has gets none, as its mean would be over others. Means
    over strata are over those that all lines of a place have.

    Args:
        choice: Rows and groups.
        known: A frontier.
        kind: Which of its networks.
        span: Fewest and most weights.

    Returns:
        ``line`` (a number for the columns asked for), ``fold``, ``gap``; ``step``, the
        largest share of the gap that one row has; the range, ``least`` and ``most``;
        the ``inflation`` of variances over seeds. Lines and seeds without a gap are
        left out.
    """
    cells = ["place", "line", "stratum", "fold", SIZE]
    each = lacks(choice, known, kind).groupby(cells, as_index=False)["lack"].mean()
    found = _integrals(_comparable(each), span)
    if found.empty:
        return found.assign(inflation=1.0)
    strata = found.groupby("line")["stratum"].nunique()
    whole = found.groupby(["line", "fold"], as_index=False).agg(
        gap=("gap", "mean"),
        step=("step", "max"),
        strata=("stratum", "nunique"),
        least=("least", "min"),
        most=("most", "max"),
    )
    wanted = whole["line"].map(strata)
    whole["step"] /= wanted
    whole["inflation"] = whole["line"].map(inflation(choice, choice.by))
    return whole[whole["strata"] == wanted].drop(columns="strata")


def _comparable(each: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of lines with several sizes, in strata that all of them have."""
    sizes = each.groupby(["line", "stratum"])[SIZE].transform("nunique")
    some = each[sizes > 1]
    lines = some.groupby("place")["line"].transform("nunique")
    return some[
        some.groupby(["place", "stratum"])["line"].transform("nunique") == lines
    ]


def lacks(
    choice: Choice, known: pd.DataFrame, kind: frontier.Kind = "any"
) -> pd.DataFrame:
    """Return for each row reported the share of the best known over chance it lacks.

    Args:
        choice: Rows and groups.
        known: A frontier.
        kind: Which of its networks.

    Returns:
        ``line``, ``place`` (a number for the other columns asked for than the first),
        ``stratum``, ``fold``, ``keep`` and ``lack``, without rows that have no size,
        or a size at which no network is known to be better than chance.
    """
    table = _rows(choice)
    sizes, widths = (table[name].to_numpy(np.float64) for name in (SIZE, "width"))
    best = known_at(sizes, widths, known, kind)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["lack"] = (best - table["accuracy"]) / (best - table["task_chance"])
    left = table[np.isfinite(table["lack"])]
    return left.drop(columns=["group", "accuracy", "task_chance"])


def of_lines(
    choice: Choice, known: pd.DataFrame, kind: frontier.Kind = "any"
) -> pd.DataFrame:
    """Return the normalised gap of each line, with limits.

    Returns:
        The columns asked for, and those of :func:`with_limits`.
    """
    _, lines = codes(choice.groups, choice.by)
    return lines.join(with_limits(of_seeds(choice, known, kind), len(lines)))


def with_limits(seeds: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the mean gap of the seeds of each line, with limits.

    Limits are Student's over seeds. A spread below that of one row of all the seeds at
    the other end of its scale is not believed (see ``means.student``).

    Args:
        seeds: As :func:`of_seeds` returns them.
        count: How many lines there are.

    Returns:
        ``gap`` with limits ``gap_low`` and ``gap_high``, ``n`` seeds, and the range
        ``least`` to ``most``, missing where no seed of a line has a gap.
    """
    found = {}
    for line, part in seeds.groupby("line"):
        n = len(part)
        floor = float(part["step"].max()) / np.sqrt(n)
        wider = float(part["inflation"].max())
        gap, low, high = means.student(part["gap"].to_numpy(), floor, wider)
        ends = {"least": part["least"].min(), "most": part["most"].max()}
        limits = {"gap_low": low, "gap_high": min(high, 1.0)}  # no gap is over 1
        found[line] = {"gap": gap, "n": n} | limits | ends
    names = ["gap", "gap_low", "gap_high", "n", "least", "most"]
    table = pd.DataFrame.from_dict(found, orient="index", columns=names)
    counts = dict.fromkeys(["n", "least", "most"], "Int64")
    return table.reindex(range(count)).astype(counts).fillna({"n": 0})


def _rows(choice: Choice) -> pd.DataFrame:
    """Return the rows reported that have a size, with numbers for line and place."""
    line, lines = codes(choice.groups, choice.by)
    rows = choice.rows
    place, _ = codes(lines, choice.by[1:])
    table = rows[["group", "fold", "width", SIZE, "accuracy", "task_chance"]].copy()
    table["line"] = line[table["group"].to_numpy()]
    table["stratum"], _ = codes(rows, choice.strata)
    table["place"] = place[table["line"].to_numpy()]
    wanted = choice.reported & table[SIZE].notna()
    return table[wanted & ~rows["method"].isin(GIVEN)]  # a search has no gap


KINDS = {"line": int, "stratum": int, "fold": int, "gap": float, "step": float}
KINDS |= {"least": int, "most": int}


def _integrals(each: pd.DataFrame, span: tuple[int, int]) -> pd.DataFrame:
    """Return the mean lack of each line, stratum and seed that covers its range."""
    ends = each.groupby(["place", "stratum"])[SIZE].agg(["min", "max"])
    each = each.sort_values(["line", "stratum"], kind="stable")
    line, stratum = (each[name].to_numpy(np.int64) for name in ("line", "stratum"))
    starts = np.flatnonzero(np.diff(line, prepend=-1) | np.diff(stratum, prepend=-1))
    fold, size = (each[name].to_numpy(np.int64) for name in ("fold", SIZE))
    lack, place = each["lack"].to_numpy(np.float64), each["place"].to_numpy()
    parts = []
    for start, stop in itertools.pairwise([*starts.tolist(), len(each)]):
        here = slice(start, stop)
        least, most = ends.loc[(place[start], stratum[start])]
        low, high = max(span[0], int(least)), min(span[1], int(most))
        found = _of_folds(fold[here], size[here], lack[here], (low, high))
        names = {"line": line[start], "stratum": stratum[start]}
        parts.append(names | found | {"least": low, "most": high})
    table = pd.DataFrame(parts, columns=[*KINDS]).explode(["fold", "gap"])
    return table.dropna(subset="fold").astype(KINDS)


def _of_folds(
    fold: Int[np.ndarray, " R"],
    size: Int[np.ndarray, " R"],
    lack: Float[np.ndarray, " R"],
    ends: tuple[int, int],
) -> dict[str, Any]:
    """Return the mean lack of each seed that has all sizes, if these cover a range.

    Arrays: a pivot of a table would take ten times as long.
    """
    folds, row = np.unique(fold, return_inverse=True)
    sizes, column = np.unique(size, return_inverse=True)
    low, high = ends
    if low >= high or sizes[0] > low or sizes[-1] < high:
        return {"fold": [], "gap": [], "step": np.nan}
    wide = np.full((len(folds), len(sizes)), np.nan)
    wide[row, column] = lack
    weights = trapezoid(tuple(sizes.astype(np.float64).tolist()), low, high)
    whole = ~np.isnan(wide).any(axis=1)
    gaps = wide[whole] @ weights
    return {"fold": folds[whole], "gap": gaps, "step": weights.max()}


@cache
def trapezoid(
    sizes: tuple[float, ...], low: float, high: float
) -> Float[np.ndarray, " S"]:
    """Return the weights of a mean over log size, linear between sizes.

    Args:
        sizes: Ascending; the first at most ``low``, the last at least ``high``.
        low: Where the range begins.
        high: Where it ends.
    """
    places = np.log(np.asarray(sizes, np.float64))
    first, last = np.log(low), np.log(high)
    inner = places[(places > first) & (places < last)]
    nodes = np.concatenate([[first], inner, [last]])
    steps = np.diff(nodes)
    shares = (np.append(steps, 0) + np.append(0, steps)) / (2 * (last - first))
    # Each node lies on a size or between two: unit vectors, interpolated
    each = [np.interp(nodes, places, row) for row in np.eye(len(places))]
    return np.array([shares @ row for row in each])
