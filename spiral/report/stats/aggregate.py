"""How good each group is: accuracy at every size, with intervals, and what it costs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from spiral.report.stats import budget_matched, intervals, means
from spiral.report.stats.selection import Choice
from spiral.results.read import MEASURED
from spiral.search import best_known as frontier

THRESHOLDS = frontier.THRESHOLDS

Each = Float[np.ndarray, " G"]


def summarise(
    choice: Choice,
    thresholds: Sequence[float] = THRESHOLDS,
    best_known: pd.DataFrame | None = None,
    pool: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return a table with one line for each group.

    Args:
        choice: Rows and groups.
        thresholds: Accuracies that are a success.
        best_known: A frontier, if there is one.
        pool: Rows that may have random masks; by default those compared.

    Returns:
        The group; ``n`` seeds reported (of all strata), ``strata``, the settings where
        all strata share them; of the rows reported: ``weights`` (median nnz),
        ``median``, ``iqm`` and ``best`` accuracy with limits (``_low``, ``_high``),
        ``success_t`` for each threshold, ``effective_nnz`` (median), ``disconnected``
        (share), ``steps`` (median of a training); over all settings and seeds:
        ``settings``, ``rows``, ``steps_all``, ``ok`` (share), how many of each other
        status, ``best_any``; ``trainings``, ``random_pool`` and ``random_best`` (see
        ``budget_matched``). With a frontier: ``frontier``, the best accuracy known at
        as many weights in as narrow a network, and ``accuracy_gap``: that accuracy
        minus the median (with limits) and minus the best; ``accuracy_gap_protocol``,
        the same to networks trained as in the paper.
    """
    used = [name for name in choice.rows if name in {*MEASURED, *choice.settings}]
    reported = choice.rows[[*used, "group", "stratum"]][choice.reported]
    count = len(choice.groups)
    parts = [
        choice.groups,
        _settings(choice, reported),
        _accuracy(reported, count),
        _success(reported, count, thresholds),
        _networks(reported, count),
        _everything(choice),
        budget_matched.matched(choice, pool),
    ]
    table = pd.concat(parts, axis=1)
    if best_known is None:
        return table
    return _with_accuracy_gap(table, widths(choice), best_known)


def medians(
    group: Int[np.ndarray, " R"], values: Float[np.ndarray, " R"], count: int
) -> Each:
    """Return the median of each group; NaN for an empty one."""
    found = np.full(count, np.nan)
    for batch in intervals.batches(group, values, np.zeros_like(group)):
        middle = (batch.values.shape[1] - 1) / 2
        place = np.full(len(batch.values), middle)
        found[batch.groups] = intervals.at(batch.values, place)
    return found


def sizes(groups: pd.DataFrame) -> Each:
    """Return the weights of each group; NaN for one without rows reported."""
    found: Each = groups["weights"].to_numpy(np.float64, na_value=np.nan)
    return found


def widths(choice: Choice) -> Each:
    """Return the hidden width of each group; of one with several, the largest."""
    largest = choice.rows["width"].groupby(choice.rows["group"]).max()
    found: Each = largest.to_numpy(np.float64)
    return found


def known_at(
    weights: Each, widths: Each, best_known: pd.DataFrame, kind: frontier.Kind
) -> Each:
    """Return the best accuracy known with at most these weights; NaN for none.

    Args:
        weights: The most weights of each.
        widths: The most units of its hidden layers: a network that does not fit is no
            rival.
        best_known: A frontier.
        kind: Which of its networks.
    """
    found: Each = np.full(len(weights), np.nan)
    for width in np.unique(widths):
        here = (widths == width) & ~np.isnan(weights)
        known = frontier.best(frontier.within(best_known, int(width)), kind)
        place = np.searchsorted(known.index.to_numpy(), weights[here], side="right")
        levels = np.concatenate([[np.nan], known.to_numpy(np.float64)])
        found[here] = levels[place]
    return found


def _settings(choice: Choice, reported: pd.DataFrame) -> pd.DataFrame:
    """Return the settings that the rows of a group share, else null."""
    grouped = reported.groupby("group")
    found = grouped[choice.settings].first()
    for name in choice.settings:
        mixed = grouped[name].nunique(dropna=False) > 1
        found[name] = found[name].mask(mixed)
    return found.reindex(range(len(choice.groups)))


