"""A directory that version 0.1.0 wrote is read, verified, compared and extended.

``tests/golden/first_version`` is what that version left of this grid, where ``sfw`` had
another default for ``ball_share`` than it has now.
"""

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import spiral
from tests.cli import run, run_json

FIRST_VERSION = Path(__file__).parent.parent / "golden" / "first_version"
GRID = {
    "name": "first_version",
    "defaults": {"width": 3, "keep": [9, 16], "epochs": 2, "lr": 0.1, "seed": [0, 1]},
    "blocks": {
        "pruned": {"method": ["gmp", "magnitude", "random"]},
        "moved": {"method": "sfw"},
    },
}
SAME = {"moved": {"method": "sfw", "ball_share": 0.3}}
"""What to write today for the same configs."""

MORE = {"new": {"method": "set"}}
"""A method that 0.1.0 did not have."""

LOCAL = ("--executor", "local", "--workers", 1)


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(FIRST_VERSION, tmp_path / "rows")


@pytest.fixture
def launch(tmp_path):
    """Launch the grid with other blocks."""

    def launch(out, **blocks):
        grid = {**GRID, "blocks": GRID["blocks"] | blocks}
        file = tmp_path / "grid.yaml"
        file.write_text(json.dumps(grid))
        return run("launch", file, "--out", out, *LOCAL)

    return launch


def rows(folder):
    return pd.read_parquet(folder / "results").set_index("config_id").sort_index()


def equal(some, others):
    """Return whether rows have equal results, bit for bit."""
    names = ["status", "accuracy", "loss", "nnz", "mask"]
    same = some[names].equals(others.loc[some.index, names])
    pairs = zip(some["weights"], others.loc[some.index, "weights"], strict=True)
    return same and all(a.tobytes() == b.tobytes() for a, b in pairs)


def test_it_was_written_by_that_version(folder):
    footers = [
        json.loads(pq.read_metadata(path).metadata[b"spiral-sweep"])["version"]
        for path in (folder / "results").glob("*.parquet")
    ]
    assert footers == ["0.1.0"] * 4
    assert spiral.__version__ != "0.1.0"


def test_it_is_complete_and_whole(folder):
    found = run_json("status", folder)
    assert (found["configs"], found["done"]) == (16, 16)
    assert run("verify", folder).code == 0


def test_it_is_compared_and_read(folder):
    groups = pd.DataFrame(run_json("compare", folder)["groups"])
    assert {*groups["method"]} == {"gmp", "magnitude", "random", "sfw"}
    assert {*groups["n"]} == {2}
    found = spiral.load_rows(folder)
    assert len(found) == 16
    assert {*found["task"]} == {"cubist"}
    sfw = found[found["method"] == "sfw"]
    assert {*sfw["ball_share"]} == {0.3}


def test_the_same_grid_is_refused_with_what_to_write(folder, launch):
    ran = launch(folder)
    assert ran.code == 2
    assert "ball_share: 0.3 for sfw (0.02 now)" in ran.err


def test_it_is_extended_and_its_rows_stay(folder, launch):
    before = rows(folder)
    ran = launch(folder, **SAME, **MORE)
    assert ran.code == 0, ran.err
    assert "trained 4 configs" in ran.out
    after = rows(folder)
    assert len(after) == 20
    assert equal(before, after)
    assert run("verify", folder).code == 0
    found = spiral.load_rows(folder)
    versions = found.groupby("method")["version"].unique().map(list)
    assert versions["gmp"] == ["0.1.0"]
    assert versions["set"] == [spiral.__version__]
