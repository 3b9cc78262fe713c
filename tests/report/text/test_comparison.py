"""What people read."""

import json

import pandas as pd
import pytest
from scipy import stats

from spiral.report.stats.compare import Question, of_rows
from spiral.report.text.comparison import as_text, document, page
from tests.report import frontier, row, seeds, table

KNOWN = frontier(("any", 16, 0.96), ("any", 28, 0.996))
ROWS = [
    *seeds([0.9] * 8, keep=16),
    *seeds([0.97] * 8, keep=26),
    *seeds([0.96] * 8, keep=26, method="lth"),
    *seeds([1.0] * 8, keep=None, method="dense"),
    *seeds([0.7] * 8, keep=26, method="random", status="collapsed"),
]


def found(*rows, known=KNOWN, **question):
    return of_rows(table(*rows), Question(**question), known)


def lines(text, start):
    """Return the words of the lines that begin so."""
    return [
        line.split() for line in text.splitlines() if line.strip().startswith(start)
    ]


def test_gaps_say_count_excess_limits_and_who_beats_whom():
    text = page(found(*ROWS), ["gaps"])
    low, high = lines(text, "gmp")
    assert low[:9] == ["gmp", "16", "0.95", "16", "26", "(+10)", "26–26", "26", "(+10)"]
    assert low[11] == "8"
    assert low[12] == "1.00"  # beats lth, which comes next
    assert high[2:8] == ["0.995", "28", ">26", ">26", ">26", ">26"]


def test_who_beats_the_next_is_told_whichever_name_comes_first():
    """The pair is known as (gmp, lth): gmp wins once in ten, so lth nine times."""
    gmp = seeds([0.98] + [0.9] * 9)
    text = page(found(*gmp, *seeds([0.97] * 10, method="lth")), ["gaps"])
    first, second = lines(text, ("gmp", "lth"))[:2]
    assert (first[0], second[0]) == ("lth", "gmp")
    expected = stats.binomtest(9, 10).proportion_ci(method="wilson")
    assert first[-2:] == ["0.90", f"({expected.low:.2f}–{expected.high:.2f})"]
    assert second[-1] == "-"


def test_the_fewest_weights_come_first_within_a_threshold():
    text = page(found(*ROWS), ["gaps"])
    order = [line[0] for line in lines(text, ("gmp", "lth", "dense", "random"))]
    assert order[:4] == ["gmp", "lth", "dense", "random"]
    assert order[4] == "dense"


def test_signs_say_where_nothing_smaller_or_larger_was_tried():
    rows = [*seeds([0.97] * 8, keep=26), *seeds([0.97] * 4 + [0.9] * 4, method="lth")]
    gmp, lth = (
        lines(page(found(*rows, thresholds=[0.95]), ["gaps"]), m)[0]
        for m in ("gmp", "lth")
    )
    assert gmp[4:6] == ["≤26", "(+10)"]
    assert lth[4:6] == [">20", "-"]  # four of eight seeds say neither more nor less


def test_an_interval_that_excludes_no_size_is_none():
    one = [row(accuracy=0.9, keep=16), row(accuracy=0.9, keep=20)]
    (line,) = lines(page(found(*one, thresholds=[0.95]), ["gaps"]), "gmp")
    assert line[4:6] == [">20", "-"]


def test_without_frontier_there_is_no_excess():
    text = page(found(*ROWS, known=None), ["gaps", "groups"])
    assert "optimum" not in lines(text, "method")[0]
    assert "shortfall" not in lines(text, "method")[1]
    assert "note: there is no frontier" in text


def test_groups_show_what_a_newcomer_needs():
    text = page(found(*ROWS), ["groups"])
    (head,) = lines(text, "method")
    assert " ".join(head) == (
        "method width keep lr schedule n median interval best best_any "
        "≥0.95 ≥0.995 shortfall effective"
    )
    assert lines(text, "gmp")[1][:8] == [
        "gmp", "16", "26", "0.1", "cosine", "8", "0.97", "0.970–0.970",
    ]  # fmt: skip
    assert lines(text, "dense")[0][2] == "-"


def test_pages_explain_their_tables_in_lines_that_fit():
    text = page(found(*ROWS), ["gaps", "groups", "pairs", "distances"])
    for name in ("gaps: ", "groups: ", "pairs: ", "distances: "):
        assert lines(text, name)
    assert "no distances" in text
    words = [line for line in text.splitlines() if line.startswith(("note", "gaps"))]
    assert max(map(len, words)) <= 88


def test_a_group_with_nothing_to_report_is_a_line_of_dashes():
    text = page(found(row(), honest=True), ["gaps"])
    assert lines(text, "gmp")[0][4:] == ["-", "-", "-", "-", "0", "-"]


@pytest.mark.parametrize("by", [["method"], ["lr", "method", "width"]])
def test_any_columns_make_lines(by):
    text = page(found(*ROWS, by=by), ["gaps", "groups", "pairs"])
    assert lines(text, by[0])[0][: len(by)] == by


def test_the_document_is_json_with_everything():
    rows = [*ROWS, row(method="snip", accuracy=None)]
    told = json.loads(json.dumps(document(found(*rows))))
    assert told["by"] == ["method", "width"]
    assert told["thresholds"] == [0.95, 0.995]
    assert told["honest"] is False
    assert len(told["gaps"]) == 10
    gmp = next(g for g in told["groups"] if g["keep"] == 26)
    assert (gmp["median"], gmp["weights"], gmp["best_low"]) == (0.97, 26, 0.97)
    assert told["groups"][-1]["iqm_low"] is None
    assert told["pairs"][0].keys() >= {"a", "b", "probability", "low", "high", "n"}
    assert told["distances"] == []
    tables = {"gaps", "groups", "pairs", "masks", "distances"}
    assert told["definitions"].keys() == tables
    assert all(isinstance(note, str) for note in told["notes"])


def test_text_has_four_digits_and_dashes():
    frame = pd.DataFrame({"method": ["dense"], "keep": [None], "median": [0.123456]})
    text = as_text(frame).splitlines()
    assert text[0].split() == ["method", "keep", "median"]
    assert text[1].split() == ["dense", "-", "0.1235"]
