"""Gaps that were planted, and what is said where there is none."""

import numpy as np
import pandas as pd
import pytest

from spiral.report.stats import notes
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.excess import excess_weights, limits
from spiral.report.stats.selection import choose
from spiral.search.certify import record
from tests.report import frontier, only, row, seeds, table

KNOWN = frontier(("any", 16, 0.96), ("protocol", 18, 0.97), ("any", 28, 0.996))
GOOD, FAIR, BAD = [0.96] * 8, [0.9] * 5 + [0.97] * 3, [0.9] * 8


def found(*rows, known=KNOWN, by=("method", "width"), levels=(0.95,), seed_split=False):
    choice = choose(table(*rows), by, seed_split)
    groups = summarise(choice, levels, known)
    return excess_weights(choice, groups, levels, known)


def sizes(**accuracies):
    """Return rows of some sizes: k20=[…] are the accuracies at 20 weights."""
    return [r for k, each in accuracies.items() for r in seeds(each, keep=int(k[1:]))]


def test_planted_gaps_are_found():
    line = only(found(*sizes(k16=BAD, k20=FAIR, k26=GOOD, k33=GOOD)))
    assert (line["threshold"], line["best_known"], line["best_known_protocol"]) == (
        0.95,
        16,
        18,
    )
    assert (line["median"], line["median_excess"], line["median_n"]) == (26, 10, 8)
    assert (line["best"], line["best_excess"], line["best_n"]) == (20, 4, 8)
    assert (line["any"], line["any_excess"], line["any_n"]) == (20, 4, 32)
    assert (line["n"], line["smallest"], line["largest"]) == (8, 16, 33)
    assert (line["median_least"], line["median_excess_least"]) == (21, 5)
    assert (line["median_low"], line["median_high"]) == (17, 26)
    assert (line["median_excess_low"], line["median_excess_high"]) == (1, 10)


def test_a_bracket_is_not_turned_round_by_networks_of_equally_many_weights():
    """Masks for 40 and 44 weights may both keep 44, and half of them reach."""
    same = [*seeds(BAD, keep=40, nnz=44), *seeds(GOOD, keep=44)]
    line = only(found(*sizes(k33=BAD), *same))
    assert (line["median_least"], line["median"], line["median_n"]) == (34, 44, 16)
    assert line["median_low"] == 34
    assert pd.isna(line["median_high"])


def test_any_counts_settings_that_were_not_chosen():
    """The better median fails at 16; another rate has one seed that succeeds."""
    rows = [*seeds([0.9] * 3, keep=16), *seeds([0.1, 0.97, 0.1], keep=16, lr=0.9)]
    line = only(found(*rows, *sizes(k26=GOOD)))
    assert (line["best"], line["any"], line["any_n"]) == (26, 16, 14)


def test_equal_accuracy_reaches_and_less_does_not():
    assert only(found(*sizes(k20=[0.95] * 3)))["median"] == 20
    assert pd.isna(only(found(*sizes(k20=[np.nextafter(0.95, 0)] * 3)))["any"])


def test_what_never_reaches_is_null():
    line = only(found(*sizes(k16=BAD, k20=BAD)))
    names = ["median", "best", "any", "median_excess", "any_excess", "median_n"]
    assert pd.isna([line[name] for name in names]).all()
    assert (line["median_low"], line["largest"]) == (21, 20)
    assert pd.isna([line["median_high"], line["median_least"]]).all()
    assert (line["largest"], line["any_n"], line["best_known"]) == (20, 16, 16)


def test_failures_reach_nothing():
    rows = [*sizes(k16=BAD), *seeds([0.99] * 8, keep=20, status="aborted")]
    assert pd.isna(only(found(*rows))["any"])


def test_a_larger_size_that_fails_does_not_undo_a_smaller_that_reaches():
    line = only(found(*sizes(k16=BAD, k20=GOOD, k26=BAD, k33=GOOD)))
    assert line["median"] == 20


def test_weights_are_those_there_are():
    line = only(found(*seeds(GOOD, keep=20, nnz=19), *seeds(BAD, keep=18, nnz=17)))
    assert (line["median"], line["best"], line["any"]) == (19, 19, 19)
    assert (line["smallest"], line["largest"]) == (17, 19)


def test_better_than_the_frontier_is_a_negative_excess():
    assert only(found(*sizes(k15=GOOD)))["any_excess"] == -1


def test_every_group_and_threshold_has_a_line():
    rows = [*sizes(k30=[0.997] * 6), *seeds(GOOD, method="lth"), *seeds(GOOD, width=3)]
    lines = found(*rows, levels=(0.95, 0.995))
    keys = list(zip(lines["threshold"], lines["method"], lines["width"], strict=True))
    assert keys == [
        (0.95, "gmp", 3),
        (0.95, "gmp", 16),
        (0.95, "lth", 16),
        (0.995, "gmp", 3),
        (0.995, "gmp", 16),
        (0.995, "lth", 16),
    ]
    assert lines["best_known"].tolist() == [16] * 3 + [28] * 3
    assert lines["median"].fillna(-1).tolist() == [20, 30, 20, -1, 30, -1]


def test_dense_networks_have_a_gap_too():
    line = only(found(*seeds([1.0] * 6, method="dense", keep=None)))
    assert (line["median"], line["best_excess"]) == (560, 544)


