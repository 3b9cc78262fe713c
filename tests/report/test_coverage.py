"""How often intervals of 95 % hold what they promise: between 93 and 97 %.

Accuracies here come from laws like those that pruners have: skewed, with two modes,
with many networks at 1. Each share is over 4,000 samples or more, so observed within
0.7 % (two standard errors); over 20,000 the lowest are 92.9 % (IQM of ten seeds in two
modes) and 93.0 % (median of six), the highest 96.1 %. Beyond these settings intervals
are wider than needed, where tests say so.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spiral.report.stats import excess, intervals, means, scores
from spiral.report.stats.selection import choose
from tests.report import frontier

pytestmark = pytest.mark.slow

SAMPLES = 4000
LEAST, MOST = 0.93 - 0.007, 0.97 + 0.007
LAWS = {
    "normal": lambda r, size: r.normal(size=size),
    "triangle": lambda r, size: r.beta(2, 1, size=size),
    "skewed": lambda r, size: 1 - 0.5 * r.beta(0.7, 5, size=size),
    "exponential": lambda r, size: r.exponential(size=size),
    "two modes": lambda r, size: np.where(
        r.random(size) < 0.4, r.normal(0.7, 0.05, size), r.normal(0.95, 0.02, size)
    ),
    "many at 1": lambda r, size: np.minimum(r.beta(3, 1, size) * 1.15, 1),
}


def truth(law):
    """Return median and interquartile mean of a law."""
    values = np.sort(LAWS[law](np.random.default_rng(99), 2_000_000))
    return np.median(values), values[500_000:1_500_000].mean()


def samples(law, n, seed):
    """Return a batch of samples of one stratum."""
    values = LAWS[law](np.random.default_rng(seed), (SAMPLES, n))
    group = np.repeat(np.arange(SAMPLES), n)
    (found,) = intervals.batches(group, values.ravel(), np.zeros_like(group))
    return found


def share(low, high, true):
    return np.mean((low <= true) & (true <= high))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [6, 10, 11, 20, 40])
def test_median(law, n):
    _, low, high = intervals.median(samples(law, n, n))
    assert LEAST < share(low, high, truth(law)[0]) < MOST


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [7, 10, 20, 40])
def test_iqm(law, n):
    _, low, high = intervals.iqm(samples(law, n, n))
    assert LEAST < share(low, high, truth(law)[1]) < MOST


@pytest.mark.parametrize("law", ["normal", "skewed", "two modes"])
@pytest.mark.parametrize("n", [5, 10, 20, 40])
def test_the_best_of_as_many_seeds_again(law, n):
    _, low = intervals.best(samples(law, n, n))
    again = LAWS[law](np.random.default_rng(1000 + n), (SAMPLES, n)).max(axis=1)
    assert LEAST < np.mean(again >= low) < MOST


def stratified(seed, strata, each, spread):
    """Return samples of strata whose middles differ, and their median and IQM."""
    random = np.random.default_rng(seed)
    middles = spread * np.linspace(-1, 1, strata)
    whole = np.sort((random.normal(size=(400_000, strata)) + middles).ravel())
    quarter = len(whole) // 4
    true = np.median(whole), whole[quarter : 3 * quarter].mean()
    count = 800
    values = random.normal(size=(count, each, strata)) + middles
    size = each * strata
    codes = np.tile(np.arange(strata), count * each)
    group = np.repeat(np.arange(count), size)
    (found,) = intervals.batches(group, values.ravel(), codes)
    return found, true


@pytest.mark.parametrize(("strata", "each"), [(3, 10), (11, 10)])
@pytest.mark.parametrize("spread", [0, 1])
def test_strata(strata, each, spread):
    """800 samples: two standard errors are 1.5 %."""
    batch, true = stratified(strata, strata, each, spread)
    for interval, value in zip((intervals.median, intervals.iqm), true, strict=True):
        _, low, high = interval(batch)
        assert 0.93 - 0.015 < share(low, high, value) < 0.97 + 0.015


def test_two_strata_far_apart_are_wider_than_needed():
    """The median lies between them, where no sample tells how far."""
    batch, (true, _) = stratified(0, 2, 10, 3)
    middle, low, high = intervals.median(batch)
    assert share(low, high, true) > 0.97
    assert np.mean((low < middle) & (middle < high)) == 1


@pytest.mark.parametrize("n", [5, 10, 20, 50])
def test_success_rates(n):
    """Wilson's limits hold 95 % on average over the share, not for each share."""
    random = np.random.default_rng(n)
    true = random.uniform(0.02, 0.98, 20_000)
    low, high = means.share(random.binomial(n, true) / n, np.full(len(true), n))
    assert 0.94 < share(low, high, true) < 0.965


