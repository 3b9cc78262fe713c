"""The best of as many random masks: counted out, and matched to the right trainings."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from spiral.report.stats import budget_matched
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.budget_matched import expected_best
from spiral.report.stats.excess import excess_weights
from spiral.report.stats.selection import choose
from tests.report import frontier, only, row, seeds, table

POOL = [0.5, 0.81, 0.6, 0.81, 0.97, 0.7, 0.5]
KNOWN = frontier(("any", 16, 0.96), ("protocol", 18, 0.97))


def groups(*rows, pool=None, **options):
    return summarise(choose(table(*rows), **options), (0.95,), KNOWN, pool)


def of(found, method="gmp"):
    return only(found[found["method"] == method])


def mean_of_best(pool, n):
    """Draw every set of n different values."""
    return np.mean([max(drawn) for drawn in combinations(pool, n)])


@pytest.mark.parametrize("n", range(1, len(POOL) + 1))
def test_the_expectation_is_the_mean_over_all_that_could_be_drawn(n):
    assert expected_best(np.array(POOL), n) == pytest.approx(mean_of_best(POOL, n))


def test_more_draws_than_values_or_none_have_no_best():
    assert np.isnan([expected_best(np.array(POOL), n) for n in (0, 8)]).all()
    assert np.isnan(expected_best(np.array([]), 1))


def test_a_large_pool_neither_overflows_nor_loses_its_mean():
    pool = np.random.default_rng(0).random(20_000)
    assert expected_best(pool, 1) == pytest.approx(pool.mean(), rel=1e-9)
    assert 0.99 < expected_best(pool, 1_000) < pool.max()


def test_as_many_are_drawn_as_the_method_trained():
    found = groups(*seeds([0.9] * 3), *seeds(POOL, method="random"))
    line = of(found)
    assert (line["trainings"], line["random_pool"]) == (3, 7)
    assert line["random_best"] == pytest.approx(mean_of_best(POOL, 3))
    assert of(found, "random")["random_best"] == 0.97  # all of them


def test_a_method_that_trains_longer_has_had_more_trainings():
    """Two rows of two and a half trainings each are five."""
    slow = seeds([0.9] * 2, steps=48_750)
    line = of(groups(*slow, *seeds(POOL, method="random")))
    assert line["trainings"] == 5
    assert line["random_best"] == pytest.approx(mean_of_best(POOL, 5))
    longer = [*slow, row(seed=2, steps=1)]  # begun is counted as one
    assert of(groups(*longer, *seeds(POOL, method="random")))["trainings"] == 6


def test_all_that_was_tuned_counts_and_is_drawn_from():
    rows = [*seeds([0.9] * 2, lr=0.1), *seeds([0.8] * 2, lr=0.2)]
    rates = [
        *seeds(POOL[:4], method="random", lr=0.1),
        *seeds(POOL[4:], method="random", lr=0.2),
        *seeds([1.0] * 9, method="random", lr=0.05),
    ]
    line = of(groups(*rows, *rates))
    assert (line["trainings"], line["random_pool"], line["n"]) == (4, 7, 2)
    assert line["random_best"] == pytest.approx(mean_of_best(POOL, 4))


@pytest.mark.parametrize(
    "other",
    [{"width": 3}, {"keep": 26}, {"lr": 0.2}, {"schedule": "step"}, {"method": "snip"}],
)
def test_masks_of_other_sizes_and_trainings_are_not_drawn(other):
    unlike = {"method": "random"} | other
    line = of(groups(row(), *seeds(POOL, **unlike)))
    assert line["random_pool"] == 0
    assert pd.isna([line["trainings"], line["random_best"]]).all()


def test_failed_random_masks_are_chance():
    failed = seeds([0.99] * 2, method="random", status="collapsed")
    assert of(groups(row(), *failed))["random_best"] == 0.5


def test_too_few_random_masks_are_no_number_and_a_note_says_how_many_are_needed():
    rows = [
        *seeds([0.9] * 8),
        *seeds(POOL, method="random"),
        row(method="snip", keep=9),
    ]
    choice = choose(table(*rows))
    found = summarise(choice, (0.95,), KNOWN)
    assert pd.isna(of(found)["random_best"])
    (note,) = budget_matched.note(choice, found)
    assert note.startswith("2 of 2 lines of pruners")
    assert "launch method random there, up to 8 trainings" in note
    enough = [*seeds([0.9] * 7), *seeds(POOL, method="random")]
    assert budget_matched.note(choose(table(*enough)), groups(*enough)) == []


def test_given_masks_and_dense_networks_need_no_random_ones():
    rows = [row(method="dense", keep=None), row(method="mask", keep=None, nnz=20)]
    choice = choose(table(*rows))
    assert budget_matched.note(choice, summarise(choice, (0.95,), KNOWN)) == []


def test_random_masks_that_are_not_compared_can_be_drawn_from():
    pool = table(*seeds(POOL, method="random"), row())
    line = of(groups(row(), pool=pool))
    assert line["random_best"] == pytest.approx(np.mean(POOL))


# ---- weights needed


def excess(*rows):
    choice = choose(table(*rows))
    found = summarise(choice, (0.95,), KNOWN)
    return of(excess_weights(choice, found, (0.95,), KNOWN))


def sized(method="random", **accuracies):
    return [
        line
        for size, values in accuracies.items()
        for line in seeds(values, method=method, keep=int(size[1:]))
    ]


PRUNED = sized("gmp", k16=[0.9] * 2, k20=[0.9, 0.96], k26=[0.97] * 2)


def test_the_fewest_weights_of_the_best_random_mask():
    """At 20 weights two of three are expected to reach 0.94 only, at 26 0.96."""
    random = sized(
        k16=[0.5] * 3, k20=[0.9, 0.9, 0.96], k26=[0.9, 0.96, 0.96], k30=[1.0] * 3
    )
    line = excess(*PRUNED, *random)
    assert (line["random_masks"], line["random_masks_short"]) == (26, 0)
    assert (line["any"], line["any_excess_random"]) == (20, -6)
    assert (line["median"], line["median_excess_random"]) == (20, -6)


def test_random_masks_that_never_reach_are_null():
    line = excess(*PRUNED, *sized(k16=[0.5] * 2, k20=[0.5] * 2, k26=[0.5] * 2))
    assert pd.isna([line["random_masks"], line["any_excess_random"]]).all()
    assert line["random_masks_short"] == 0


def test_a_smaller_size_with_too_few_leaves_it_open():
    reaching = {"k20": [0.96] * 2, "k26": [0.96] * 2}
    line = excess(*PRUNED, *sized(k16=[0.5], **reaching))
    assert pd.isna(line["random_masks"])
    assert line["random_masks_short"] == 1
    larger = excess(*PRUNED, *sized(k16=[0.5] * 2, k20=[0.96] * 2))
    assert (larger["random_masks"], larger["random_masks_short"]) == (20, 1)
