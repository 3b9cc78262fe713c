"""What is listed of tasks."""

import pytest

from spiral import tasks
from spiral.tasks import listing


def test_the_shipped_tasks_are_listed_in_their_order():
    found = listing.listed()
    assert [task.name for task in found] == tasks.names()
    for one in found:
        task = tasks.load(one.name)
        assert (one.points, one.digest) == (task.points, task.digest)
        assert max(one.shares) == task.chance
        assert sum(one.shares) == pytest.approx(1)
        assert (one.suffices is None) == (task.planted is None)


def test_a_task_is_listed_with_its_parameters():
    (found,) = listing.listed(["planted(nnz=6, shape=2-1-1, points=2000)"])
    assert found.name == "planted(shape=2-1-1, nnz=6, points=2000)"
    assert found.suffices == 6
    values = {p["name"]: p["value"] for p in found.parameters}
    assert values == {"seed": "0", "shape": "2-1-1", "nnz": "6", "points": "2000"}


@pytest.mark.parametrize("name", tasks.FAMILIES)
def test_listed_defaults_are_legal_and_those_of_the_name_alone(name):
    family = tasks.FAMILIES[name]
    values = {p["name"]: p["value"] for p in listing.explained(family)}
    assert tasks.canonical({name: values}) == name


def test_a_file_has_no_parameters(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("x1,x2,label\n" + "1,2,0\n3,4,1\n4,4,1\n" * 100)
    (found,) = listing.listed([str(path)])
    assert found.name.startswith(f"{path}@")
    assert found.shares == (1 / 3, 2 / 3)
    assert found.parameters == ()
