"""What a method says of a row, and what is said of it in any case."""

from dataclasses import replace

import numpy as np
import pytest

from spiral import experiment
from spiral.errors import MethodError
from spiral.methods.registry import METHODS
from spiral.model import masks
from spiral.protocol.job import Change
from tests.methods import Scripted
from tests.test_experiment import run, state_of


def words(*said):
    return np.array(said)


@pytest.fixture
def saying(monkeypatch):
    """Return a function: a pack of ``random`` whose method gives prepared answers."""

    def rows_of(*changes, n=1, keep=27, **more):
        events = tuple(range(len(changes)))
        method = Scripted([*changes], events, more)
        entry = replace(METHODS["random"], build=lambda: method)
        monkeypatch.setitem(METHODS, "random", entry)
        found = run("random", n, keep=keep, batch=5000)
        return [row["status"] for row in found]

    return rows_of


NOTHING = np.zeros((1, 37), bool)
WRONG = np.full((1, 37), np.nan, np.float32)


@pytest.mark.parametrize(
    ("change", "keep", "status"),
    [
        ({}, 27, "ok"),
        ({}, 26, "infeasible"),
        ({"status": words("degenerate")}, 27, "degenerate"),
        ({"status": words("degenerate")}, 26, "degenerate"),
        ({"status": words("degenerate"), "masks": NOTHING}, 27, "collapsed"),
        ({"masks": NOTHING}, 27, "collapsed"),
        ({"status": words("aborted"), "masks": NOTHING}, 27, "aborted"),
        ({"status": words("aborted")}, 27, "aborted"),
        ({"status": words("aborted"), "params": WRONG}, 27, "diverged"),
        ({"status": words("")}, 27, "ok"),
    ],
)
def test_the_worst_that_can_be_said_is_said(change, keep, status, saying):
    assert saying(Change(**change), keep=keep) == [status]


def test_another_number_of_weights_is_fine_where_the_plan_says_so(saying):
    assert saying(Change(), keep=25, exact=False) == ["ok"]


def test_a_word_is_for_one_row_and_lasts(saying):
    first = Change(status=words("", "degenerate", "degenerate", ""))
    later = Change(status=words("", "", "aborted", "degenerate"))
    expected = ["ok", "degenerate", "aborted", "degenerate"]
    assert saying(first, Change(), later, n=4) == expected


def test_siblings_speak_through_the_first(saying):
    said = words("degenerate", "", "", "degenerate")
    assert saying(Change(status=said), n=2, siblings=2) == ["degenerate", "ok"]


@pytest.mark.parametrize(
    "wrong",
    [
        words("fine"),
        words("ok"),
        words("degenerate", ""),
        np.array([["degenerate"]]),
        np.array(["degenerate"], object),
        np.array([True]),
    ],
    ids=str,
)
def test_a_wrong_word_is_refused(wrong):
    text = (
        r"^mine: expected Change\.status to be str \[1\], .*degenerate, aborted; got "
    )
    with pytest.raises(MethodError, match=text):
        experiment.apply(Change(status=wrong), state_of(), "mine")


def test_another_number_of_weights_than_asked_is_infeasible(monkeypatch):
    kept = masks.with_biases(np.arange(27)[None] < 26, 3)
    method = Scripted([Change(masks=kept)])
    entry = replace(METHODS["random"], build=lambda: method)
    monkeypatch.setitem(METHODS, "random", entry)
    (row,) = run("random", keep=25)
    assert (row["status"], row["nnz"], row["keep"]) == ("infeasible", 26, 25)
