"""The rank of a method among others, on rows with known answers."""

import pytest

from spiral.errors import StoreError
from spiral.report.stats import ranking
from spiral.report.text import ranking as ranking_text
from spiral.report.text.document import as_json, render
from tests.report import frontier, only, row, seeds, table

KNOWN = frontier(("any", 16, 0.96), ("any", 22, 0.999))
UP = [0.90 + seed / 1000 for seed in range(8)]


def shifted(by):
    """Return accuracies of eight seeds, shifted."""
    return [accuracy + by for accuracy in UP]


@pytest.fixture
def rows():
    """Ours beats `low` on all seeds, `near` on six of eight; `high` beats ours."""
    near = shifted(-0.01)
    near[0] = near[5] = 0.99
    return table(
        *seeds(UP, method="ours"),
        *seeds(shifted(0.05), method="high"),
        *seeds(near, method="near"),
        *seeds(shifted(-0.2), method="low"),
    )


def test_the_place_is_by_who_probably_beats_whom(rows):
    found = ranking.of_rows(rows, "ours", KNOWN)
    assert (found.rank, found.methods) == (2, 4)
    against = found.pairwise[found.pairwise["width"].isna()]
    assert against["method"].tolist() == ["high", "near", "low"]
    assert against["probability"].tolist() == [0.0, 0.75, 1.0]
    assert against["n"].tolist() == [8, 8, 8]


def test_chances_are_ours_whoever_comes_first_in_the_alphabet(rows):
    for method, rank in (("high", 1), ("ours", 2), ("near", 3), ("low", 4)):
        assert ranking.of_rows(rows, method, KNOWN).rank == rank
    ours = ranking.of_rows(rows, "ours", KNOWN).pairwise
    high = ranking.of_rows(rows, "high", KNOWN).pairwise
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
    found = ranking.of_rows(more, "ours", KNOWN)
    assert found.rank == 2
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
    found = ranking.of_rows(table(*lines), "ours", KNOWN)
    excess = found.excess[found.excess["threshold"] == 0.95].set_index("method")
    assert excess["rank"].to_dict()["less"] == 1
    assert excess["rank"].to_dict()["ours"] == excess["rank"].to_dict()["same"] == 2
    assert excess["rank"].isna().to_dict()["never"]
    shown = ranking_text.excess(found).set_index("threshold")
    assert shown.loc[0.95, "median"] == "20 (+4)"
    assert shown.loc[0.95, "first"] == "less: ≤18 (+2)"
    assert shown.loc[0.995, "first"] == "none reaches it"


def test_sizes_are_ours_with_accuracy_gap_and_rank(rows):
    line = only(ranking.of_rows(rows, "ours", KNOWN).sizes)
    assert (line["keep"], line["n"], line["rank"]) == (20, 8, 2)
    assert line["accuracy_gap"] == pytest.approx(0.96 - 0.9035)


def test_a_tie_counts_half_and_shares_the_rank():
    found = ranking.of_rows(
        table(*seeds(UP, method="ours"), *seeds(UP, method="twin")), "ours", KNOWN
    )
    assert found.rank == 1
    assert found.pairwise["probability"].tolist() == [0.5, 0.5]
    assert found.pairwise["ties"].tolist() == [8, 8]


def test_rows_of_another_size_than_promised_are_named():
    lines = [
        *seeds(UP, method="ours"),
        row(method="ours", seed=8, nnz=19, status="infeasible"),
        row(method="other", seed=8, nnz=19, status="infeasible"),
    ]
    found = ranking.of_rows(table(*lines), "ours", KNOWN)
    assert len(found.miscounted) == 1
    text = ranking_text.miscounted(found)
    assert "ours: expected each row to keep exactly" in text
    assert "(width 16, seed 8, keep 20): 19 weights" in text


def test_a_method_without_rows_is_an_error(rows):
    with pytest.raises(StoreError, match="no rows of method mine"):
        ranking.of_rows(rows, "mine", KNOWN)


def test_the_headline_counts_what_is_certain(rows):
    text = ranking_text.headline(ranking.of_rows(rows, "ours", KNOWN))
    assert "ours: rank 2 of 4 over width 16" in text
    assert "better than 1 of the 3 others and worse than 1 (n = 8 seeds)" in text


def test_a_page_has_all_tables_and_the_words_of_certainty(rows, tmp_path):
    found = ranking.of_rows(rows, "ours", KNOWN)
    text = render(ranking_text.document(found, tmp_path))
    assert ranking_text.pairwise(found)["verdict"].tolist() == [
        "worse",
        "no significant difference",
        "better",
    ]
    assert all(f"\n{name}: " in text for name in ("pairwise", "excess", "sizes"))
    assert text.startswith(ranking_text.headline(found)[:60])


def test_json_has_nulls_where_there_is_nothing(rows, tmp_path):
    found = ranking.of_rows(rows, "ours", KNOWN)
    document = as_json(ranking_text.document(found, tmp_path))
    assert document["out"] == str(tmp_path)
    assert document["rank"] == 2
    assert document["pairwise"][0]["width"] is None
    assert {line["method"] for line in document["excess"]} == set(rows["method"])
    assert document["definitions"].keys() == {"pairwise", "excess", "sizes"}


def test_a_rank_says_over_which_widths_it_is():
    lines = [
        *[line for w in (3, 16, 64) for line in seeds(UP, method="ours", width=w)],
        *[line for w in (3, 16) for line in seeds(UP, method="high", width=w)],
        *seeds(shifted(-0.2), method="low", width=16),
    ]
    found = ranking.of_rows(table(*lines), "ours", KNOWN)
    assert found.widths == [3, 16]  # at 64 there is none to compare with
    assert "of 3 over widths 3 and 16. With" in ranking_text.headline(found)
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
    notes = ranking.of_rows(table(*lines), "ours", KNOWN).notes
    failed = [note for note in notes if note.startswith("failed rows")]
    assert [note.partition("0.5: ")[2] for note in failed] == [
        "2 collapsed (of 6 of ours)",
        "1 collapsed (of 6 of the other methods)",
    ]
    (meaning,) = [note for note in notes if note.startswith("degenerate: ")]
    assert "; collapsed: no path from input to output" in meaning
    assert not any("infeasible" in note for note in notes)


def test_another_budget_or_version_than_that_of_the_others_is_told():
    lines = [*seeds(UP, method="ours"), *seeds(UP, method="high")]
    rows = table(*lines).assign(version=["2.0"] * 8 + ["1.0"] * 8)
    rows.insert(0, "epochs", [10] * 8 + [50] * 8)
    notes = ranking.of_rows(rows, "ours", KNOWN).notes
    assert "lines differ in epochs: 50 (high 16), 10 (ours 16)" in notes
    assert "lines differ in version: 1.0 (high 16), 2.0 (ours 16)" in notes
    assert not any("source" in note for note in notes)