def pair_scores(random, n, tie, true):
    """Return wins 1, ties 1/2 and losses 0 whose mean is ``true``."""
    win = true - tie / 2
    drawn = random.random((20_000, n))
    return np.where(drawn < win, 1.0, np.where(drawn < win + tie, 0.5, 0.0))


@pytest.mark.parametrize("tie", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("n", [10, 20, 50])
def test_pairs(n, tie):
    """On average over how often one wins."""
    random = np.random.default_rng(n)
    found = []
    for true in np.linspace(tie / 2 + 0.05, 0.95 - tie / 2, 9):
        scores = pair_scores(random, n, tie, true)
        count = np.full(len(scores), n)
        variance = scores.var(axis=1, ddof=1)
        low, high = means.share(scores.mean(axis=1), count, variance)
        found.append(share(low, high, true))
    assert 0.935 < np.mean(found) < 0.97
    assert min(found) > 0.9


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (2, 2), (8, 2)])
def test_means_over_the_pairs_of_a_seed(a, b):
    random = np.random.default_rng(0)
    for n in (10, 20, 50):
        scores = random.binomial(6, random.beta(a, b, size=(20_000, n))) / 6
        variance = scores.var(axis=1, ddof=1)
        count = np.full(len(scores), n)
        low, high = means.share(scores.mean(axis=1), count, variance)
        # Wider where all seeds may win: no limit is beyond that of n wins of n
        assert 0.94 < share(low, high, a / (a + b)) < 0.985


def test_mostly_ties_are_wider_than_needed():
    scores = pair_scores(np.random.default_rng(0), 10, 0.9, 0.5)
    variance = scores.var(axis=1, ddof=1)
    count = np.full(len(scores), 10)
    low, high = means.share(scores.mean(axis=1), count, variance)
    assert share(low, high, 0.5) > 0.99
    assert (high - low).mean() < 0.3  # Wilson's alone would be 0.53


@pytest.mark.parametrize("n", [5, 8, 10, 64])
@pytest.mark.parametrize("alike", [True, False])
def test_pairs_of_a_seed_that_agree_or_do_not(n, alike):
    """Twelve pairs of each seed: all one event, or each its own. 92 % and more."""
    random = np.random.default_rng(n)
    found = []
    for true in (0.3, 0.5, 0.7, 0.85):
        wins = random.binomial(1, true, (20_000, n)) * 12
        if not alike:
            wins = random.binomial(12, true, (20_000, n))
        scores = wins / 12
        limits = means.share(
            scores.mean(axis=1), np.full(len(scores), n), scores.var(axis=1, ddof=1)
        )
        found.append(share(*limits, true))
    assert np.mean(found) > 0.935
    assert min(found) > 0.9


@pytest.mark.parametrize("n", [5, 8, 10, 64])
@pytest.mark.parametrize("law", ["normal", "triangle", "two modes"])
def test_means_of_seeds(n, law):
    """Student's limits of a gap: 92 to 96 %, also where seeds have two modes."""
    random = np.random.default_rng(n)
    true = LAWS[law](np.random.default_rng(99), 2_000_000).mean()
    values = LAWS[law](random, (SAMPLES, n))
    found = [means.student(row)[1:] for row in values]
    low, high = np.array(found).T
    assert 0.905 < share(low, high, true) < 0.97


# ---- tuned gaps, through the whole procedure


def tuned(random, methods, settings, n, better=0):
    """Return gaps that are cross-fitted over equally good settings.

    ``better`` is what the first method has over the others in accuracy.
    """
    draws = random.normal(0.75, 0.05, (methods, settings, n))
    draws[0] += better
    return scores.ranked(choose(rows_of(draws)), FLAT)


