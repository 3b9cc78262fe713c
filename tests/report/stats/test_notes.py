"""What is said about the numbers."""

import pytest

from spiral.report.stats import differences, notes
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.selection import choose
from tests.report import frontier, row, seeds, table


def said(*rows, known=None, seed_split=False):
    choice = choose(table(*rows), seed_split=seed_split)
    groups = summarise(choice, best_known=known)
    differ = differences.of(choice)
    return " | ".join(notes.of(choice, groups, seed_split, known, differ))


def test_failures_are_named_with_their_numbers():
    words = ["aborted"] * 3 + ["diverged", "degenerate", "ok", "collapsed"]
    text = said(*[row(seed=s, status=word) for s, word in enumerate(words)])
    assert "accuracy 0.5: 3 aborted, 1 collapsed, 1 diverged" in text
    assert "1 degenerate rows count with their accuracy" in text
    assert "failed" not in said(row())
    assert "degenerate" not in said(row())


def test_how_settings_are_chosen_is_said():
    two = [*seeds([0.9] * 4), *seeds([0.8] * 4, lr=0.2)]
    assert "settings (lr) are cross-fitted" in said(*two)
    assert "reported at the best of them" not in said(*two)
    alone = said(row(), row(lr=0.2))
    assert "1 rows are of the only seed of several settings" in alone
    assert "--seed-split" in said(*two)
    assert "--seed-split" not in said(row())
    assert "every other seed" in said(*two, seed_split=True)
    assert "none left" not in said(*two, seed_split=True)
    assert "1 groups have only one seed" in said(row(), seed_split=True)


def test_what_intervals_of_tuned_rows_leave_out_is_said():
    two = [*seeds([0.9] * 4), *seeds([0.8] * 4, lr=0.2)]
    assert "up to 14 % too narrow" in said(*two)
    assert "too narrow" not in said(*seeds([0.9] * 4))


def test_settings_that_were_tried_on_different_seeds_are_pointed_out():
    first = [row(seed=s, accuracy=0.9) for s in range(4)]
    apart = [row(seed=s, accuracy=0.8, lr=0.2) for s in range(4, 8)]
    others = [*seeds([0.7] * 4, method="lth"), *seeds([0.6] * 4, method="lth", lr=0.2)]
    assert "no two settings of gmp 16 were tried" in said(*first, *apart, *others)
    assert "on the same seed" not in said(*first, *others)
    met = row(seed=3, accuracy=0.8, lr=0.2)
    assert "on the same seed" not in said(*first, *apart, met)


@pytest.mark.parametrize(("accuracy", "better"), [(0.95, False), (0.951, True)])
def test_rows_better_than_the_frontier_are_pointed_out(accuracy, better):
    text = said(row(accuracy=accuracy), known=frontier(("any", 20, 0.95)))
    assert ("better than the frontier" in text) == better
    assert "no best known networks" not in text


def test_a_row_is_held_against_networks_of_its_own_size():
    """Not those of its group's median: units are removed whole."""
    known = frontier(("any", 12, 0.9), ("any", 20, 0.95))
    alike = {"method": "l1_unit", "keep": 22}
    less = [row(seed=s, nnz=12, accuracy=0.8, **alike) for s in range(3)]
    text = said(*less, row(seed=3, nnz=20, accuracy=0.94, **alike), known=known)
    assert "better than the frontier" not in text
