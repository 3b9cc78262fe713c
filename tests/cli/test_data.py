"""``data`` finds what is shipped."""

import pytest

from spiral.results import data_sets, summary
from spiral.search import best_known
from spiral.search.certify import record
from tests.cli import run, run_json


def test_list_has_a_line_for_each():
    lines = run("data", "list").out.splitlines()
    names = [line.split()[0] for line in lines]
    assert names == [*summary.names(), *data_sets.others()]


def test_list_as_json():
    found = run_json("data", "list")["data"]
    assert {"name", "meaning", "rows", "grid", "cpus"} <= {*found[0]}


def test_list_as_json_has_the_size_of_other_files():
    others = run_json("data", "list")["others"]
    assert others["bounds"] == len(record.SHIPPED.read_bytes())


@pytest.mark.parametrize(
    ("name", "path"), [("frontier", best_known.SHIPPED), ("bounds", record.SHIPPED)]
)
def test_path_finds_the_frontier_and_the_bounds(name, path):
    assert run("data", "path", name).out.strip() == str(path)


def test_path_is_that_of_the_file():
    wanted = str(summary.shipped("leaders"))
    assert run("data", "path", "leaders").out.strip() == wanted
    assert run_json("data", "path", "leaders")["path"] == wanted


def test_an_unknown_name_is_refused_with_the_nearest():
    ran = run("data", "path", "leader")
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean 'leaders'" in ran.err
