"""Strengths of Bradley and Terry's model: one scale for all that met in pairs.

The difference of two strengths is the log odds that one beats the other. Fitted to all
pairs of rows, a tie being half a win of either: so, unlike a mean of probabilities of
improvement, a strength allows for whom a method was compared with.

Source: Maystre & Grossglauser, *Fast and Accurate Inference of Plackett-Luce Models*,
NeurIPS 2015, as in the package choix by the first author, with the same results. Not
that package, whose import loads all of scipy.stats: half of the time of ``rank``.
"""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.linalg import lu_factor, solve_triangular

from spiral.report.stats.selection import SIZE

SHRINKAGE = 0.01
"""Weight of the prior that all strengths are equal: without it a method that never
loses is infinitely strong."""

MOST = 100
"""Iterations, where some ten suffice."""

CLOSE = 1e-8
"""Mean change of a strength in an iteration that is the last."""

Each = Float[np.ndarray, " M"]


def of_lines(
    by: Sequence[str], lines: pd.DataFrame, compared: pd.DataFrame
) -> pd.Series:
    """Return the strengths of lines among those of equal other columns.

    Args:
        by: The columns asked for, the one to compare first.
        lines: Their values.
        compared: As ``pairwise.pairwise`` returns it.

    Returns:
        0 on average over the lines that met, even if by way of others only; NaN for a
        line that met none.
    """
    found = pd.Series(np.nan, lines.index)
    over_all = compared[compared[SIZE].isna()]
    number = {each: i for i, each in enumerate(_names(lines, by))}
    others = [*by[1:]]
    a, b = (
        np.array([number[each] for each in _names(over_all, [side, *others])], int)
        for side in "ab"
    )
    pairs = over_all["pairs"].to_numpy(np.float64)
    wins = np.zeros((len(lines), len(lines)))
    wins[a, b] = over_all["probability"].to_numpy(np.float64) * pairs
    wins[b, a] = pairs - wins[a, b]
    # Methods that never met, even by way of others, have no common scale
    for here in _parts(wins + wins.T > 0):
        if len(here) > 1:
            found.iloc[here] = fitted(wins[np.ix_(here, here)])
    return found


def _parts(met: Bool[np.ndarray, "M M"]) -> Iterator[Int[np.ndarray, " P"]]:
    """Yield the lines of each part in which all met, even if by way of others."""
    left = np.ones(len(met), bool)
    while left.any():
        here = np.arange(len(met)) == np.argmax(left)
        while (more := (met[here].any(axis=0) | here)).sum() > here.sum():
            here = more
        yield np.flatnonzero(here)
        left &= ~here


def fitted(wins: Float[np.ndarray, "M M"]) -> Each:
    """Return the strengths of maximum likelihood, 0 on average.

    The maximum is where the stationary distribution of a Markov chain, which goes from
    losers to winners at rates that depend on the distribution, is the one that the
    rates were made of.

    Args:
        wins: How often each, in a row, won against each other.

    Raises:
        RuntimeError: It does not converge.
    """
    strength = _stationary(wins, np.ones(len(wins)))
    for _ in range(MOST):
        before, strength = strength, _stationary(wins, _weights(strength))
        if np.abs(strength - before).sum() <= CLOSE * len(wins):
            return strength
    raise RuntimeError(f"strengths did not converge after {MOST} iterations")


def _weights(strength: Each) -> Each:
    """Return strengths as weights, 1 on average."""
    weights = np.exp(strength - np.mean(strength))
    return (len(weights) / weights.sum()) * weights


def _stationary(wins: Float[np.ndarray, "M M"], weights: Each) -> Each:
    """Return the log of the stationary distribution of the chain, 0 on average."""
    each = np.tile(weights, (len(weights), 1))
    chain = SHRINKAGE + wins.T / (each + each.T)
    chain -= np.diag(chain.sum(axis=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the chain is singular: rows add up to 0
        factors, _ = lu_factor(chain.T, check_finite=False)
    # So the last row is 0, and the last number may be any
    others = solve_triangular(factors[:-1, :-1], -factors[:-1, -1], check_finite=False)
    every = np.append(others, 1.0)
    log = np.log((len(every) / every.sum()) * every)
    return log - log.mean()


def _names(table: pd.DataFrame, columns: Sequence[str]) -> list[tuple[object, ...]]:
    """Return the values of some columns of each line; missing ones are None."""
    known = table[[*columns]].astype(object)
    values = known.where(known.notna(), None)
    return list(values.itertuples(index=False, name=None))
