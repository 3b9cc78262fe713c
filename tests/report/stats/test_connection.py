"""Connected shares with known answers."""

import numpy as np
import pytest
from scipy import stats

from spiral.report.stats.connection import connection
from spiral.report.stats.selection import choose
from tests.report import only, row, table


def found(*rows):
    return connection(choose(table(*rows)))


def test_shares_are_over_all_settings_and_wilsons():
    rows = [row(seed=s, effective_nnz=0 if s < 3 else 10 + s) for s in range(10)]
    line = only(found(*rows))
    assert (line["n"], line["rows"], line["connected"]) == (10, 10, 0.7)
    expected = stats.binomtest(7, 10).proportion_ci(method="wilson")
    assert line["low"] < 0.7 < line["high"]
    assert line["high"] - line["low"] == pytest.approx(
        expected.high - expected.low, rel=0.1
    )
    assert line["effective_nnz"] == np.median([0, 0, 0, *range(13, 20)])


def test_settings_of_one_seed_are_no_evidence_of_their_own():
    rows = [
        row(seed=s, lr=lr, effective_nnz=0 if s == 0 else 20)
        for s in range(5)
        for lr in (0.05, 0.1, 0.2)
    ]
    each = [row(seed=s, effective_nnz=0 if s == 0 else 20) for s in range(5)]
    many, few = only(found(*rows)), only(found(*each))
    assert (many["n"], many["rows"], few["rows"]) == (5, 15, 5)
    names = ["connected", "low", "high"]
    assert [many[n] for n in names] == pytest.approx([few[n] for n in names])


def test_few_seeds_have_no_interval():
    line = only(found(*[row(seed=s) for s in range(4)]))
    assert line["connected"] == 1
    assert np.isnan([line["low"], line["high"]]).all()


def test_each_group_has_its_line():
    rows = [row(keep=10, connected=False), row(keep=20), row(keep=20, method="lth")]
    table = found(*rows).sort_values(["keep", "method"])
    assert table[["method", "keep", "connected"]].to_numpy().tolist() == [
        ["gmp", 10, 0.0],
        ["gmp", 20, 1.0],
        ["lth", 20, 1.0],
    ]
