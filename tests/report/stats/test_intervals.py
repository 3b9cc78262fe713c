"""Limits against scipy, counting and slow resampling."""

from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import stats

from spiral.report.stats import intervals

pytestmark = pytest.mark.slow  # resamples by hand


def batch(values, strata=None):
    """Return one group as a batch."""
    values = np.asarray(values, float)
    strata = np.zeros(len(values), int) if strata is None else np.asarray(strata)
    (found,) = intervals.batches(np.zeros(len(values), int), values, strata)
    return found


def one(numbers):
    """Return the numbers of the only group."""
    return [float(number[0]) for number in numbers]


# ---- groups


def test_batches_sort_and_put_groups_of_equal_size_together():
    group = np.array([4, 2, 4, 0, 2, 4])
    values = np.array([0.3, 0.8, 0.1, 0.5, 0.7, 0.2])
    strata = np.array([5, 6, 7, 8, 9, 3])
    small, pair, three = intervals.batches(group, values, strata)
    assert (small.groups.tolist(), small.values.tolist()) == ([0], [[0.5]])
    assert (pair.groups.tolist(), pair.values.tolist()) == ([2], [[0.7, 0.8]])
    assert (three.groups.tolist(), three.values.tolist()) == ([4], [[0.1, 0.2, 0.3]])
    assert three.strata.tolist() == [[7, 3, 5]]
    together = [*intervals.batches(np.array([1, 3, 1, 3]), values[:4], strata[:4])]
    assert [b.groups.tolist() for b in together] == [[1, 3]]


def test_no_rows_are_no_batches():
    none = np.zeros(0, int)
    assert [*intervals.batches(none, none.astype(float), none)] == []


# ---- median


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 8, 25])
def test_the_median_is_numpys(n):
    values = np.random.default_rng(n).random(n)
    middle, low, high = one(intervals.median(batch(values)))
    assert middle == pytest.approx(np.median(values))
    assert np.isnan([low, high]).tolist() == [n < 6] * 2
    assert n < 6 or low <= middle <= high


def test_its_limits_are_order_statistics():
    """1.96·√24/2 = 4.80 places from the middle of 0 … 24, which is 12."""
    _, low, high = one(intervals.median(batch(np.arange(25.0))))
    half = 1.959964 * np.sqrt(25 / 4 * 24 / 25)
    assert (low, high) == pytest.approx((12 - half, 12 + half), abs=1e-5)


def test_few_seeds_have_the_whole_range_and_equal_ones_no_width():
    _, low, high = one(intervals.median(batch([0.2, 0.9, 0.4, 0.7, 0.6, 0.5])))
    assert 0.2 <= low < 0.27
    assert 0.83 < high <= 0.9
    assert one(intervals.median(batch([0.5] * 9))) == [0.5] * 3


def test_strata_that_do_not_differ_change_nothing_much():
    values = np.random.default_rng(1).random(60)
    plain = one(intervals.median(batch(values)))
    mixed = one(intervals.median(batch(values, np.arange(60) % 3)))
    assert mixed == pytest.approx(plain, abs=0.02)


def test_strata_that_differ_bring_the_limits_closer():
    """Two of three strata never cross the median; only the third has a say."""
    random = np.random.default_rng(2)
    strata = np.repeat([7, 8, 9], 20)
    values = random.random(60) + strata * 10
    middle, low, high = one(intervals.median(batch(values, strata)))
    assert 80 < low < middle < high < 81
    alone = one(intervals.median(batch(values[20:40])))
    assert high - low == pytest.approx(alone[2] - alone[1], rel=0.35)
    plain = one(intervals.median(batch(values)))
    assert plain[2] - plain[1] > 1.15 * (high - low)


# ---- interquartile mean


@pytest.mark.parametrize("n", [4, 8, 20, 100])
def test_the_iqm_is_scipys_trimmed_mean(n):
    values = np.random.default_rng(n).random(n)
    expected = stats.trim_mean(values, 0.25)
    assert one(intervals.iqm(batch(values)))[0] == pytest.approx(expected)


def test_the_iqm_of_any_number_weighs_the_ends_of_the_half():
    """Of five the middle 2.5: the third, and three quarters of its neighbours."""
    found = one(intervals.iqm(batch([0.0, 0.1, 0.4, 0.8, 1.0])))[0]
    assert found == pytest.approx((0.75 * 0.1 + 0.4 + 0.75 * 0.8) / 2.5)
    assert one(intervals.iqm(batch([0.3])))[0] == pytest.approx(0.3)
    assert one(intervals.iqm(batch([0.3, 0.5])))[0] == pytest.approx(0.4)


