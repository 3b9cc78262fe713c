"""What people read."""

import json

import pandas as pd
import pytest
from scipy import stats

from spiral.report.stats.compare import Question, of_rows
from spiral.report.text import comparison
from spiral.report.text.document import as_json, as_text, render
from tests.report import frontier, row, seeds, table

KNOWN = frontier(("any", 16, 0.96), ("protocol", 18, 0.97), ("any", 28, 0.996))
ROWS = [
    *seeds([0.9] * 8, keep=16),
    *seeds([0.97] * 8, keep=26),
    *seeds([0.96] * 8, keep=26, method="lth"),
    *seeds([1.0] * 8, keep=None, method="dense"),
    *seeds([0.7] * 8, keep=26, method="random", status="collapsed"),
]


def found(*rows, known=KNOWN, **question):
    return of_rows(table(*rows), Question(**question), known)


def page(found, names):
    return render(comparison.document(found), names)


def lines(text, start):
    """Return the words of the lines that begin so."""
    return [
        line.split() for line in text.splitlines() if line.strip().startswith(start)
    ]


def test_excess_tables_have_count_excess_limits_and_improvement():
    text = page(found(*ROWS), ["excess"])
    low, high = lines(text, "gmp")
    assert low[:5] == ["gmp", "16", "0.95", "16", "17–26"]
    assert low[5:11] == ["(+1", "to", "+10)", "17–26", "26", "(+10)"]
    assert low[13:16] == ["18", "(+8)", "-"]  # no random masks of 16 weights
    assert low[16] == "8"
    assert low[17] == "1.00"  # better than lth, which comes next
    assert high[2:8] == ["0.995", "28", ">26", ">26", ">26", ">26"]


def test_improvement_over_the_next_is_shown_whichever_name_comes_first():
    """The pair is known as (gmp, lth): gmp wins once in ten, so lth nine times."""
    gmp = seeds([0.98] + [0.9] * 9)
    text = page(found(*gmp, *seeds([0.97] * 10, method="lth")), ["excess"])
    first, second = lines(text, ("gmp", "lth"))[:2]
    assert (first[0], second[0]) == ("lth", "gmp")
    expected = stats.binomtest(9, 10).proportion_ci(method="wilson")
    assert first[-2:] == ["0.90", f"({expected.low:.2f}–{expected.high:.2f})"]
    assert second[-1] == "-"


def test_the_fewest_weights_come_first_within_a_threshold():
    text = page(found(*ROWS), ["excess"])
    order = [line[0] for line in lines(text, ("gmp", "lth", "dense", "random"))]
    assert order[:4] == ["gmp", "lth", "dense", "random"]
    assert order[4] == "dense"


def test_signs_say_where_nothing_smaller_or_larger_was_tried():
    rows = [*seeds([0.97] * 8, keep=26), *seeds([0.97] * 4 + [0.9] * 4, method="lth")]
    gmp, lth = (
        lines(page(found(*rows, thresholds=[0.95]), ["excess"]), m)[0]
        for m in ("gmp", "lth")
    )
    assert gmp[4:6] == ["≤26", "(+10)"]
    assert lth[4:7] == ["≤20", "(+4)", "-"]  # four of eight exclude neither side


def test_an_interval_that_excludes_no_size_is_none():
    one = [row(accuracy=0.9, keep=16), row(accuracy=0.9, keep=20)]
    (line,) = lines(page(found(*one, thresholds=[0.95]), ["excess"]), "gmp")
    assert line[4:6] == [">20", "-"]


