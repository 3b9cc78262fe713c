"""Shares of successful trainings, by size."""

import pandas as pd
import pytest
from scipy.stats import binomtest

from spiral.report.stats import success


def test_hits_and_wilsons_interval_of_every_size_and_level():
    rows = pd.DataFrame(
        {"nnz": [10] * 4 + [12] * 3, "accuracy": [0.5, 0.8, 0.9, 0.95, 0.5, 0.6, 0.7]}
    )
    found = success.over_nnz(rows, [0.8, 0.95])
    assert found[["level", "nnz", "hits", "n"]].to_numpy().tolist() == [
        [0.8, 10, 3, 4],
        [0.8, 12, 0, 3],
        [0.95, 10, 1, 4],
        [0.95, 12, 0, 3],
    ]
    for row in found.itertuples():
        wilson = binomtest(row.hits, row.n).proportion_ci(method="wilson")
        assert (row.low, row.high) == pytest.approx((wilson.low, wilson.high))