def test_without_frontier_there_is_no_best_known_size():
    line = only(found(*sizes(k20=GOOD), known=None))
    assert line["median"] == 20
    assert not [name for name in line if "best_known" in name]
    excess = [name for name in line if "excess" in name]
    assert excess
    assert all("_random" in name for name in excess)


def test_both_kinds_of_best_known_have_their_excess():
    line = only(found(*sizes(k16=BAD, k20=FAIR, k26=GOOD, k33=GOOD)))
    assert (line["median_excess"], line["median_excess_protocol"]) == (10, 8)
    limits = ("median_excess_protocol_low", "median_excess_protocol_high")
    assert [line[name] for name in limits] == [-1, 8]
    assert (line["best_excess_protocol"], line["any_excess_protocol"]) == (2, 2)


def test_what_is_proven_stands_beside_what_is_known(monkeypatch):
    monkeypatch.setattr(record, "bounds", lambda path: {0.94: 9, 0.95: 11, 0.999: 13})
    lines = found(*sizes(k20=GOOD), levels=(0.93, 0.95, 0.995, 1.0))
    assert lines["proven"].fillna(0).tolist() == [0, 11, 11, 13]
    (note,) = notes.brackets(lines)
    assert note.endswith("11 ≤ smallest ≤ 16 for 0.95, 11 ≤ smallest ≤ 28 for 0.995")
    assert notes.brackets(found(*sizes(k20=GOOD), known=None)) == []
    assert notes.brackets(found(*sizes(k20=GOOD), levels=(0.93,))) == []


NARROW, WIDE = "10,01/11/1/1", "10,01,11,10/1111/1/1"
FITTING = frontier(
    ("any", 14, 0.96, WIDE),
    ("any", 17, 0.96, NARROW),
    ("protocol", 19, 0.97, WIDE),
)


@pytest.mark.parametrize(
    ("width", "fewest", "trained"), [(2, 17, None), (3, 17, None), (4, 14, 19)]
)
def test_only_networks_that_fit_in_the_width_are_rivals(width, fewest, trained):
    line = only(found(*seeds(GOOD, keep=20, width=width), known=FITTING))
    assert (line["best_known"], line["median_excess"]) == (fewest, 20 - fewest)
    assert pd.isna(line["best_known_protocol"]) == (trained is None)
    if trained:
        assert line["median_excess_protocol"] == 20 - trained


def test_of_several_widths_the_largest_counts():
    rows = [*seeds(GOOD, width=3), *seeds(GOOD, width=8), *seeds(GOOD, method="lth")]
    lines = found(*rows, known=FITTING, by=("method",))
    assert lines["best_known"].tolist() == [14, 14]
    narrow = found(*seeds(GOOD, width=3), known=FITTING, by=("method",))
    assert only(narrow)["best_known"] == 17


def test_an_accuracy_that_no_network_is_known_for_has_no_best_known_size():
    line = only(found(*sizes(k20=[1.0] * 6), levels=(0.999,)))
    assert line["median"] == 20
    assert pd.isna([line["best_known"], line["median_excess"]]).all()


def test_honest_gaps_count_only_seeds_that_did_not_choose():
    """Seed 0 chooses and reaches at 20; of those reported, 1, none does."""
    rows = [*seeds([0.97, 0.9], keep=20), *seeds([0.97, 0.97], keep=26), row(keep=16)]
    line = only(found(*rows, seed_split=True))
    assert (line["any"], line["best"], line["median"]) == (20, 26, 26)
    assert (line["n"], line["smallest"]) == (1, 20)


def test_a_group_with_nothing_to_report_has_no_sizes():
    line = only(found(row(accuracy=0.97), seed_split=True))
    assert (line["n"], line["any"]) == (0, 20)
    assert pd.isna([line["smallest"], line["median"], line["median_low"]]).all()


# ---- limits


def bounds(successes, n=10):
    weights = np.arange(10.0, 10 + len(successes))
    return limits(weights, np.array(successes), np.full(len(successes), n))


@pytest.mark.parametrize(
    ("successes", "low", "high"),
    [
        ([0, 0, 10, 10], 12, 12),  # clear
        ([0, 1, 5, 9, 10], 12, 13),  # 1 of 10 falls short, 9 reach, 5 may do either
        ([0, 2, 8, 10], 11, 13),  # 2 and 8 of 10 say nothing
        ([0, 10, 5, 10], 11, 13),  # once in doubt, always
        ([5, 5, 5], None, None),
        ([10, 10], None, 10),
        ([0, 0], 12, None),
        ([1, 2], 11, None),
    ],
)
def test_limits_are_where_sign_tests_stop(successes, low, high):
    found = [None if np.isnan(v) else v for v in bounds(successes)]
    assert found == [low, high]


def test_five_seeds_say_nothing_and_six_do():
    assert np.isnan(bounds([0, 5], n=5)[1])
    assert bounds([0, 6], n=6) == (11, 11)


def test_bounds_are_proven_of_the_default_task_alone():
    rows = sizes(k16=BAD, k20=GOOD)
    assert only(found(*rows))["proven"] == record.at_least(0.95)
    others = [each | {"task": "moons"} for each in rows]
    assert pd.isna(only(found(*others))["proven"])
