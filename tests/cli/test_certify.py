"""``frontier certify``: proves bounds, and checks records of them."""

import json

import pytest

from spiral.search.certify import exact, prove, record
from tests.cli import run, run_json
from tests.search.certify import COARSE


@pytest.fixture
def damaged(tmp_path):
    """Write the shipped record with another digest."""
    known = record.read()
    record.write({**known, "digest": known["digest"][::-1]}, tmp_path / "b.json")
    return tmp_path / "b.json"


def test_a_record_of_other_points_fails_with_code_4(damaged):
    ran = run("frontier", "certify", "--verify", "--file", damaged)
    assert ran.code == 4
    assert "expected the digest of this data set" in ran.out
    assert ran.out.endswith("3 bounds, 1 mistakes\n")
    found = run("frontier", "certify", "--verify", "--file", damaged, "--json")
    assert found.code == 4
    document = json.loads(found.out)
    assert document["file"] == str(damaged)
    assert len(document["mistakes"]) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--threshold", "1.5"], "expected an accuracy like 0.95, above 0.5, got 1.5"),
        (["--threshold", "half"], "expected an accuracy like 0.95"),
        (["--threshold", "nan"], "expected an accuracy like 0.95"),
        (["--verify", "--out", "x"], "leave out --out"),
        (["--file", "x"], "add --verify"),
    ],
)
def test_options_that_contradict_are_refused(options, message):
    ran = run("frontier", "certify", *options)
    assert ran.code == 2
    assert message in ran.err


def test_only_of_polygons_is_something_proven(tmp_path):
    ran = run("frontier", "certify", "--task", "moons")
    assert ran.code == 2
    assert "expected a task of the family cubist" in ran.err
    ran = run("frontier", "certify", "--verify", "--task", "moons")
    assert ran.code == 1
    assert "expected a record of bounds, got no file" in ran.err


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "b.json").write_text("[]")
    ran = run("frontier", "certify", "--verify", "--file", tmp_path / "b.json")
    assert ran.code == 1
    assert "not a record of bounds" in ran.err


@pytest.mark.slow  # proves and checks, on a grid so coarse that little is proven
def test_bounds_are_proven_recorded_and_checked(tmp_path, monkeypatch):
    effort = prove.Effort(points=600, run=40, rounds=4, angles=60)
    grid = COARSE._replace(steps=5)
    monkeypatch.setattr(prove, "Effort", lambda: effort)
    monkeypatch.setattr(exact, "Grid", lambda: grid)
    file = tmp_path / "b.json"
    found = run_json("frontier", "certify", "--threshold", "0.95", "--out", file)
    (bound,) = found["bounds"]
    assert bound["threshold"] == "0.95"
    assert 4 <= bound["weights"] <= 10
    assert record.bounds(file) == {0.95: bound["weights"]}
    ran = run("frontier", "certify", "--verify", "--file", file)
    assert ran.code == 0, ran.out
    assert f"accuracy 0.95: at least {bound['weights']} weights" in ran.out
    assert "1 bounds, 0 mistakes" in ran.out
