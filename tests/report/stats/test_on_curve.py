"""Which networks are measured on the curve, and what is said of them."""

import numpy as np
import pandas as pd

from spiral.report.stats import on_curve
from spiral.report.stats.aggregate import summarise
from spiral.report.stats.compare import Besides, Question, of_rows
from spiral.report.stats.excess import excess_weights
from spiral.report.stats.selection import choose
from spiral.search import arc, best_known, network
from spiral.tasks import catalogue
from tests.report import frontier, row, seeds, table

CUBIST = catalogue.load("cubist")

KNOWN = frontier(
    ("any", 16, 0.96, "10,01,11,10/1111/1/1"),
    ("any", 18, 0.97),
    ("protocol", 18, 0.97),
    ("protocol", 20, 1.0),
    ("any", 19, 0.98),
)
NETWORK = best_known.network_of(best_known.load(best_known.SHIPPED).iloc[-1])


def proof(row):
    """Return mask and weights of a known network, as a result row has them."""
    mask, params, width = network.unpacked(NETWORK.matrices, NETWORK.params)
    bits = np.packbits(mask).tobytes()
    return {**row, "width": width, "mask": bits, "weights": params[mask]}


def lines(*rows, levels=(0.95, 0.98)):
    """Return the accuracies on the curve of each line, and the rows read."""
    asked = []

    def read(chosen):
        asked.extend(chosen["accuracy"])
        return pd.DataFrame([proof(line) for line in chosen.to_dict("records")])

    choice = choose(table(*rows))
    groups = summarise(choice, levels)
    excess = excess_weights(choice, groups, levels)
    return on_curve.of_lines(choice, groups, excess, read), asked


def test_the_best_row_of_the_smallest_size_that_reaches_is_measured():
    rows = [*seeds([0.96, 0.97, 0.9], keep=20), *seeds([1.0], keep=26), row(keep=16)]
    found, read = lines(*rows)
    assert found["any_accuracy"].tolist() == [0.97, 1.0]
    assert read == [0.97, 1.0]
    expected = arc.accuracy(NETWORK, CUBIST)
    assert found["any_arc_accuracy"].tolist() == [expected] * 2


def test_one_network_of_two_thresholds_is_read_once():
    found, read = lines(*seeds([0.99], keep=20))
    assert (len(found), read) == (2, [0.99])
    assert found.notna().all(axis=None)
    assert found["any_config_id"].nunique() == 1


def test_lines_that_reach_nothing_have_no_network():
    found, read = lines(row(), *seeds([0.96], method="lth"), row(width=3))
    assert found["any_accuracy"].fillna(0).tolist() == [0, 0, 0.96, 0, 0, 0]
    assert read == [0.96]
    none, read = lines(row())
    assert none.isna().all(axis=None)
    assert read == []


def test_best_known_networks_are_the_smallest_of_each_kind_that_fit():
    rows = [row(width=2), row(width=16)]
    found = on_curve.of_best_known(choose(table(*rows)), (0.95, 0.99), KNOWN)
    kinds = sorted(zip(found["nnz"], found["kind"], strict=True))
    assert kinds == [(16, "any"), (18, "any"), (18, "protocol"), (20, "protocol")]


def test_a_note_counts_those_that_are_less_accurate_on_the_curve():
    points, curve = np.array([1.0, 0.97, 0.96]), np.array([0.9996, 0.969, 0.961])
    (note,) = on_curve.note("networks", points, curve)
    assert note.startswith("2 of 3 networks are less accurate on the curve")
    assert note.endswith("by up to 0.001000 (at 0.970000 on the points)")
    (none,) = on_curve.note("networks", points, points)
    assert none.startswith("0 of 3 networks are")
    assert "by up to" not in none
    (rounded,) = on_curve.note("networks", points, points - 1e-9)
    assert rounded == none
    assert on_curve.note("networks", points[:0], curve[:0]) == []


def test_of_many_lines_no_network_is_read(monkeypatch):
    monkeypatch.setattr(on_curve, "MOST", 1)
    found, read = lines(*seeds([0.99], keep=20))
    assert found.isna().all(axis=None)
    assert read == []
    notes = of_rows(table(*seeds([0.99])), Question(), KNOWN).notes
    assert any("curve is left out, as there are more than 1 lines" in n for n in notes)


def test_comparisons_say_so_of_both():
    lower = KNOWN.assign(arc_accuracy=KNOWN["accuracy"] - [0, 0.01, 0, 0, 0])

    def read(chosen):
        return pd.DataFrame([proof(line) for line in chosen.to_dict("records")])

    rows = table(*seeds([0.96] * 2, width=2))
    question = Question(thresholds=[0.95, 0.955])
    found = of_rows(rows, question, lower, Besides(read_networks=read))
    assert (
        found.tables["excess"]["any_arc_accuracy"].tolist()
        == [arc.accuracy(NETWORK, CUBIST)] * 2
    )
    known, own = [note for note in found.notes if "on the curve" in note]
    assert known.startswith("1 of 2 best known networks compared with are less")
    assert " of 1 networks counted as `any` are less accurate" in own
    without = of_rows(rows, question, lower)
    assert without.tables["excess"]["any_arc_accuracy"].isna().all()
    assert len([note for note in without.notes if "on the curve" in note]) == 1
