"""The inner loops of the prover: how much weight parallel lines cross.

All lines of a family have a direction between two given ones. Projections on it are cut
into cells of 2^shift; a line anywhere in a cell is said to cross whatever an interval
that meets the cell belongs to. This can only overstate what lines cross.

One correction is needed, or a line along an arm would cross the gaps on both sides of
it. A point with partners on its left and on its right sees one line cross only one of
the two kinds. So for a run whose interval holds the cell, the lesser of both weights is
subtracted, provided the partners are at least a cell away from the run.
"""

import numpy as np

from spiral.engines.compiled import njit


@njit(cache=True)
def spans(x, runs, ends, least, most):
    """Find the interval of projections of each run, for all directions between two.

    Args:
        x: Points, int64 [D, 2].
        runs: Runs, int64 [R, 2].
        ends: Two directions, int64 [2, 2].
        least: Receives the lower ends, int64 [R].
        most: Receives the upper ends, int64 [R].
    """
    for r in range(len(runs)):
        first = runs[r, 0]
        small = large = x[first, 0] * ends[0, 0] + x[first, 1] * ends[0, 1]
        for d in range(first, runs[r, 1]):
            for e in range(2):
                value = x[d, 0] * ends[e, 0] + x[d, 1] * ends[e, 1]
                small = min(small, value)
                large = max(large, value)
        least[r] = small
        most[r] = large


@njit(cache=True)
def sides(low, high, pairs, weights):
    """Weigh the partners of each run that are certainly on its left and right.

    Args:
        low: First cell of each run, int64 [R].
        high: Last cell of each run.
        pairs: Coupled runs, int64 [K, 2].
        weights: Their weights [K].

    Returns:
        left, right: Weights [R].
        start, stop: First cell of partners on the left, last of those on the right.
    """
    left = np.zeros(len(low), weights.dtype)
    right = np.zeros(len(low), weights.dtype)
    start, stop = low.copy(), high.copy()
    for k in range(len(pairs)):
        one, other = pairs[k]
        if high[other] < low[one]:
            one, other = other, one
        if high[one] < low[other]:
            right[one] += weights[k]
            left[other] += weights[k]
            stop[one] = max(stop[one], high[other])
            start[other] = min(start[other], low[one])
    return left, right, start, stop


@njit(cache=True)
def stack(low, high, pairs, weights):
    """Return the most weight that one line crosses, and its cell.

    Args:
        low: First cell of each run, from 0, int64 [R].
        high: Last cell of each run.
        pairs: Coupled runs, int64 [K, 2].
        weights: Their weights [K].
    """
    steps = np.zeros(high.max() + 2, weights.dtype)
    for k in range(len(pairs)):
        one, other = pairs[k]
        steps[min(low[one], low[other])] += weights[k]
        steps[max(high[one], high[other]) + 1] -= weights[k]
    left, right, _, _ = sides(low, high, pairs, weights)
    for r in range(len(low)):
        less = min(left[r], right[r])
        steps[low[r]] -= less
        steps[high[r] + 1] += less
    best = current = steps[0]
    place = 0
    for cell in range(1, len(steps)):
        current += steps[cell]
        if current > best:
            best, place = current, cell
    return best, place


@njit(cache=True)
def reaching(low, high, pairs, weights):
    """Return the weight that starts at cell b or before and ends at c or after, [b, c].

    Args:
        low: First cell of each run, from 0, int64 [R].
        high: Last cell of each run.
        pairs: Coupled runs, int64 [K, 2].
        weights: Their weights [K].
    """
    size = high.max() + 1
    both = np.zeros((size, size), weights.dtype)
    for k in range(len(pairs)):
        one, other = pairs[k]
        both[min(low[one], low[other]), max(high[one], high[other])] += weights[k]
    for b in range(size):
        for c in range(size - 2, -1, -1):
            both[b, c] += both[b, c + 1]
        if b > 0:
            both[b] += both[b - 1]
    return both


