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
    found_tables = {one.name: one for one in found(*ROWS)}
    excess, groups, pairwise = (
        found_tables[name] for name in ("excess", "groups", "pairwise")
    )
    assert (excess.name, excess.total, len(excess.lines)) == ("excess", 4, 4)
    assert excess.columns[:3] == ["method", "width", "threshold"]
    assert excess.lines[0][0] == "gmp"
    assert "17–26 (+1 to +10)" in excess.lines[0]
    assert groups.total == 3
    assert pairwise.command == "spiral-sweep compare out --table pairwise"
    assert all(isinstance(c, str) for line in groups.lines for c in line)


def test_comparisons_are_those_over_all_sizes_with_their_interval():
    *_, pairwise = found(*ROWS)
    (line,) = pairwise.lines
    shown = dict(zip(pairwise.columns, line, strict=True))
    assert (shown["a"], shown["b"], shown["n"]) == ("gmp", "lth", "8")
    assert shown["probability"] == "1"
    assert shown["interval"].endswith("–1.00")
    assert "keep" not in shown


def test_the_ablation_of_masks_is_a_table():
    recipe = {"of": "gmp", "second_phase": "scratch_e", "restart": "original"}
    scratch = seeds([0.96] * 8, keep=26, method="scratch", **recipe)
    names = [one.name for one in found(*ROWS, *scratch)]
    assert names == ["scores", "excess", "groups", "pairwise", "masks"]


def test_tables_without_lines_are_left_out():
    names = [one.name for one in found(*ROWS[:8])]
    assert names == ["excess", "groups"]


def test_long_tables_are_cut_and_say_how_long_they_are(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "MOST", 2)
    _, excess, *_ = found(*ROWS)
    assert (len(excess.lines), excess.total) == (2, 4)
