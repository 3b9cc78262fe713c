"""Methods and engines train on other tasks than the default one."""

import numpy as np
import pytest

from spiral import experiment
from spiral.methods.registry import METHODS
from spiral.results.columns import params_of
from spiral.tasks import catalogue, cubist
from tests import VARYING, oracles
from tests.engines import CPU
from tests.methods import table

SMALL = "moons(points=3000)"


def trained(method, n=2, **values):
    return experiment.run(table(method, n, **values)).to_pandas()


@pytest.mark.parametrize("method", [*METHODS])
def test_every_method_trains_on_a_small_task(method):
    rows, data = trained(method, task=SMALL, epochs=4), catalogue.load(SMALL)
    assert set(rows["task"]) == {SMALL}
    assert set(rows["task_points"]) == {data.points}
    for row in rows.to_dict("records"):
        _, params = params_of(row)
        z = oracles.logits(params, data.x, 3)
        right = oracles.correct(z, data.y) / data.points
        assert row["accuracy"] == pytest.approx(right, abs=1.5 / data.points)


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """Return the name of a file with the points of the default task."""
    path = tmp_path_factory.mktemp("points") / "copied.npz"
    x1, x2 = cubist.raw().T
    np.savez(path, x1=x1, x2=x2, label=cubist.load().y)
    return catalogue.canonical(str(path))


@pytest.mark.parametrize("engine", CPU)
def test_a_file_of_the_same_points_gives_the_same_rows(engine, copied):
    usual = {"engine": engine, "epochs": 1, "keep": [11, 12]}
    ours = trained("magnitude", **usual, task=copied)
    theirs = trained("magnitude", **usual)
    assert set(ours["task"]) == {copied}
    assert not set(ours["config_id"]) & set(theirs["config_id"])
    other = ["config_id", "task", *VARYING]
    weights = zip(ours.pop("weights"), theirs.pop("weights"), strict=True)
    assert all(np.array_equal(*pair) for pair in weights)
    assert ours.drop(columns=other).equals(theirs.drop(columns=other))


def test_a_soup_is_scored_on_the_points_of_its_task(copied):
    usual = {"average": "greedy", "epochs": 10, "retrain_epochs": 2, "keep": 20}
    ours, theirs = trained("sms", **usual, task=copied), trained("sms", **usual)
    assert ours["accuracy"].equals(theirs["accuracy"])
    small = trained("sms", **usual, task=SMALL)
    assert (small["accuracy"] >= 0.5).all()


def test_rows_have_the_chance_level_of_their_task():
    rows = trained("dense", task="checkerboard", epochs=1)
    share = catalogue.load("checkerboard").y.mean()
    assert rows["task_chance"].tolist() == [max(share, 1 - share)] * 2
    assert trained("dense", epochs=1)["task_chance"].tolist() == [0.5] * 2
