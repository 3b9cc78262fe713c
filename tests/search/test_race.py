"""Who goes on in a race, and what a race misses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spiral.search import race

ROWS = pd.DataFrame(
    {
        "config_id": [*"edcba"],
        "loss": [0.5, 0.1, 0.7, np.nan, 0.5],
    }
)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.2, "d"), (0.21, "da"), (0.4, "da"), (0.6, "dae"), (0.8, "daec"), (1, "daecb")],
)
def test_the_lowest_losses_go_on_rounded_up_equals_by_id_diverged_last(share, expected):
    assert race.survivors(ROWS, share) == {*expected}
    assert race.survivors(ROWS[::-1], share) == {*expected}


def test_recall_counts_the_hits_that_were_trained_to_the_end():
    census = pd.DataFrame(
        {
            "config_id": [*"abcdef"],
            "accuracy": [0.9, 0.95, 0.8, 0.9, 0.5, 0.96],
            "nnz": [20, 18, 9, 16, 8, 30],
        }
    )
    first, second = race.recall(census, {"a", "c", "f", "elsewhere"}, [0.9, 0.955, 1])
    assert first[:4] == (0.9, 4, 2, 0.5)
    assert (first.low, first.high) == race.wilson(2, 4)
    assert (first.fewest, first.fewest_found) == (16, 20)
    assert (second.hits, second.found, second.recall) == (1, 1, 1)
    (nothing,) = race.recall(census, {"e"}, [0.9])
    assert (nothing.found, nothing.recall, nothing.fewest_found) == (0, 0, None)


@given(
    st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
)
def test_wilson_intervals_are_those_of_scipy(case):
    expected = stats.binomtest(*case).proportion_ci(0.95, "wilson")
    assert race.wilson(*case) == pytest.approx((expected.low, expected.high), abs=1e-7)
