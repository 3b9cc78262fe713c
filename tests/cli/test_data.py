"""``data`` finds what is shipped."""

from spiral.results import summary
from tests.cli import run, run_json


def test_list_has_a_line_for_each():
    lines = run("data", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == summary.names()


def test_list_as_json():
    found = run_json("data", "list")["data"]
    assert {"name", "meaning", "rows", "grid", "cpus"} <= {*found[0]}


def test_path_is_that_of_the_file():
    wanted = str(summary.shipped("leaders"))
    assert run("data", "path", "leaders").out.strip() == wanted
    assert run_json("data", "path", "leaders")["path"] == wanted


def test_an_unknown_name_is_refused_with_the_nearest():
    ran = run("data", "path", "leader")
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean 'leaders'" in ran.err
