"""Intervals of 95 % of order statistics, for many groups of seeds at once.

What each is, and where simulation finds 93 to 97 % (``tests/report/test_coverage.py``):

- median: order statistics, from 6 seeds, the fewest that a sign test of 2.5 % can
  distinguish from chance, so that tables of accuracies and of weights have intervals
  from the same number on. (Percentiles of bootstrapped medians jump from
  one seed to the next: at 7 and 21 seeds they hold 87 and 92 %.)
- interquartile mean: stratified bootstrap, from 7 seeds in each stratum. (Plain
  percentiles hold 93 % at 10 seeds, 91 % at 5.) Ten to a stratum if strata differ.
- best: how low the best of as many seeds again may fall, from 3 seeds. Above it no seed
  has been, so without assumptions nothing but 1 is a limit.

Where there are too few seeds for an interval it is NaN.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from math import comb
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Int32

LEVEL = 0.95
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
RESAMPLES = 2000
"""Of a bootstrap: then limits that should cut off 2.5 % cut off 1.8 to 3.2 %."""
CHUNK = 2_000_000
"""Numbers that one step of a bootstrap may hold: 16 MB."""
TOGETHER = CHUNK // RESAMPLES
"""Groups that are resampled together."""

LEAST_MEDIAN, LEAST_IQM = 6, 7
"""Fewest seeds (for the IQM in each stratum) for an interval; the first is what
:func:`rarely` needs, and so holds for the fewest weights of a median, too."""

Each = Float[np.ndarray, " G"]
"""One number for each group."""


class Batch(NamedTuple):
    """Groups of equal size, each sorted."""

    groups: Int[np.ndarray, " G"]
    """Which groups they are."""
    values: Float[np.ndarray, "G n"]
    """Ascending."""
    strata: Int[np.ndarray, "G n"]
    """The stratum of each value, any numbers."""


def batches(
    group: Int[np.ndarray, " R"],
    values: Float[np.ndarray, " R"],
    strata: Int[np.ndarray, " R"],
) -> Iterator[Batch]:
    """Sort values into their groups and yield groups of equal size together."""
    order = np.lexsort((strata, values, group))
    known, start, count = np.unique(group[order], return_index=True, return_counts=True)
    for size in np.unique(count):
        members = count == size
        place = order[start[members][:, None] + np.arange(size)]
        yield Batch(known[members], values[place], strata[place])


def median(batch: Batch) -> tuple[Each, Each, Each]:
    """Return the medians and their limits.

    Limits are order statistics, interpolated, z·√(v·(n-1)/n) places from the middle,
    where v is the variance of the number of values below the median: n/4, or with
    several strata the sum of theirs, drawn towards n/4 as far as four values would:
    few values give a variance that is often too small. The factor (n-1)/n corrects
    for the whole places between which limits are interpolated: without it they hold
    96 to 97 % at 6 and 10 seeds.

    Source: Woodruff, JASA 1952, for strata.
    """
    n = batch.values.shape[1]
    middle = at(batch.values, np.full(len(batch.values), (n - 1) / 2))
    if n < LEAST_MEDIAN:
        return middle, np.full_like(middle, np.nan), np.full_like(middle, np.nan)
    half = Z * np.sqrt(_variance_below(batch, middle) * (n - 1) / n)
    low, high = (at(batch.values, (n - 1) / 2 + sign * half) for sign in (-1, 1))
    return middle, low, high


def iqm(batch: Batch) -> tuple[Each, Each, Each]:
    """Return the means of the middle halves and their limits.

    The limits are percentiles of resampled means, each stratum resampled by itself.
    With S strata the percentiles are those of z·n/(n - S) instead of z: √(n/(n - S))
    makes up for the bootstrap's variance being too small by that, and once more for
    that variance being uncertain (as Student's t does).

    Source: Hesterberg, The American Statistician 2015, widens percentiles likewise.
    """
    n = batch.values.shape[1]
    middle = _weighed(batch.values, middle_half(np.ones((n, 1))))[:, 0]
    low, high = np.full_like(middle, np.nan), np.full_like(middle, np.nan)
    strata = _numbered(batch.strata)
    sizes = _sizes(strata)
    enough = np.flatnonzero(np.where(sizes, sizes, n).min(axis=1) >= LEAST_IQM)
    if not len(enough):
        return middle, low, high
    patterns, which = np.unique(strata[enough], axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        alike = enough[which == number]
        for part in np.array_split(alike, -(-len(alike) // TOGETHER)):
            low[part], high[part] = _resampled(batch.values[part], pattern)
    return middle, low, high


def best(batch: Batch) -> tuple[Each, Each]:
    """Return the best values, and what the best of as many seeds again will exceed.

    All 2n seeds being alike, the j highest are all old with the chance
    n/2n · (n - 1)/(2n - 1) · … (j factors). Then no new one exceeds the j-th highest
    old one. The limit is at the j where that chance is 5 %, interpolated. Strata make
    it lower than needed, never higher.
    """
    n = batch.values.shape[1]
    highest, chance = batch.values[:, -1], 1.0
    for place in range(n):
        before, chance = chance, chance * (n - place) / (2 * n - place)
        if chance <= 1 - LEVEL:
            part = (before - 1 + LEVEL) / (before - chance)
            return highest, at(batch.values, np.full(len(highest), n - place - part))
    return highest, np.full_like(highest, np.nan)


@cache
def rarely(successes: int, n: int) -> bool:
    """Return whether so few of n come up by a fair coin in at most 2.5 % of cases."""
    ways = sum(comb(n, k) for k in range(successes + 1))
    return 40 * ways <= 1 << n  # whole numbers: exact for any n, 2.5 % being 1/40


def middle_half(counts: Float[np.ndarray, "n B"]) -> Float[np.ndarray, "n B"]:
    """Return the weight that sorted values, so often each, have in the middle half.

    Values on a border count in part, so that the middle half of any number is a half.
    """
    ends = np.cumsum(counts, axis=0)
    total = ends[-1:]
    inside = np.clip(ends, total / 4, 3 * total / 4)
    return np.diff(inside, axis=0, prepend=total / 4) / (total / 2)


def at(values: Float[np.ndarray, "G n"], place: Each) -> Each:
    """Return what sorted values have at a place from 0 to n - 1, interpolated."""
    last = values.shape[1] - 1
    place = np.clip(place, 0, last)
    before = np.floor(place).astype(int)
    after = np.minimum(before + 1, last)
    row = np.arange(len(values))
    low, high = values[row, before], values[row, after]
    between: Each = low + (place - before) * (high - low)
    return between


def _variance_below(batch: Batch, middle: Each) -> Each:
    """Return the variance of the number of values below the median."""
    n = batch.values.shape[1]
    strata = _numbered(batch.strata)
    if not strata.any():
        return np.full(len(middle), n / 4)
    below = np.sign(middle[:, None] - batch.values) / 2 + 0.5
    # All strata of all groups at once: there may be as many as rows
    size = _sizes(strata)
    part = _sizes(strata, below) / np.maximum(size, 1)
    each = size * part * (1 - part) * size / np.maximum(size - 1, 1)
    found = np.add.accumulate(each, axis=1)[:, -1]
    degrees = np.maximum(size - 1, 0).sum(axis=1)
    drawn: Each = (found * degrees + n / 4 * 4) / (degrees + 4)
    return np.where(strata.any(axis=1), np.minimum(drawn, n / 4), n / 4)


def _sizes(
    strata: Int[np.ndarray, "G n"], weights: Float[np.ndarray, "G n"] | None = None
) -> Int[np.ndarray, "G S"] | Float[np.ndarray, "G S"]:
    """Return how many values each numbered stratum of each group has, or their sum."""
    groups, count = len(strata), int(strata.max()) + 1
    place = strata + np.arange(groups)[:, None] * count
    each = None if weights is None else weights.ravel()
    return np.bincount(place.ravel(), each, groups * count).reshape(groups, count)


def _numbered(strata: Int[np.ndarray, "G n"]) -> Int[np.ndarray, "G n"]:
    """Number the strata of each group from 0 in ascending order."""
    order = np.argsort(strata, axis=1, kind="stable")
    ranked = np.take_along_axis(strata, order, axis=1)
    steps = np.diff(ranked, axis=1, prepend=ranked[:, :1]) != 0
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.cumsum(steps, axis=1), axis=1)
    return found


def _resampled(
    values: Float[np.ndarray, "G n"], strata: Int[np.ndarray, " n"]
) -> tuple[Each, Each]:
    """Return the limits of the IQM for groups whose strata lie alike."""
    size, sizes = len(strata), tuple(np.bincount(strata).tolist())
    drawn = _draws(sizes)
    place = np.argsort(np.argsort(strata, kind="stable"))
    means = np.empty((len(values), RESAMPLES))
    step = max(1, CHUNK // size)
    for start in range(0, RESAMPLES, step):
        part = slice(start, start + step)
        means[:, part] = _weighed(values, middle_half(drawn[place, part]))
    means.sort(axis=1)
    tail = NormalDist().cdf(-Z * size / (size - len(sizes))) * (RESAMPLES - 1)
    ends = [np.full(len(values), place) for place in (tail, RESAMPLES - 1 - tail)]
    return at(means, ends[0]), at(means, ends[1])


def _weighed(
    values: Float[np.ndarray, "G n"], weights: Float[np.ndarray, "n B"]
) -> Float[np.ndarray, "G B"]:
    """Return weighed means, exact where all values are equal."""
    least = values[:, :1]
    return least + (values - least) @ weights


@lru_cache(maxsize=16)
def _draws(sizes: tuple[int, ...]) -> Int32[np.ndarray, "n B"]:
    """Draw how often each seed of each stratum comes, stratum after stratum.

    The same for equal sizes, so that equal rows have equal limits, and drawn once for
    thousands of groups. A limit does not depend on which other groups a table has.
    """
    random = np.random.default_rng(sizes)
    parts = [random.multinomial(n, np.full(n, 1 / n), RESAMPLES) for n in sizes]
    return np.concatenate([part.T for part in parts]).astype(np.int32)
