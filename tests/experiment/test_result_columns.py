"""Rows say what was trained: numbers, and the worst status that applies."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.errors import MethodError
from spiral.experiment import prepare, training
from spiral.methods.registry import METHODS
from spiral.model import masks
from spiral.protocol.job import Change
from spiral.results import columns
from spiral.tasks import cubist
from tests import oracles
from tests.experiment import run, state_of
from tests.methods import DENSE_3, Scripted, plan_at, table
from tests.tolerances import tolerance


def words(*said):
    return np.array(said)


@pytest.fixture
def saying(monkeypatch):
    """Return a function: a pack of ``random`` whose method gives prepared answers."""

    def rows_of(*changes, n=1, keep=27, **more):
        events = tuple(range(len(changes)))
        method = Scripted([*changes], events, more)
        entry = replace(METHODS["random"], build=lambda **_: method)
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
        training.apply(Change(status=wrong), state_of(), "mine")


def test_another_number_of_weights_than_asked_is_infeasible(monkeypatch):
    kept = masks.with_biases(np.arange(27)[None] < 26, 3)
    method = Scripted([Change(masks=kept)])
    entry = replace(METHODS["random"], build=lambda **_: method)
    monkeypatch.setitem(METHODS, "random", entry)
    (row,) = run("random", keep=25)
    assert (row["status"], row["nnz"], row["keep"]) == ("infeasible", 26, 25)


@pytest.mark.parametrize("skipped", [(), (1, 5), (6, 7)])
def test_running_loss_is_the_mean_over_the_steps_of_the_last_epoch(script, skipped):
    """Steps that an event takes the place of were not trained."""
    script(events=skipped, replaced=skipped)
    sizes = {"epochs": 2, "batch": 10_000}  # eight steps, four of them the last
    (row,) = run("dense", engine="reference", **sizes)
    job = prepare.make_job(table("dense", 1, **sizes), plan_at(2, "dense"))
    params, velocity, losses = job.initial[0].astype(float), np.zeros(37), []
    for step in (s for s in range(8) if s not in skipped):
        x, y = (part[0] for part in job.batch_at(step))
        losses += [oracles.loss(params, x, y, 3)] if step >= 4 else []
        slope = oracles.gradient(params, x, y, 3)
        rate = 0.1 if step < 4 else 0.05
        params, velocity = oracles.sgd_step(
            params, velocity, slope, np.ones(37, bool), rate, 0.9, 5e-4
        )
    expected = pytest.approx(np.mean(losses), abs=tolerance("loss"))
    assert row["running_loss"] == expected


def test_a_row_tells_the_truth_about_its_weights():
    for row in run("random", 3, keep=[9, 15, 21]):
        mask, params = columns.params_of(row)
        data = cubist.load()
        z = oracles.logits(params, data.x, 3)
        gap = abs(row["accuracy"] * 49_982 - oracles.correct(z, data.y))
        assert gap <= tolerance("count")
        expected = oracles.loss(params, data.x, data.y, 3)
        assert row["loss"] == pytest.approx(expected, abs=tolerance("loss"))
        expected = oracles.entropy(z)
        assert row["entropy"] == pytest.approx(expected, abs=tolerance("loss"))
        kept = masks.of_weights(mask[None], 3)[0]
        assert row["nnz"] == row["keep"] == kept.sum()
        assert row["nnz_params"] == mask.sum() == len(row["weights"])
        assert row["effective_nnz"] == oracles.on_path(kept, 3).sum()
        assert sum(row[f"nnz_{i}"] for i in (1, 2, 3, 4)) == row["nnz"]


@pytest.mark.parametrize("late", [5, 8])
def test_explored_are_the_weights_of_all_steps(script, late):
    """But not those of masks under which no step was trained."""
    first, then, last = np.zeros((3, 1, 27), bool)
    first[0, :9], then[0, 6:15], last[0, [20]] = True, True, True
    changes = [Change(masks=masks.with_biases(kept, 3)) for kept in (first, then, last)]
    script(*changes, events=(0, 3, late))
    (row,) = run("dense", epochs=2, batch=10_000)  # eight steps
    assert row["explored"] == pytest.approx((16 if late < 8 else 15) / 27)
    assert row["nnz"] == 1


def test_what_trains_before_the_first_mask_is_explored():
    assert [row["explored"] for row in run("gmp", 2, keep=[9, 15])] == [1, 1]
    assert [row["explored"] for row in run("random", 2, keep=[9, 18])] == [
        9 / 27,
        18 / 27,
    ]


def test_statuses():
    texts = [DENSE_3, "00/1/1/1", "11/1/0/1"]
    found = run("mask", 3, matrices=texts)
    assert [row["status"] for row in found] == ["ok", "collapsed", "collapsed"]
    assert [row["effective_nnz"] for row in found] == [27, 0, 0]
    assert [row["connected"] for row in found] == [True, False, False]


def test_a_diverged_network_is_a_row_and_leaves_its_neighbour():
    calm, wild = run("dense", 2, lr=[0.1, 1e12], seed=[1, 2])
    assert (calm["status"], wild["status"]) == ("ok", "diverged")
    assert np.isfinite(calm["weights"]).all()
    assert (wild["nnz"], wild["accuracy"]) == (27, 0)