def rows_of(draws):
    """Return rows of three sizes of each method, setting and seed."""
    sizes = np.array([16, 30, 65])
    index = np.indices((*draws.shape, len(sizes))).reshape(4, -1)
    method, setting, seed, size = index
    accuracy = draws[method, setting, seed]
    return pd.DataFrame(
        {"method": [f"m{i}" for i in method], "width": 16, "keep": sizes[size]}
        | {"task": "cubist", "task_chance": 0.5}
        | {"lr": 0.1 + setting, "schedule": "cosine", "seed": seed, "status": "ok"}
        | {"accuracy": accuracy, "nnz": sizes[size], "connected": True, "steps": 1}
    )


FLAT = frontier(("any", 16, 1.0))
"""So a gap is 2 - 2 a, in truth 0.5."""


@pytest.mark.parametrize(("settings", "n"), [(3, 8), (8, 8), (3, 64)])
def test_tuned_gaps_hold_their_limits_and_equal_methods_tie(settings, n):
    """95 of 100 for ties of ten methods; limits of 0.97 and less, as seeds are few."""
    random = np.random.default_rng(settings * n)
    held, tied, runs = [], 0, 40
    for _ in range(runs):
        found = tuned(random, 10, settings, n)
        held.append(share(found["gap_low"], found["gap_high"], 0.5))
        tied += (found["rank_high"] == 10).all()
    assert np.mean(held) > 0.92
    assert tied >= 0.95 * runs - 3  # two standard errors


@pytest.mark.parametrize(("settings", "least"), [(1, 0.95), (3, 0.8)])
def test_a_gap_that_is_smaller_by_a_tenth_is_found_with_64_seeds(settings, least):
    """Of nine equal others, where gaps spread by a tenth over seeds, as leaders' do.

    Settings that are given leave it more surely first than those tuned on its seeds.
    """
    random = np.random.default_rng(settings)
    found = []
    for _ in range(20):
        ranks = tuned(random, 10, settings, n=64, better=0.05).set_index("method")
        found.append(1 - (ranks.loc["m0", "rank_high"] - 1) / 9)
        assert ranks.loc["m0", "rank_low"] == 1
    assert np.mean(found) > least


def test_more_settings_of_another_method_change_no_gap():
    rows = rows_of(np.random.default_rng(0).normal(0.75, 0.05, (3, 6, 8)))
    fewer = rows[(rows["method"] != "m2") | (rows["lr"] < 2)]
    every, some = (
        scores.ranked(choose(each.reset_index(drop=True)), FLAT)
        .set_index("method")
        .filter(like="gap")
        for each in (rows, fewer)
    )
    pd.testing.assert_frame_equal(every.drop("m2"), some.drop("m2"))
    assert not every.equals(some)


# ---- fewest weights: sign tests hold 95 % or more, whatever the rates


def held(n, rates):
    """Return how often limits hold the first size whose rate is one half or more."""
    sizes = np.arange(10.0, 50, 5)
    true = sizes[np.argmax(np.asarray(rates) >= 0.5)]
    drawn = np.random.default_rng(n).binomial(n, rates, size=(SAMPLES, len(sizes)))
    limits = np.array([excess.limits(sizes, row, np.full(8, n)) for row in drawn])
    low = np.nan_to_num(limits[:, 0], nan=sizes[0])
    high = np.nan_to_num(limits[:, 1], nan=np.inf)
    return share(low, high, true), np.median(high - low)


@pytest.mark.parametrize("n", [10, 20])
def test_fewest_weights_hold_more_along_a_slope(n):
    found, width = held(n, stats.norm.cdf((np.arange(10, 50, 5) - 31) / 8))
    assert found > 0.99
    assert width <= 24  # sizes are 5 apart


@pytest.mark.parametrize("rate", [0.5, 0.49])
def test_fewest_weights_hold_least_at_a_step(rate):
    """20 networks: at most 5 or at least 15 of them reach in 2.07 % of cases each."""
    found, width = held(20, [0, 0, 0, 0, rate, 1, 1, 1])
    assert 0.97 < found < 0.985
    assert width <= 9
