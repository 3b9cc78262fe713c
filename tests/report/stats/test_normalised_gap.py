"""The normalised gap, on rows whose gap is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from spiral.report.stats import normalised_gap
from spiral.report.stats.normalised_gap import of_lines, of_seeds, trapezoid
from spiral.report.stats.selection import choose
from tests.report import frontier, only, row, seeds, table

SIZES = (12, 16, 24, 40, 65, 90)
KNOWN = frontier(("any", 10, 0.9), ("any", 30, 1.0), ("protocol", 10, 0.8))


def lines(*rows, by=("method", "width"), kind="any"):
    return of_lines(choose(table(*rows), by), KNOWN, kind)


def lacking(share, sizes=SIZES, **values):
    """Return rows that lack a share of what the best known have over chance."""
    found = []
    for keep in sizes:
        best = 1.0 if keep >= 30 else 0.9
        accuracy = best - share * (best - 0.5)
        found += seeds([accuracy] * 3, keep=keep, **values)
    return found


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_constant_share_that_is_lacking_is_the_gap(share):
    line = only(lines(*lacking(share)))
    assert line["gap"] == pytest.approx(share)
    assert (line["n"], line["least"], line["most"]) == (3, 16, 65)


def test_failures_and_what_is_worse_than_chance_lack_all():
    rows = [*lacking(0.0, [16]), *seeds([0.3] * 3, keep=65)]
    ours = only(lines(*rows))
    failed = [r | {"status": "collapsed"} for r in lacking(0.0, [65])]
    assert ours["gap"] == only(lines(*lacking(0.0, [16]), *failed))["gap"] == 0.5


def test_a_network_better_than_the_best_known_has_a_negative_gap():
    line = only(lines(*lacking(0.0, SIZES), kind="protocol"))
    assert line["gap"] < 0


def test_the_integral_is_that_of_straight_lines_in_log_size():
    random = np.random.default_rng(0)
    sizes = np.sort(random.choice(np.arange(12, 100), 9, replace=False))
    sizes[0], sizes[-1] = 11, 101
    values = random.random(9)
    weights = trapezoid(tuple(map(float, sizes)), 16, 65)

    def at(x):
        return np.interp(x, np.log(sizes), values)

    ends = np.log(16), np.log(65)
    whole = quad(at, *ends, limit=500, points=np.log(sizes)[1:-1])[0]
    assert weights @ values == pytest.approx(whole / (ends[1] - ends[0]), rel=1e-6)
    assert weights.sum() == pytest.approx(1)


def test_every_accuracy_counts():
    """Strictly monotone: one row better by 0.001 makes the gap smaller."""
    rows = lacking(0.5, [16, 26, 44, 65])
    before = only(lines(*rows))["gap"]
    for place in range(len(rows)):
        better = [dict(line) for line in rows]
        better[place]["accuracy"] += 0.001
        assert only(lines(*better))["gap"] < before


def test_the_range_is_cut_to_what_rows_have():
    line = only(lines(*lacking(0.5, [18, 22])))
    assert (line["least"], line["most"]) == (18, 22)
    assert line["gap"] == pytest.approx(0.5)


def test_what_does_not_cover_the_range_of_others_has_no_gap():
    found = lines(*lacking(0.5), *lacking(0.1, [40, 65], method="lth"))
    found = found.set_index("method")
    assert pd.isna(found.loc["lth", "gap"])
    assert found.loc["lth", "n"] == 0
    assert found.loc["gmp", "gap"] == 0.5


def test_a_seed_without_a_size_is_left_out():
    rows = [*lacking(0.5), *[r | {"seed": 7} for r in lacking(0.5, SIZES[:-2])[::3]]]
    assert only(lines(*rows))["n"] == 3


def test_widths_that_make_no_groups_are_averaged():
    rows = [*lacking(0.2, width=3), *lacking(0.6, width=16)]
    assert only(lines(*rows, by=["method"]))["gap"] == pytest.approx(0.4)


def test_limits_are_students_over_seeds():
    rows = [
        row(keep=k, seed=s, accuracy=best - share * (best - 0.5))
        for s, share in enumerate([0.2, 0.4, 0.6, 0.9])
        for k, best in [(16, 0.9), (65, 1.0)]
    ]
    line = only(lines(*rows))
    values = np.array([0.2, 0.4, 0.6, 0.9])
    half = 3.182446305284263 * max(values.std(ddof=1), 0.5 / 2) / 2
    assert line["gap"] == pytest.approx(0.525)
    assert line["gap_low"] == pytest.approx(0.525 - half)
    assert line["gap_high"] == 1.0  # no gap is larger


def test_equal_seeds_are_no_proof():
    """As if one row of all had been at the other end."""
    line = only(lines(*lacking(0.5, [16, 26, 44, 65])))
    assert line["gap_high"] - line["gap"] > 0.1


def test_one_seed_has_no_limits():
    rows = [row(keep=k, accuracy=0.7) for k in (16, 65)]
    assert pd.isna(only(lines(*rows))["gap_low"])


def test_networks_without_a_size_have_none():
    assert only(lines(*seeds([1.0] * 3, method="dense", keep=None)))["n"] == 0


def test_gaps_of_seeds_follow_the_setting_of_each():
    rows = [r for lr in (0.1, 0.2) for r in lacking(lr, lr=lr)]
    found = of_seeds(choose(table(*rows)), KNOWN)
    assert found["gap"].tolist() == pytest.approx([0.1] * 3)


def test_more_settings_of_another_method_change_nothing():
    rows = lacking(0.5)
    other = [r for lr in (0.1, 0.2, 0.3) for r in lacking(lr, lr=lr, method="lth")]
    names = ["gap", "gap_low", "gap_high", "n"]
    alone = only(lines(*rows))
    beside = lines(*rows, *other).set_index("method").loc["gmp"]
    assert [alone[name] for name in names] == beside[names].tolist()


def test_the_range_is_a_little_over_the_best_known_to_four_times():
    assert normalised_gap.RANGE == (16, 65)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_what_is_lacking_is_over_the_chance_of_the_task(share):
    chance, rows = 0.7, []
    for keep in SIZES:
        best = 1.0 if keep >= 30 else 0.9
        accuracy = best - share * (best - chance)
        rows += seeds([accuracy] * 3, keep=keep, task="f@1", task_chance=chance)
    assert only(lines(*rows))["gap"] == pytest.approx(share)
