"""What a race misses of what a census finds."""

import pandas as pd
import pytest
from scipy import stats

from spiral.report.stats.recall import recall


def test_recall_counts_the_hits_that_were_trained_to_the_end():
    census = pd.DataFrame(
        {
            "config_id": [*"abcdef"],
            "accuracy": [0.9, 0.95, 0.8, 0.9, 0.5, 0.96],
            "nnz": [20, 18, 9, 16, 8, 30],
        }
    )
    first, second = recall(census, {"a", "c", "f", "elsewhere"}, [0.9, 0.955, 1])
    assert first[:4] == (0.9, 4, 2, 0.5)
    wilson = stats.binomtest(2, 4).proportion_ci(0.95, "wilson")
    assert (first.low, first.high) == pytest.approx((wilson.low, wilson.high))
    assert (first.fewest, first.fewest_found) == (16, 20)
    assert (second.hits, second.found, second.recall) == (1, 1, 1)
    (nothing,) = recall(census, {"e"}, [0.9])
    assert (nothing.found, nothing.recall, nothing.fewest_found) == (0, 0, None)
