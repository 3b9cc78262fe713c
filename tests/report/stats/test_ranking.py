"""The rank of a method among others, on rows with known answers."""

from dataclasses import replace

import pytest

from spiral.errors import StoreError
from spiral.methods.registry import options
from spiral.report.stats import ranking
from spiral.report.text import ranking as ranking_text
from spiral.report.text.document import as_json, render
from tests.report import frontier, only, row, seeds, table

KNOWN = frontier(("any", 16, 0.96), ("any", 22, 0.999))
UP = [0.90 + seed / 1000 for seed in range(8)]


def shifted(by):
    """Return accuracies of eight seeds, shifted."""
    return [accuracy + by for accuracy in UP]


SIZES = (20, 24, 28, 34, 40, 48, 56, 65)


def at_sizes(accuracies, **values):
    """Return rows of several sizes, so that there is a gap."""
    return [r for keep in SIZES for r in seeds(accuracies, keep=keep, **values)]


@pytest.fixture
def rows():
    """Ours beats `low` on all seeds, `near` on six of eight; `high` beats ours."""
    near = shifted(-0.01)
    near[0] = near[5] = 0.95
    return table(
        *at_sizes(UP, method="ours"),
        *at_sizes(shifted(0.08), method="high"),
        *at_sizes(near, method="near"),
        *at_sizes(shifted(-0.2), method="low"),
    )


def test_the_rank_is_by_the_gap(rows):
    found = ranking.of_rows(rows, "ours", KNOWN, options())
    own = only(found.own)
    assert (own["rank_low"], own["rank_high"], found.methods) == (2, 3, 4)
    against = found.pairwise[found.pairwise["width"].isna()]
    assert against["method"].tolist() == ["high", "near", "low"]
    assert against["probability"].tolist() == [0.0, 0.75, 1.0]
    assert against["n"].tolist() == [8, 8, 8]


def test_chances_are_ours_whoever_comes_first_in_the_alphabet(rows):
    for method, least in (("high", 1), ("ours", 2), ("near", 2), ("low", 4)):
        own = only(ranking.of_rows(rows, method, KNOWN, options()).own)
        assert own["rank_low"] == least
    ours = ranking.of_rows(rows, "ours", KNOWN, options()).pairwise
    high = ranking.of_rows(rows, "high", KNOWN, options()).pairwise
    one = only(ours[ours["width"].isna() & (ours["method"] == "high")])
    other = only(high[high["width"].isna() & (high["method"] == "ours")])
    assert one["probability"] == 1 - other["probability"]
    assert one["low"] == pytest.approx(1 - other["high"])
    assert one["low"] <= one["probability"] <= one["high"]


def test_only_the_cells_of_ours_count(rows):
    """Seeds, sizes, widths and settings that others have alone change nothing."""
    more = table(
        *seeds(UP, method="ours"),
        *seeds([*shifted(0.05), 0.1, 0.1], method="high"),
        *seeds([0.99] * 8, method="high", keep=44),
        *seeds([0.99] * 8, method="low", width=64),
        *seeds([0.99] * 8, method="low", lr=0.2),
        *seeds(shifted(-0.2), method="low"),
    )
    found = ranking.of_rows(more, "ours", KNOWN, options())
    assert found.methods == 3
    assert found.pairwise["pairs"].tolist() == [8] * 4
    assert set(found.excess["n"]) == {8}
    assert set(found.excess["largest"]) == {20}


def test_excess_has_ranks_that_ties_share_and_none_without_a_median():
    sizes = {"ours": 20, "same": 20, "less": 18, "never": 99}
    lines = [
        line
        for method, fewest in sizes.items()
        for keep in (18, 20, 22)
        for line in seeds(
            [0.96 if keep >= fewest else 0.6] * 8, method=method, keep=keep
        )
    ]
    found = ranking.of_rows(table(*lines), "ours", KNOWN, options())
    excess = found.excess[found.excess["threshold"] == 0.95].set_index("method")
    assert excess["rank"].to_dict()["less"] == 1
    assert excess["rank"].to_dict()["ours"] == excess["rank"].to_dict()["same"] == 2
    assert excess["rank"].isna().to_dict()["never"]
    shown = ranking_text.excess(found).set_index("threshold")
    assert shown.loc[0.95, "median"] == "19–20 (+3 to +4)"
    assert shown.loc[0.95, "first"] == "less: ≤18 (+2)"
    assert shown.loc[0.995, "first"] == "none reaches it"


def test_sizes_are_ours_with_accuracy_gap_and_rank(rows):
    line = ranking.of_rows(rows, "ours", KNOWN, options()).sizes.iloc[0]
    assert (line["keep"], line["n"], line["rank"]) == (20, 8, 2)
    assert line["accuracy_gap"] == pytest.approx(0.96 - 0.9035)


def test_a_tie_counts_half_and_shares_the_rank():
    both = [*at_sizes(UP, method="ours"), *at_sizes(UP, method="twin")]
    found = ranking.of_rows(table(*both), "ours", KNOWN, options())
    own = only(found.own)
    assert (own["rank_low"], own["rank_high"]) == (1, 2)
    assert found.pairwise["probability"].tolist() == [0.5, 0.5]
    assert found.pairwise["ties"].tolist() == [64, 64]


