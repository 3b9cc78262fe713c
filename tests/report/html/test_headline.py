"""The numbers at the top."""

from spiral.report.html import headline
from spiral.report.stats.compare import Question, of_rows
from tests.report import frontier, row, seeds, table

KNOWN = frontier(("any", 16, 0.96), ("protocol", 18, 0.97), ("any", 28, 0.996))
ROWS = [
    *seeds([0.9] * 8, keep=16),
    *seeds([0.97] * 8, keep=26),
    *seeds([0.96] * 8, keep=24, method="lth"),
    *seeds([1.0] * 8, keep=None, method="dense"),
    row(method="mask", keep=None, nnz=17, accuracy=0.99),
]


def found(*rows, known=KNOWN, by=("method", "width")):
    compared = of_rows(table(*rows), Question(by=by), known)
    return headline.of(compared.tables["excess"], by)


def test_each_threshold_has_its_best_known_size_and_the_pruner_next_to_it():
    fewest, nearest, harder, none = found(*ROWS)
    assert (fewest.value, fewest.label) == ("16", "weights reach 95 %")
    assert "by any means" in fewest.detail
    assert fewest.detail.endswith("trained as in the paper, 18 weights do")
    assert harder.detail.endswith("trained as in the paper, no network does")
    assert nearest.value == "≤24 (+8)"
    assert nearest.label == "weights for lth, width 16"
    assert "n = 8 seeds" in nearest.detail
    assert (harder.value, none.value) == ("28", "—")
    assert none.label == "no median reaches 99.5 %"
    assert none.detail.startswith("2 groups")


def test_an_interval_is_said_with_both_ends_or_one():
    _, nearest, *_ = found(*ROWS[:16])
    assert nearest.value == "17–26 (+1 to +10)"
    assert "95 % interval 17–26; n = 8 seeds" in nearest.detail
    one = found(row(accuracy=0.97), row(keep=18, accuracy=0.9))[1]
    assert (one.value, "n = 1 seed" in one.detail) == ("19–20 (+3 to +4)", True)


def test_without_a_frontier_there_is_no_best_known_and_no_excess():
    numbers = found(*ROWS, known=None)
    assert [number.value for number in numbers] == ["≤24", "—"]


def test_groups_are_named_by_what_makes_them():
    _, nearest, *_ = found(*ROWS, by=("width", "lr"))
    assert nearest.label.startswith("weights for width 16, lr 0.1")