@njit(cache=True)
def corrections(low, high, pairs, weights):
    """Return what a line in cell c does not cross, and what it makes up for.

    Args:
        low: First cell of each run, from 0, int64 [R].
        high: Last cell of each run.
        pairs: Coupled runs, int64 [K, 2].
        weights: Their weights [K].

    Returns:
        minus: The lesser side of runs that hold c and whose left partners all start at
            cell b or later, [b, c].
        plus: That of runs that hold b and whose right partners reach to c or further.
    """
    size = high.max() + 1
    left, right, start, stop = sides(low, high, pairs, weights)
    minus = np.zeros((size + 1, size + 1), weights.dtype)
    plus = np.zeros((size + 1, size + 1), weights.dtype)
    for r in range(len(low)):
        less = min(left[r], right[r])
        minus[start[r], low[r]] += less
        minus[start[r], high[r] + 1] -= less
        plus[low[r], stop[r]] += less
        plus[high[r] + 1, stop[r]] -= less
    for b in range(size - 1, -1, -1):
        minus[b] += minus[b + 1]
    for b in range(1, size):
        plus[b] += plus[b - 1]
    for b in range(size):
        for c in range(1, size):
            minus[b, c] += minus[b, c - 1]
        for c in range(size - 2, -1, -1):
            plus[b, c] += plus[b, c + 1]
    return minus, plus


@njit(cache=True)
def gains(low, high, pairs, weights):
    """Return what a line in cell c crosses alone [c], and adds to one in b ≤ c [b, c].

    It adds what meets c but not b. If b lies before all partners of a run that holds c,
    it adds only one side of the run; if b lies in the run and c within reach of its
    partners on the right, c may add the side that b left out.

    Args:
        low: First cell of each run, from 0, int64 [R].
        high: Last cell of each run.
        pairs: Coupled runs, int64 [K, 2].
        weights: Their weights [K].
    """
    both = reaching(low, high, pairs, weights)
    minus, plus = corrections(low, high, pairs, weights)
    alone = np.zeros(len(both), weights.dtype)
    more = np.zeros(both.shape, weights.dtype)
    for c in range(len(both)):
        alone[c] = both[c, c] - minus[0, c]
        for b in range(c + 1):
            more[b, c] = both[c, c] - both[b, c] - minus[b + 1, c] + plus[b, c]
    return alone, more


@njit(cache=True)
def family(low, high, pairs, weights, count):
    """Return the most weight that 1, 2, … parallel lines cross, [count].

    Dynamic programming over the cell of the last line.
    """
    alone, more = gains(low, high, pairs, weights)
    value = alone.copy()
    best = np.zeros(count, weights.dtype)
    best[0] = value.max()
    for t in range(1, count):
        # The line before may be in the same cell; it comes first, so that b ≤ c
        for c in range(len(value) - 1, -1, -1):
            most = value[c] + more[c, c]
            for b in range(c):
                most = max(most, value[b] + more[b, c])
            value[c] = most
        best[t] = value.max()
    return best


@njit(cache=True)
def hits(low, high, pairs, weights, cell):
    """Return which pairs of runs a line crosses.

    Args:
        low: First cell of each run, from 0, int64 [R].
        high: Last cell of each run.
        pairs: Coupled runs, int64 [K, 2].
        weights: Their weights [K]; they decide which side of a run the line crosses.
        cell: The cell of the line.
    """
    left, right, _, _ = sides(low, high, pairs, weights)
    hit = np.zeros(len(pairs), np.bool_)
    for k in range(len(pairs)):
        one, other = pairs[k]
        if high[other] < low[one]:
            one, other = other, one
        hit[k] = min(low[one], low[other]) <= cell <= max(high[one], high[other])
        if high[one] < low[other]:
            if low[one] <= cell <= high[one] and right[one] < left[one]:
                hit[k] = False
            if low[other] <= cell <= high[other] and left[other] <= right[other]:
                hit[k] = False
    return hit