def test_weights_of_counts_are_those_of_repeated_values():
    random = np.random.default_rng(0)
    values, counts = np.sort(random.random(9)), random.multinomial(9, [1 / 9] * 9)
    weights = intervals.middle_half(counts[:, None].astype(float))[:, 0]
    repeated = batch(np.repeat(values, counts))
    assert values @ weights == pytest.approx(one(intervals.iqm(repeated))[0])


@pytest.mark.parametrize("strata", [[0] * 24, [0, 1, 2] * 8], ids=["one", "three"])
def test_its_limits_are_percentiles_of_resampled_means(strata):
    random, strata = np.random.default_rng(5), np.array(strata)
    values = random.random(24) + strata / 4
    parts = [values[strata == s] for s in np.unique(strata)]
    drawn = [
        stats.trim_mean(np.concatenate([random.choice(p, len(p)) for p in parts]), 0.25)
        for _ in range(8000)
    ]
    tail = stats.norm.cdf(-1.959964 * 24 / (24 - len(parts)))
    expected = np.quantile(drawn, [tail, 1 - tail])
    _, low, high = one(intervals.iqm(batch(values, strata)))
    assert (low, high) == pytest.approx(expected, abs=0.012)
    assert expected[1] - expected[0] > 0.15


def test_each_stratum_needs_seven_seeds_for_limits():
    enough = one(intervals.iqm(batch(np.arange(14.0), [0] * 7 + [1] * 7)))
    few = one(intervals.iqm(batch(np.arange(14.0), [0] * 8 + [1] * 6)))
    assert np.isfinite(enough).all()
    assert np.isnan(few).tolist() == [False, True, True]


def test_equal_groups_have_equal_limits_wherever_they_stand():
    random = np.random.default_rng(0)
    rows = random.random((2500, 8))
    rows[[3, 1999]] = rows[2400]
    group = np.repeat(np.arange(2500), 8)
    (many,) = intervals.batches(group, rows.ravel(), np.zeros_like(group))
    found = np.array(intervals.iqm(many))
    assert (found[:, [3, 1999]] == found[:, [2400]]).all()
    alone = one(intervals.iqm(batch(rows[3])))
    assert alone == pytest.approx(found[:, 3].tolist(), abs=1e-12)


def test_large_groups_are_resampled_in_parts(monkeypatch):
    values = np.random.default_rng(0).random(40)
    whole = one(intervals.iqm(batch(values)))
    monkeypatch.setattr(intervals, "CHUNK", 1000)
    assert one(intervals.iqm(batch(values))) == pytest.approx(whole, abs=1e-12)


# ---- best


@pytest.mark.parametrize("n", [3, 5, 10, 20])
def test_the_limit_of_the_best_is_where_its_chance_is_five_percent(n):
    """The j highest of n old and n new values are all old: C(2n - j, n)/C(2n, n)."""
    best, low = one(intervals.best(batch(np.arange(n, dtype=float))))
    chances = [comb(2 * n - j, n) / comb(2 * n, n) for j in range(n + 1)]
    assert best == n - 1
    assert np.interp(n - low, range(n + 1), chances) == pytest.approx(0.05)


def test_those_chances_are_right():
    """All ways to call three of six values the old ones."""
    n, worse = 3, 0
    ways = [*combinations(range(2 * n), n)]
    for old in ways:
        new = set(range(2 * n)) - set(old)
        worse += max(new) < sorted(old)[-2]
    assert Fraction(worse, len(ways)) == Fraction(comb(4, n), comb(6, n))


def test_two_seeds_are_too_few_for_a_limit():
    best, low = one(intervals.best(batch([0.2, 0.3])))
    assert best == 0.3
    assert np.isnan(low)


# ---- sign tests


@pytest.mark.parametrize("n", [0, 1, 5, 6, 9, 20, 3000])
def test_rarely_is_a_binomial_test(n):
    for successes in {0, n // 3, n // 2, n}:
        expected = stats.binom.cdf(successes, n, 0.5) <= 0.025
        assert intervals.rarely(successes, n) == expected


def test_medians_and_fewest_weights_have_intervals_from_the_same_number_on():
    assert intervals.rarely(0, intervals.LEAST_MEDIAN)
    assert not intervals.rarely(0, intervals.LEAST_MEDIAN - 1)