def test_rows_of_another_size_than_promised_are_named():
    lines = [
        *seeds(UP, method="ours"),
        row(method="ours", seed=8, nnz=19, status="infeasible"),
        row(method="other", seed=8, nnz=19, status="infeasible"),
    ]
    found = ranking.of_rows(table(*lines), "ours", KNOWN, options())
    assert len(found.miscounted) == 1
    text = ranking_text.miscounted(found)
    assert "ours: expected each row to keep exactly" in text
    assert "(width 16, seed 8, keep 20): 19 weights" in text


def test_a_method_without_rows_is_an_error(rows):
    with pytest.raises(StoreError, match="no rows of method mine"):
        ranking.of_rows(rows, "mine", KNOWN, options())


def test_the_headline_has_gap_and_rank(rows):
    text = ranking_text.headline(ranking.of_rows(rows, "ours", KNOWN, options()))
    assert text.startswith("ours: normalised gap 0.1")
    assert "at width 16, rank 2–3 of 4 (n = 8 seeds; the ranks" in text


def test_without_a_gap_the_headline_says_why():
    one = table(*seeds(UP, method="ours"), *seeds(UP, method="high"))
    text = ranking_text.headline(ranking.of_rows(one, "ours", KNOWN, options()))
    assert "no normalised gap" in text


def test_a_glance_has_the_first_and_the_neighbours(rows):
    found = ranking.of_rows(rows, "low", KNOWN, options())
    lines = ranking_text.neighbours(found)
    assert lines["method"].tolist() == ["high", "ours", "low"]
    assert lines["place"].tolist() == [1, 3, 4]
    assert lines["rank"].tolist() == ["1", "2–3", "4"]
    cut = replace(found, notes=["word " * 40])
    last = render(ranking_text.brief(cut)).splitlines()[-1]
    assert last.startswith("note: word")
    assert last.endswith("word …")
    assert 80 < len(last) <= 88


def test_a_glance_without_a_gap_has_no_neighbours():
    one = table(*seeds(UP, method="ours"), *seeds(UP, method="high"))
    for known in (KNOWN, None):
        found = ranking.of_rows(one, "ours", known, options())
        assert ranking_text.neighbours(found).empty
        assert "no normalised gap" in render(ranking_text.brief(found))


def test_a_page_has_all_tables_and_corrected_verdicts(rows, tmp_path):
    found = ranking.of_rows(rows, "ours", KNOWN, options())
    text = render(ranking_text.document(found, tmp_path))
    assert ranking_text.pairwise(found)["verdict"].tolist() == [
        "worse",
        "no significant difference",
        "better",
    ]
    tables = ("scores", "pairwise", "excess", "sizes")
    assert all(f"\n{name}: " in text for name in tables)
    assert text.startswith(ranking_text.headline(found)[:60])


def test_json_has_nulls_where_there_is_nothing(rows, tmp_path):
    found = ranking.of_rows(rows, "ours", KNOWN, options())
    document = as_json(ranking_text.document(found, tmp_path))
    assert document["out"] == str(tmp_path)
    assert document["scores"][1]["rank_low"] == 2
    assert document["pairwise"][0]["width"] is None
    assert {line["method"] for line in document["excess"]} == set(rows["method"])
    tables = {"scores", "pairwise", "excess", "sizes"}
    assert document["definitions"].keys() == tables


def test_a_rank_is_one_at_each_width():
    lines = [
        *[line for w in (3, 16, 64) for line in at_sizes(UP, method="ours", width=w)],
        *[line for w in (3, 16) for line in at_sizes(UP, method="high", width=w)],
        *at_sizes(shifted(-0.2), method="low", width=16),
    ]
    known = frontier(("any", 16, 0.96), ("any", 22, 0.999))
    found = ranking.of_rows(table(*lines), "ours", known, options())
    assert found.widths == [3, 16]  # at 64 there is none to compare with
    text = ranking_text.headline(found)
    assert "at width 3, rank 1–2 of 2; " in text
    assert "at width 16, rank 1–2 of 3" in text
    shown = ranking_text.pairwise(found).set_index("against")["widths"]
    assert shown.to_dict() == {"high": "3, 16", "low": "16"}


def test_failures_of_ours_are_counted_apart_and_explained():
    lines = [
        *seeds(UP[:4], method="ours"),
        *[row(method="ours", seed=s, status="collapsed") for s in (4, 5)],
        *seeds(UP[:3], method="high"),
        *[row(method="high", seed=s, status="degenerate") for s in (3, 4)],
        row(method="high", seed=5, status="collapsed"),
    ]
    found = ranking.of_rows(table(*lines), "ours", KNOWN, options())
    path = "collapsed: no path from input to output"
    assert found.notes[-2:] == [
        "failed rows count with accuracy 0.5: 2 collapsed (of 6 of ours)",
        path,
    ]
    failed = "failed rows count with accuracy 0.5: 1 collapsed (of 6 of the other"
    assert any(note.startswith(failed) for note in found.beside)
    (meaning,) = [note for note in found.beside if note.startswith("degenerate: ")]
    assert path not in meaning
    assert not any("infeasible" in note for note in [*found.notes, *found.beside])


def test_another_budget_or_version_than_that_of_the_others_is_told():
    lines = [*seeds(UP, method="ours"), *seeds(UP, method="high")]
    rows = table(*lines).assign(version=["2.0"] * 8 + ["1.0"] * 8)
    rows.insert(0, "epochs", [10] * 8 + [50] * 8)
    notes = ranking.of_rows(rows, "ours", KNOWN, options()).notes
    assert "lines differ in epochs: 50 (high 16), 10 (ours 16)" in notes
    assert "lines differ in version: 1.0 (high 16), 2.0 (ours 16)" in notes
    assert not any("source" in note for note in notes)
