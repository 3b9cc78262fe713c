"""Tables of groups on rows with known answers."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spiral.report.stats.aggregate import known_at, summarise
from spiral.report.stats.selection import choose
from tests.report import frontier, only, row, seeds, table

TEN = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.96, 0.97, 0.995, 1.0]


def groups(*rows, known=None, by=("method", "width"), seed_split=False):
    return summarise(choose(table(*rows), by, seed_split), (0.95, 0.995), known)


def test_numbers_of_one_group():
    found = only(groups(*seeds(TEN)))
    assert (found["method"], found["width"], found["keep"]) == ("gmp", 16, 20)
    assert (found["n"], found["strata"], found["weights"]) == (10, 1, 20)
    assert found["median"] == pytest.approx(0.925)
    middle = (0.5 * 0.7 + 0.8 + 0.9 + 0.95 + 0.96 + 0.5 * 0.97) / 5
    assert found["iqm"] == pytest.approx(middle)
    assert found["best"] == 1
    assert 0.6 <= found["median_low"] < 0.925 < found["median_high"] <= 0.995
    assert found["iqm_low"] < middle < found["iqm_high"]
    assert found["best_low"] <= 0.97


def test_success_counts_those_that_reach_with_wilsons_limits():
    found = only(groups(*seeds(TEN)))
    assert (found["success_0.95"], found["success_0.995"]) == (0.5, 0.2)
    expected = stats.binomtest(5, 10).proportion_ci(method="wilson")
    limits = (found["success_0.95_low"], found["success_0.95_high"])
    assert limits == pytest.approx([*expected])


def test_one_seed_has_numbers_but_no_limits():
    found = only(groups(row()))
    assert (found["n"], found["median"], found["iqm"], found["best"]) == (
        1,
        0.9,
        0.9,
        0.9,
    )
    names = ["median_low", "median_high", "iqm_low", "iqm_high", "best_low"]
    assert np.isnan([found[name] for name in names]).all()
    assert 0 <= found["success_0.95_low"] < found["success_0.95_high"] < 1


def test_all_diverged_is_chance_without_success():
    found = only(groups(*seeds([0.0, 0.0, 0.3, None, 0.0, 0.99, 0], status="diverged")))
    assert (found["median"], found["iqm"], found["best"]) == (0.5, 0.5, 0.5)
    assert (found["median_low"], found["iqm_high"]) == (0.5, 0.5)
    assert (found["success_0.95"], found["ok"], found["diverged"]) == (0, 0, 7)


def test_each_status_is_counted_over_all_rows():
    words = ["ok", "ok", "degenerate", "aborted", "collapsed", "aborted"]
    rows = [row(seed=s, status=w, lr=0.1 + s % 2) for s, w in enumerate(words)]
    found = only(groups(*rows))
    assert found["ok"] == pytest.approx(2 / 6)
    assert [found[w] for w in words[2:5]] == [1, 2, 1]
    assert "diverged" not in found


def test_settings_and_cost_are_over_all_rows():
    rows = [
        *seeds([0.7, 0.8, 0.7], lr=0.1, steps=100),
        *seeds([0.8, 0.99, 0.9], lr=0.2, steps=300),
        *seeds([0.1, 0.2], lr=0.2, schedule="step", steps=500),
    ]
    found = only(groups(*rows))
    assert (found["settings"], found["rows"], found["n"]) == (3, 8, 3)
    assert (found["lr"], found["schedule"]) == (0.2, "cosine")
    assert (found["steps"], found["steps_all"]) == (300, 2200)
    assert (found["best"], found["best_any"]) == (0.99, 0.99)


def test_networks_are_described_by_medians_and_shares():
    sizes = [(20, 20), (20, 18), (20, 10), (19, 0)]
    rows = [row(seed=s, nnz=n, effective_nnz=e) for s, (n, e) in enumerate(sizes)]
    found = only(groups(*rows))
    assert (found["weights"], found["effective_nnz"]) == (20, 14)
    assert found["disconnected"] == 0.25


def test_weights_between_two_counts_are_rounded_up():
    rows = [row(seed=s, nnz=n) for s, n in enumerate((18, 19))]
    assert only(groups(*rows))["weights"] == 19


def test_strata_are_pooled_and_settings_they_do_not_share_are_null():
    rows = [
        *seeds([0.8, 0.8], width=3, lr=0.1),
        *seeds([0.6, 0.7], width=3, lr=0.2),
        *seeds([0.9, 0.99], width=16, lr=0.1),
        *seeds([0.95, 1.0], width=16, lr=0.2),
    ]
    found = only(groups(*rows, by=["method"]))
    assert (found["n"], found["strata"], found["settings"]) == (4, 2, 2)
    assert found["median"] == pytest.approx((0.8 + 0.95) / 2)
    assert pd.isna(found["lr"])
    assert found["schedule"] == "cosine"


def test_honest_groups_of_one_seed_are_lines_without_numbers():
    rows = [row(), *seeds([0.7, 0.8, 0.9], keep=30)]
    found = groups(*rows, known=frontier(("any", 10, 0.9)), seed_split=True)
    assert found["n"].tolist() == [0, 1]
    assert found["rows"].tolist() == [1, 3]
    assert found["best_any"].tolist() == [0.9, 0.9]
    empty = found.iloc[0]
    for name in ("median", "best", "weights", "success_0.95", "accuracy_gap", "lr"):
        assert pd.isna(empty[name]), name
    assert found["median"].iloc[1] == 0.8


def test_a_method_without_sizes_is_a_group():
    rows = [*seeds([0.99, 1.0], method="dense", keep=None), row()]
    found = groups(*rows)
    assert found["method"].tolist() == ["dense", "gmp"]
    assert found["keep"].isna().tolist() == [True, False]
    assert found["weights"].tolist() == [560, 20]


# ---- frontier

KNOWN = frontier(
    ("protocol", 16, 0.90),
    ("any", 16, 0.95),
    ("any", 22, 0.94),
    ("protocol", 24, 0.99),
)


def test_the_best_known_is_that_of_at_most_so_many_weights():
    weights = np.array([15, 16, 20, 23, 24, 900, np.nan])
    wide = np.full(len(weights), 16.0)
    any_ = known_at(weights, wide, KNOWN, "any").tolist()
    assert any_[1:6] == [0.95, 0.95, 0.95, 0.99, 0.99]
    assert np.isnan([any_[0], any_[6]]).all()
    same = known_at(weights, wide, KNOWN, "protocol").tolist()
    assert same[1:6] == [0.90, 0.90, 0.90, 0.99, 0.99]


def test_the_best_known_fits_in_the_width():
    both = frontier(
        ("any", 16, 0.9), ("any", 16, 0.95, "10,01,11,10/1111/1/1"), ("any", 20, 0.92)
    )
    weights = np.array([16, 16, 20, 20, 16])
    widths = np.array([3, 4, 3, 4, 1])
    found = known_at(weights, widths, both, "any").tolist()
    assert found[:4] == [0.9, 0.95, 0.92, 0.95]
    assert np.isnan(found[4])
    lines = groups(*seeds([0.8], width=3), *seeds([0.8], width=4), known=both)
    assert lines["accuracy_gap"].tolist() == pytest.approx([0.12, 0.15])


def test_a_planted_shortfall_is_found_with_its_limits():
    found = only(groups(*seeds(TEN), known=KNOWN))
    assert found["frontier"] == 0.95
    assert found["accuracy_gap"] == pytest.approx(0.95 - 0.925)
    assert found["accuracy_gap_best"] == pytest.approx(-0.05)
    assert found["accuracy_gap_protocol"] == pytest.approx(0.90 - 0.925)
    assert found["accuracy_gap_low"] == pytest.approx(0.95 - found["median_high"])
    assert found["accuracy_gap_high"] == pytest.approx(0.95 - found["median_low"])


def test_shortfall_counts_the_weights_there_are_not_those_asked_for():
    """Asked for 24, got 23: the network of 24 weights is no rival."""
    found = only(groups(row(keep=24, nnz=23), known=KNOWN))
    assert found["accuracy_gap"] == pytest.approx(0.05)


def test_agrees_with_pandas_on_many_groups():
    random = np.random.default_rng(0)
    rows = [
        row(method=m, width=w, keep=k, seed=s, accuracy=random.uniform(0.5, 1))
        for m in ("gmp", "lth")
        for w in (3, 16)
        for k in (10, 20, 30)
        for s in range(int(random.integers(1, 30)))
    ]
    frame = table(*rows)
    found = groups(*rows)
    expected = frame.groupby(["method", "width", "keep"])["accuracy"]
    assert found["median"].tolist() == pytest.approx(expected.median().tolist())
    assert found["best"].tolist() == pytest.approx(expected.max().tolist())
    assert found["n"].tolist() == expected.size().tolist()
