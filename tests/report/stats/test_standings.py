"""Ranks of many methods, on rows with known answers."""

import pandas as pd
import pytest

from spiral.methods.registry import options
from spiral.report.stats import ranking, standings
from spiral.report.text import standings as standings_text
from spiral.report.text.document import render
from spiral.results import load, summary
from tests.golden import readme
from tests.report import frontier, seeds, table

KNOWN = frontier(("any", 16, 0.96), ("any", 22, 0.9995))
UP = [0.90 + seed / 1000 for seed in range(8)]


def shifted(by):
    """Return accuracies of eight seeds, shifted."""
    return [accuracy + by for accuracy in UP]


def with_batch(rows):
    """Return rows of batches of 128, as `standard` has them."""
    return rows.assign(batch=128)


@pytest.fixture
def rows():
    """GMP beats LTH, LTH random, at the two sizes that all have."""
    strength = {"random": -0.2, "gmp": 0.06, "lth": 0.0}
    return with_batch(
        table(
            *(
                line
                for method, by in strength.items()
                for keep in (26, 44)
                for line in seeds(shifted(by), method=method, keep=keep)
            ),
            *seeds([0.99] * 8, method="random", keep=65),
            *seeds([0.99] * 8, method="lth", width=64, keep=26),
            *[{**line, "seed": 8} for line in seeds([0.99], method="random", keep=26)],
        )
    )


def test_ranks_count_who_is_better_where_all_have_rows(rows):
    found = standings.standings(rows, KNOWN)
    assert found.width == 16
    assert found.ranks.to_dict("list") == {
        "method": ["gmp", "lth", "random"],
        "rank": [1, 2, 3],
        "better": [2, 1, 0],
        "worse": [0, 1, 2],
        "seeds": [8, 8, 8],
        "pairs": [16, 16, 16],
        "epochs": [50, 50, 50],
    }
    assert found.tried == [26, 44]
    assert set(found.excess["largest"]) == {44}
    assert set(found.sizes["n"]) == {8}


def test_ranks_are_those_of_one_method_on_equal_cells(rows):
    both = rows[rows["keep"] != 65].query("width == 16 and seed < 8")
    found = standings.standings(rows, KNOWN).ranks.set_index("method")["rank"]
    for method, rank in found.items():
        assert ranking.of_rows(both, method, KNOWN).rank == rank


def test_ties_share_a_rank():
    alike = with_batch(table(*seeds(UP, method="gmp"), *seeds(UP, method="lth")))
    assert standings.standings(alike, KNOWN).ranks["rank"].tolist() == [1, 1]


def test_the_table_has_what_each_needs_and_its_accuracy_gap(rows):
    shown = standings_text.table(standings.standings(rows, KNOWN))
    expected = pd.DataFrame(
        {
            "rank": [1, 2, 3],
            "method": ["gmp", "lth", "random"],
            "better": [2, 1, 0],
            "worse": [0, 1, 2],
            "epochs": ["50", "50", "50"],
            "median": ["≤26 (+10)", ">44", ">44"],
            "interval": ["26–26", ">44", ">44"],
            "best": ["≤26 (+10)", ">44", ">44"],
            "protocol": ["-", "-", "-"],
            "random": ["≤26 (+0)", "≤26", "≤26"],  # of nine, one reaches 0.99
            "accuracy gap at 26": ["0.036", "0.096", "0.296"],
            "accuracy gap at 44": ["0.036", "0.096", "0.296"],
        }
    )
    pd.testing.assert_frame_equal(shown, expected)


def test_markdown_has_a_line_each_and_names_those_not_ranked(rows):
    text = readme.ranking(standings.standings(rows, KNOWN))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 5
    assert lines[2].startswith("| 1 | `gmp` | 2 | 0 | 50 | ≤26 (+10) |")
    assert all(line.count(" | ") == 11 for line in lines)
    assert "`dense`" in text.partition("Not ranked: ")[2]


def test_degenerate_rows_are_counted_for_each_method(rows):
    odd = (rows["method"] == "lth") & (rows["keep"] == 26) & (rows["width"] == 16)
    rows.loc[odd, "status"] = "degenerate"
    found = standings.standings(rows, KNOWN, ["mind the gap"])
    text = (
        "degenerate rows (too few positive scores to rank all kept weights) count with "
        "their accuracy: 8 of 16 of lth"
    )
    assert found.caveats == ["mind the gap", text]
    assert found.notes[:2] == found.caveats
    assert "8 of 16 of lth" in readme.ranking(found)
    assert standings.standings(rows[~odd], KNOWN).caveats == []


def test_rows_at_old_defaults_are_named_and_give_way_to_newer_ones():
    old = standings.shipped(options())
    said = [text for text in old.caveats if text.startswith("sfw: ")]
    had = set(load.read([summary.shipped("standard")], options()).rows["ball_share"])
    assert bool(said) == (0.3 in had)


def test_rows_left_out_are_counted(monkeypatch):
    known = load.read([summary.shipped("standard")], options())
    old = known.rows[known.rows["method"] == "sfw"]
    both = [old.assign(ball_share=share) for share in (0.3, 0.02)]
    study = known._replace(rows=pd.concat([known.rows, *both], ignore_index=True))
    monkeypatch.setattr(load, "read", lambda *_: study)
    ranked = study.rows[study.rows["width"] <= standings.WIDTH]
    had = (ranked["ball_share"] == 0.3).sum()
    note = f"{had:,} rows at old defaults of sfw left out"
    found = standings.shipped(options())
    assert note in found.caveats
    assert note in found.notes


def test_budgets_that_differ_are_noted(rows):
    bracket, curve = standings.standings(rows, KNOWN).notes
    assert " ≤ smallest ≤ 16 for 0.95, " in bracket
    assert curve.startswith("0 of 2 best known networks compared with are less")
    epochs = [10 if method == "gmp" else 50 for method in rows["method"]]
    rows.insert(0, "epochs", epochs)
    found = standings.standings(rows, KNOWN)
    note, *_ = found.notes
    assert note == "lines differ in epochs: 10 (gmp 16), 50 (lth 16, random 16)"
    assert f"note: {note}" in render(standings_text.document(found))
