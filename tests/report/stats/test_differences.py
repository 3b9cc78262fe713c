"""What differs beyond what was asked is a column or a note, never silent."""

import pandas as pd
import pytest

from spiral.report.stats import differences
from spiral.report.stats.compare import Question, of_rows
from spiral.report.stats.selection import choose
from spiral.report.text.comparison import document
from spiral.report.text.document import render
from tests.report import frontier, seeds, table

KNOWN = frontier(("any", 16, 0.96))
UP = [0.9 + seed / 1000 for seed in range(6)]
FIELDS = {
    "epochs": (2, 10),
    "batch": (128, 1000),
    "stop_epoch": (None, 5),
    "momentum": (0.0, 0.9),
    "engine": ("auto", "vmap"),
    "version": ("0.1.0", "0.2.0"),
    "source": ("A", "B"),
}
"""Conditions, and two values of each."""
TYPES = {int: "Int64", float: "Float64", str: "string"}


def of(*groups, **changed):
    """Return rows with conditions after their other columns, as `gather` has them."""
    rows = table(*[row for group in groups for row in group])
    late = [n for n in differences.MADE if n in rows]
    early = [n for n in rows if n in FIELDS and n not in late]
    rest = [n for n in rows if n not in early and n not in late]
    kinds = {n: TYPES[type(FIELDS[n][1])] for n in early + late}
    return rows[[*early, *rest, *late]].astype(kinds)


def found(rows, **question):
    return of_rows(rows, Question(thresholds=[0.95], **question), KNOWN)


def notes(rows, **question):
    return [note for note in found(rows, **question).notes if "are pooled in" in note]


@pytest.mark.parametrize("name", FIELDS)
def test_what_differs_between_groups_is_a_column(name):
    one, other = FIELDS[name]
    told = found(of(seeds(UP, **{name: one}), seeds(UP, method="lth", **{name: other})))
    assert told.conditions == [name]
    one = differences.NOTHING if one is None else one
    for shown in ("excess", "groups"):
        assert told.tables[shown][name].tolist() == [one, other]
        text = render(document(told), [shown])
        assert name in next(line for line in text.splitlines() if "method" in line)
    assert not any("are pooled in" in note for note in told.notes)


def test_a_way_out_can_be_pasted_into_a_shell():
    versions = ("0.1.0", "0.1.0 and 0.2.0")  # the second is that of a joined summary
    (note,) = notes(of(*[seeds(UP, version=version) for version in versions]))
    assert "rows of different version (0.1.0, 0.1.0 and 0.2.0) are" in note
    assert "`--where 'version=0.1.0 and 0.2.0'` selects one" in note


@pytest.mark.parametrize("name", FIELDS)
def test_what_differs_within_a_group_is_a_note_with_a_way_out(name):
    one, other = FIELDS[name]
    later = [row | {"seed": row["seed"] + 6} for row in seeds(UP, **{name: other})]
    rows = of(seeds(UP, **{name: one}), later)
    (note,) = notes(rows)
    assert f"rows of different {name} (" in note
    assert f"`--by method,width,{name}`" in note
    assert f"`--where {name}={'none' if one is None else other}` selects" in note
    apart = found(rows, by=["method", "width", name])
    assert len(apart.tables["groups"]) == 2
    assert not notes(rows, by=["method", "width", name])


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_alike_everywhere_is_not_told(name):
    other = FIELDS[name][1]
    rows = of(seeds(UP, **{name: other}), seeds(UP, method="lth", **{name: other}))
    assert found(rows).conditions == []
    assert notes(rows) == []


def test_budgets_of_one_method_show_which_is_reported():
    rows = of(seeds([0.8] * 6, epochs=2), seeds(UP, epochs=10), seeds(UP, epochs=10,
              method="lth"))  # fmt: skip
    told = found(rows)
    assert told.tables["excess"]["epochs"].tolist() == [10, 10]
    assert told.tables["excess"]["settings"].tolist() == [2, 1]
    (note,) = notes(rows)
    assert "(2, 10) are pooled in gmp 16, showing the best" in note


def test_budgets_that_differ_between_sizes_are_told_in_the_gaps():
    rows = of(seeds(UP, keep=20, epochs=2), seeds(UP, keep=30, epochs=10))
    told = found(rows)
    assert told.tables["excess"]["epochs"].tolist() == ["2, 10"]
    assert told.tables["groups"]["epochs"].tolist() == [2, 10]
    assert len(notes(rows)) == 1


def test_widths_that_make_no_groups_are_told():
    rows = of(seeds(UP, width=3), seeds(UP, width=16))
    (note,) = notes(rows, by=["method"])
    assert "rows of different width (3, 16) are pooled in gmp; " in note


def test_methods_that_make_no_groups_are_told():
    (note,) = notes(of(seeds(UP), seeds(UP, method="lth")), by=["width"])
    assert "rows of different method (gmp, lth)" in note


def test_settings_tuned_alike_are_no_column_but_those_tuned_otherwise_are():
    alike = [r for m in ("gmp", "lth") for lr in (0.1, 0.2)
             for r in seeds(UP, method=m, lr=lr)]  # fmt: skip
    assert found(of(alike)).conditions == []
    less = [r for r in alike if (r["method"], r["lr"]) != ("lth", 0.2)]
    told = found(of(less))
    assert told.conditions == ["lr", "settings"]
    assert told.tables["excess"]["settings"].tolist() == [2, 1]
    assert any("settings (lr) are cross-fitted" in note for note in told.notes)


def test_options_that_follow_from_the_size_are_no_columns():
    """As the levels of iterative pruning: each size has its own."""
    rows = of(
        *[seeds(UP, width=w, keep=k) for w in (3, 16) for k in (20, 30)],
    )
    levels = rows["keep"] // 10 + (rows["width"] == 3) * 7
    rows.insert(0, "levels", levels)
    assert found(rows).conditions == []
    assert found(rows).tables["groups"]["settings"].tolist() == [1] * 4


def test_options_count_within_their_method_alone():
    rows = of(seeds(UP), seeds(UP, method="rigl"), seeds(UP, width=3)).assign(
        interval=pd.array([10] * 6 + [None] * 6 + [20] * 6, "Int64")
    )
    rows = rows[["interval", *[n for n in rows if n != "interval"]]]
    assert found(rows).conditions == ["interval"]
    rows["interval"] = pd.array([10] * 6 + [50] * 6 + [10] * 6, "Int64")
    assert found(rows).conditions == []


def test_figures_say_in_words_how_lines_differ():
    many = [seeds(UP, method=m, epochs=10) for m in ("lth", "snip", "imp", "rigl", "x")]
    choice = choose(of(seeds(UP, epochs=2), *many))
    (text,) = differences.unlike(differences.of(choice))
    assert text == (
        "lines differ in epochs: 2 (gmp 16), 10 (imp 16, lth 16, rigl 16 and 2 more)"
    )
