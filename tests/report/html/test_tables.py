"""Tables on the page are those of a comparison."""

from pathlib import Path

import pytest

from spiral.report.html import tables
from spiral.report.stats.compare import Question, of_rows
from tests.report import frontier, seeds, table

KNOWN = frontier(("any", 16, 0.96))
ROWS = [
    *seeds([0.9] * 8, keep=16),
    *seeds([0.97] * 8, keep=26),
    *seeds([0.96] * 8, keep=26, method="lth"),
]


def found(*rows):
    return tables.of(of_rows(table(*rows), Question(), KNOWN), [Path("out")])


def test_tables_have_the_lines_columns_and_command_of_each():
    gaps, groups, pairs = found(*ROWS)
    assert (gaps.name, gaps.total, len(gaps.lines)) == ("gaps", 4, 4)
    assert gaps.columns[:3] == ["method", "width", "threshold"]
    assert gaps.lines[0][0] == "gmp"
    assert "26 (+10)" in gaps.lines[0]
    assert groups.total == 3
    assert pairs.command == "spiral-sweep compare out --table pairs"
    assert all(isinstance(c, str) for line in groups.lines for c in line)


def test_pairs_are_those_over_all_sizes_with_their_interval():
    *_, pairs = found(*ROWS)
    (line,) = pairs.lines
    shown = dict(zip(pairs.columns, line, strict=True))
    assert (shown["a"], shown["b"], shown["n"]) == ("gmp", "lth", "8")
    assert shown["probability"] == "1"
    assert shown["interval"].endswith("–1.00")
    assert "keep" not in shown


def test_what_masks_are_worth_is_told():
    recipe = {"of": "gmp", "second_phase": "scratch_e", "restart": "original"}
    scratch = seeds([0.96] * 8, keep=26, method="scratch", **recipe)
    names = [one.name for one in found(*ROWS, *scratch)]
    assert names == ["gaps", "groups", "pairs", "masks"]


def test_tables_without_lines_are_left_out():
    assert [one.name for one in found(*ROWS[:8])] == ["gaps", "groups"]


def test_long_tables_are_cut_and_say_how_long_they_are(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "MOST", 2)
    gaps, *_ = found(*ROWS)
    assert (len(gaps.lines), gaps.total) == (2, 4)