def test_yardsticks_have_their_weights_and_what_is_over_them():
    """The best of eight random masks reaches at 26, the median of gmp, too."""
    rows = [
        *ROWS[:16],
        *seeds([0.5] * 8, keep=16, method="random"),
        *seeds([0.5] * 7 + [0.96], keep=26, method="random"),
        *seeds([0.97] * 8, keep=20, method="snip"),
        *seeds([0.97] * 8, keep=20, method="random"),
    ]
    shown = comparison.tables(found(*rows, thresholds=[0.95, 0.98]))["excess"].shown
    cells = shown.set_index(["threshold", "method"])[["protocol", "random"]]
    assert cells.loc[0.95, "gmp"].tolist() == ["18 (+8)", "26 (+0)"]
    assert cells.loc[0.95, "snip"].tolist() == ["18 (+2)", "≤20 (+0)"]
    assert cells.loc[0.98, "gmp"].tolist() == ["-", ">26"]


def test_without_frontier_there_is_no_excess():
    text = page(found(*ROWS, known=None), ["excess", "groups"])
    assert "best_known" not in lines(text, "method")[0]
    assert "accuracy_gap" not in lines(text, "method")[1]
    assert "note: there are no best known networks" in text


def test_groups_show_what_a_newcomer_needs():
    text = page(found(*ROWS), ["groups"])
    (head,) = lines(text, "method")
    assert " ".join(head) == (
        "method width keep lr schedule n median interval best best_any "
        "≥0.95 ≥0.995 random_best accuracy_gap accuracy_gap_protocol effective"
    )
    assert lines(text, "gmp")[1][:8] == [
        "gmp", "16", "26", "0.1", "cosine", "8", "0.97", "0.970–0.970",
    ]  # fmt: skip
    assert lines(text, "dense")[0][2] == "-"


def test_tables_are_named_and_columns_explained_below_in_lines_that_fit():
    names = ["excess", "groups", "pairwise", "distances"]
    text = page(found(*ROWS), names)
    assert all(lines(text, f"{name}: ") for name in names)
    assert "distances: no lines" in text
    for name in ("threshold", "best_any", "probability"):
        assert len(lines(text, f"{name}: ")) == 1
    rows, notes = text.index("gmp"), text.index("  median: ")
    assert rows < notes  # footnotes, not a preface
    prose = [line for line in text.splitlines() if ": " in line]
    assert max(map(len, prose)) <= 88


def test_only_columns_that_are_shown_are_explained():
    assert not lines(page(found(*ROWS, known=None), ["excess"]), "best_known: ")
    assert lines(page(found(*ROWS), ["excess"]), "best_known: ")


def test_a_group_with_nothing_to_report_is_a_line_of_dashes():
    text = page(found(row(), seed_split=True), ["excess"])
    assert lines(text, "gmp")[0][4:] == ["-", "-", "-", "-", "18", "-", "0", "-"]


@pytest.mark.parametrize("by", [["method"], ["lr", "method", "width"]])
def test_any_columns_make_lines(by):
    text = page(found(*ROWS, by=by), ["excess", "groups", "pairwise"])
    assert lines(text, by[0])[0][: len(by)] == by


def test_the_document_is_json_with_everything():
    rows = [*ROWS, row(method="snip", accuracy=None)]
    document = json.loads(json.dumps(as_json(comparison.document(found(*rows)))))
    assert document["by"] == ["method", "width"]
    assert document["thresholds"] == [0.95, 0.995]
    assert document["seed_split"] is False
    assert len(document["excess"]) == 10
    gmp = next(g for g in document["groups"] if g["keep"] == 26)
    assert (gmp["median"], gmp["weights"], gmp["best_low"]) == (0.97, 26, 0.97)
    assert document["groups"][-1]["iqm_low"] is None
    assert document["pairwise"][0].keys() >= {
        "a",
        "b",
        "probability",
        "low",
        "high",
        "n",
    }
    assert document["distances"] == []
    tables = {"scores", "excess", "groups", "pairwise", "masks", "distances"}
    assert document["definitions"].keys() == tables
    assert all(isinstance(note, str) for note in document["notes"])


def test_text_has_four_digits_and_dashes():
    frame = pd.DataFrame({"method": ["dense"], "keep": [None], "median": [0.123456]})
    text = as_text(frame).splitlines()
    assert text[0].split() == ["method", "keep", "median"]
    assert text[1].split() == ["dense", "-", "0.1235"]
