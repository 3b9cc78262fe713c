"""``tasks``: the data sets."""

from spiral import tasks
from tests.cli import run, run_json


def test_every_shipped_task_is_listed():
    found = run_json("tasks")["tasks"]
    assert [task["name"] for task in found] == tasks.names()
    lines = run("tasks").out.splitlines()
    heads = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert heads == tasks.names()
    assert any(line.split()[0] == "turns=2" for line in lines)


def test_tasks_can_be_named_as_in_a_grid():
    (found,) = run_json("tasks", "rings(points=1000, n=2)")["tasks"]
    assert found["name"] == "rings(n=2, points=1000)"
    assert found["shares"] == [0.5, 0.5]
    assert found["suffices"] is None
    text = run("tasks", "planted(points=2000, nnz=6, shape=2-1-1)").out
    assert "6 weights suffice for every point" in text


def test_an_unknown_task_is_refused_with_the_nearest():
    ran = run("tasks", "two moons")
    assert (ran.code, ran.out) == (2, "")
    assert "choose from cubist" in ran.err
    ran = run("tasks", "mons")
    assert "unknown task 'mons'; did you mean 'moons'?" in ran.err
