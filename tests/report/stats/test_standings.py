"""Ranks of many methods, on rows with known answers."""

import pandas as pd
import pytest

from spiral.methods.registry import options
from spiral.report.stats import ranking, standings
from spiral.report.text import standings as standings_text
from spiral.report.text.document import render
from spiral.results import load, summary
from tests.golden import readme
from tests.report import frontier, only, seeds, table

KNOWN = frontier(("any", 16, 0.98), ("any", 22, 0.9995))
SIZES = (16, 20, 24, 28, 34, 40, 48, 56, 65)
UP = [0.90 + seed / 1000 for seed in range(8)]


def shifted(by):
    """Return accuracies of eight seeds, shifted."""
    return [accuracy + by for accuracy in UP]


def with_batch(rows):
    """Return rows of batches of 128, as `standard` has them."""
    return rows.assign(batch=128)


def standing(rows, caveats=()):
    return standings.standings(rows, KNOWN, options(), caveats)


@pytest.fixture
def rows():
    """GMP is better than LTH by 0.06, LTH than random by 0.2."""
    strength = {"random": -0.2, "gmp": 0.06, "lth": 0.0}
    return with_batch(
        table(
            *(
                line
                for method, by in strength.items()
                for keep in SIZES
                for line in seeds(shifted(by), method=method, keep=keep)
            )
        )
    )


def test_methods_are_ranked_by_their_gap(rows):
    found = standing(rows)
    scores = found.scores
    assert found.width == 16
    assert scores["method"].tolist() == ["gmp", "lth", "random"]
    assert scores["gap"].is_monotonic_increasing
    assert scores["rank_low"].tolist() == scores["rank_high"].tolist() == [1, 2, 3]
    assert scores["strength"].is_monotonic_decreasing
    assert scores["n"].tolist() == [8, 8, 8]
    assert scores["epochs"].tolist() == [50, 50, 50]
    assert found.tried == [*SIZES]


def test_ranks_are_those_of_one_method_on_equal_cells(rows):
    found = standing(rows).scores.set_index("method")
    for method in found.index:
        own = only(ranking.of_rows(rows, method, KNOWN, options()).own)
        assert own["rank_low"] == found.loc[method, "rank_low"]
        assert own["gap"] == found.loc[method, "gap"]


def test_equal_methods_share_their_ranks(rows):
    alike = rows[rows["method"] == "gmp"]
    both = pd.concat([alike, alike.assign(method="lth")], ignore_index=True)
    found = standing(both).scores
    assert found["rank_low"].tolist() == [1, 1]
    assert found["rank_high"].tolist() == [2, 2]
    assert found["strength"].tolist() == pytest.approx([0, 0])


def test_tuned_and_default_gaps_stand_side_by_side(rows):
    """At 0.05 all are better by 0.02; the default rate is 0.1."""
    better = rows.assign(lr=0.05, accuracy=rows["accuracy"] + 0.02)
    found = standing(pd.concat([rows, better], ignore_index=True))
    alone = standing(rows).scores
    assert found.settings == {"lr": [0.05, 0.1]}
    assert found.scores["gap_default"].tolist() == alone["gap"].tolist()
    assert (found.scores["gap"] < found.scores["gap_default"]).all()
    assert "tuned over up to 2 settings of lr {0.05, 0.1}" in standings_text.title(
        found
    )
    assert any("cross-fitted" in note for note in found.notes)


def test_unequal_tuning_is_said(rows):
    more = rows[rows["method"] == "lth"].assign(lr=0.05)
    found = standing(pd.concat([rows, more], ignore_index=True))
    (note,) = [text for text in found.notes if "unequal in their tuning" in text]
    assert "1 settings (gmp 16, random 16)" in note
    assert "2 settings (lth 16)" in note
    assert found.scores.set_index("method")["settings"].to_dict() == {
        "gmp": 1,
        "lth": 2,
        "random": 1,
    }


def test_the_table_has_gap_rank_and_what_each_needs(rows):
    shown = standings_text.table(standing(rows)).set_index("method")
    assert [*shown] == [
        *("rank", "gap", "gap_protocol", "strength", "settings", "n"),
        *("median", "interval", "best", "random", "epochs"),
    ]
    assert shown["rank"].tolist() == ["1", "2", "3"]
    assert shown["median"].tolist() == ["≤16 (+0)", ">65", ">65"]
    assert shown["best"].tolist() == ["≤16 (+0)", ">65", ">65"]
    assert shown.loc["gmp", "gap"].startswith("0.0")


def test_markdown_has_a_line_each_and_names_those_not_ranked(rows):
    text = readme.ranking(standing(rows))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 5
    assert lines[2].startswith("| 1 | `gmp` | 0.0")
    assert "`dense`" in text.partition("Not ranked: ")[2]


def test_degenerate_rows_are_counted_for_each_method(rows):
    odd = (rows["method"] == "lth") & (rows["keep"] == 24)
    rows.loc[odd, "status"] = "degenerate"
    found = standing(rows, ["mind the gap"])
    text = (
        "degenerate rows (too few positive scores to rank all kept weights) count with "
        "their accuracy: 8 of 72 of lth"
    )
    assert found.caveats == ["mind the gap", text]
    assert found.notes[:2] == found.caveats
    assert "8 of 72 of lth" in readme.ranking(found)
    assert standing(rows[~odd]).caveats == []


def test_rows_at_old_defaults_are_named_and_give_way_to_newer_ones():
    old = standings.shipped(options())
    said = [text for text in old.caveats if text.startswith("sfw: ")]
    had = set(load.read([summary.shipped("standard")], options()).rows["ball_share"])
    assert bool(said) == (0.3 in had)


def test_rows_left_out_are_counted(monkeypatch):
    known = load.at_width(summary.shipped("standard"), options(), standings.WIDTH)
    old = known[known["method"] == "sfw"]
    both = [old.assign(ball_share=share) for share in (0.3, 0.02)]
    study = pd.concat([known, *both], ignore_index=True)
    monkeypatch.setattr(load, "at_width", lambda *_: study)
    had = (study["ball_share"] == 0.3).sum()
    note = f"{had:,} rows at old defaults of sfw left out"
    found = standings.shipped(options())
    assert note in found.caveats
    assert note in found.notes


def test_budgets_that_differ_are_noted(rows):
    epochs = [10 if method == "gmp" else 50 for method in rows["method"]]
    rows.insert(0, "epochs", epochs)
    found = standing(rows)
    note = "lines differ in epochs: 10 (gmp 16), 50 (lth 16, random 16)"
    assert note in found.notes
    assert f"note: {note}" in render(standings_text.document(found))