def _accuracy(reported: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return counts, and median, IQM and best with their limits."""
    names = ["median", "median_low", "median_high", "iqm", "iqm_low", "iqm_high"]
    found = {name: np.full(count, np.nan) for name in [*names, "best", "best_low"]}
    columns = [reported[n].to_numpy() for n in ("group", "accuracy", "stratum")]
    for batch in intervals.batches(*columns):
        numbers = [*intervals.median(batch), *intervals.iqm(batch)]
        numbers += intervals.best(batch)
        for name, values in zip(found, numbers, strict=True):
            found[name][batch.groups] = values
    n = np.bincount(columns[0], minlength=count)
    strata = reported.drop_duplicates("stratum")["group"]
    counts = {"n": n, "strata": np.bincount(strata, minlength=count)}
    return pd.DataFrame(counts | found)


def _success(
    reported: pd.DataFrame, count: int, thresholds: Sequence[float]
) -> pd.DataFrame:
    """Return the share that reaches each threshold, with limits."""
    group = reported["group"].to_numpy()
    n = np.bincount(group, minlength=count)
    found: dict[str, Each] = {}
    for threshold in thresholds:
        reaching = reported["accuracy"].to_numpy() >= threshold
        with np.errstate(invalid="ignore"):
            rate = np.bincount(group, reaching, minlength=count) / n
        low, high = means.share(rate, n)
        name = f"success_{threshold:g}"
        found |= {name: rate, f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame(found)


def _networks(reported: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return what the networks reported are made of, and what they cost."""
    group = reported["group"].to_numpy()

    def median(name: str) -> Each:
        return medians(group, reported[name].to_numpy(np.float64), count)

    apart = ~reported["connected"].to_numpy(bool)
    with np.errstate(invalid="ignore"):
        share = np.bincount(group, apart, count) / np.bincount(group, minlength=count)
    return pd.DataFrame(
        {
            # A median between two counts is rounded up: excess is never understated.
            "weights": pd.array(np.ceil(median("nnz")), "Int64"),
            "effective_nnz": median("effective_nnz"),
            "disconnected": share,
            "steps": median("steps"),
        }
    )


def _everything(choice: Choice) -> pd.DataFrame:
    """Return statistics over all rows of a group, whatever their setting and seed."""
    rows, count = choice.rows, len(choice.groups)
    group, (status, names) = rows["group"].to_numpy(), pd.factorize(rows["status"])
    number = np.bincount(group, minlength=count)
    settings = rows["setting"].max() + 1
    pairs = np.unique(group * settings + rows["setting"].to_numpy())
    found: dict[str, np.ndarray] = {
        "settings": np.bincount(pairs // settings, minlength=count),
        "rows": number,
        "steps_all": rows["steps"].groupby(group).sum().to_numpy(np.int64),
        "ok": np.bincount(group, (names == "ok")[status], count) / number,
    }
    for name in sorted(set(names) - {"ok"}):
        these = (names == name)[status]
        found[name] = np.bincount(group[these], minlength=count)
    best = pd.Series(rows["accuracy"].to_numpy()).groupby(group).max()
    return pd.DataFrame(found | {"best_any": best.to_numpy()})


def _with_accuracy_gap(
    table: pd.DataFrame, widths: Each, best_known: pd.DataFrame
) -> pd.DataFrame:
    """Add the accuracy gap to the best networks known of the same size."""
    weights = sizes(table)
    found = {"frontier": known_at(weights, widths, best_known, "any")}
    level = found["frontier"]
    for name, of in (
        ("accuracy_gap", "median"),
        ("accuracy_gap_low", "median_high"),
        ("accuracy_gap_high", "median_low"),
        ("accuracy_gap_best", "best"),
    ):
        found[name] = level - table[of].to_numpy()
    same = known_at(weights, widths, best_known, "protocol")
    found["accuracy_gap_protocol"] = same - table["median"].to_numpy()
    return table.assign(**found)
