"""Launches into a bucket of a server: rows, tables and pages as of a folder."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from spiral.results import buckets
from tests import VARYING
from tests.cli import run, run_json

pytestmark = pytest.mark.slow

HERE = ("--executor", "local", "--workers", 1)


def folder_of(server, out):
    """Return where the server keeps a results directory."""
    return server.folder / out.removeprefix("s3://")


def objects(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


# ---- one launch, read in all ways


def test_the_rows_are_those_of_a_local_launch(server, trained, rows):
    out, ran = trained
    assert f"{out}: 9 of 9 configs" in ran.out
    found = pd.read_parquet(folder_of(server, out))
    fixed = [name for name in rows if name not in VARYING]
    pd.testing.assert_frame_equal(found[fixed], rows[fixed])
    folders = [path.parent.name for path in objects(folder_of(server, out))]
    assert folders == ["_spiral", "results", "results"]


def test_the_rows_of_workers_of_ray_are_those_of_a_local_launch(
    server, grid, rows, proxy, monkeypatch
):
    # As fast as other processes: on a busy machine, Ray's own waits run out
    monkeypatch.setenv("RAY_worker_niceness", "0")
    out = "s3://bucket/ray"
    line = ("launch", grid, "--out", out, "--executor", "ray", "--workers", 2)
    ran = subprocess.run(
        [sys.executable, "-m", "spiral", *map(str, line)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert f"{out}: 9 of 9 configs" in ran.stdout
    found = pd.read_parquet(folder_of(server, out))
    fixed = [name for name in rows if name not in VARYING]
    pd.testing.assert_frame_equal(found[fixed], rows[fixed])


@pytest.mark.parametrize(
    "words",
    [
        ("status", "DIR"),
        ("verify", "DIR"),
        ("compare", "DIR"),
        ("compare", "DIR", "--table", "distances", "--json"),
        ("network", "export", "DIR", "gmp@12", "-o", "FILE.npz"),
        ("plot", "accuracy", "DIR", "-o", "FILE.svg"),
        ("summary", "DIR", "-o", "FILE.parquet"),
        ("view", "DIR", "-o", "FILE.html"),
        ("report", "DIR", "-o", "FILE.html"),
    ],
    ids=lambda words: words[0],
)
def test_commands_print_what_they_print_of_a_local_launch(
    words, trained, launched, proxy, tmp_path
):
    def ran(place):
        file = str(tmp_path / "file")
        line = [str(w).replace("DIR", place).replace("FILE", file) for w in words]
        done = run(*line)
        assert done.code == 0, done.err
        return done.out.replace(place, "DIR")

    assert ran(trained[0]) == ran(str(launched[0]))


def test_the_page_of_networks_is_that_of_a_local_launch(
    trained, launched, proxy, tmp_path
):
    pages = []
    for place in (trained[0], str(launched[0])):
        run("view", place, "-o", tmp_path / "page.html")
        name = place.rpartition("/")[2]
        page = (tmp_path / "page.html").read_text()
        pages.append(page.replace(f"rows of {name}", "rows of it"))
    assert pages[0] == pages[1]


def test_rows_are_read_by_one_listing_and_each_object_once(trained, proxy):
    assert run("compare", trained[0]).code == 0
    packs = proxy.counts("GET", "/results/pack-")
    assert {*packs.values()} == {1}
    assert len(packs) == 2
    listed = proxy.counts("GET", "list-type")
    assert sorted("results" in path for path in listed) == [False, True]
    assert listed.total() == 2  # the other: whether there is something at all


def test_a_summary_can_lie_in_a_bucket(trained, proxy, tmp_path):
    run_json("summary", trained[0], "-o", tmp_path / "s.parquet")
    there = "s3://bucket/summaries/s.parquet"
    buckets.at(there).put((tmp_path / "s.parquet").read_bytes())
    rows = run("compare", there, "--csv").out
    assert rows == run("compare", trained[0], "--csv").out


def test_the_same_command_has_nothing_left_to_do(trained, grid, proxy):
    assert run_json("launch", grid, "--out", trained[0], *HERE)["trained"] == 0
    assert not proxy.counts("PUT", "")


def test_a_place_with_other_contents_is_refused(trained, grid, proxy):
    ran = run("launch", grid, "--out", "s3://bucket/trained", *HERE)
    assert ran.code == 2
    assert "is not a results directory (it contains here)" in ran.err


# ---- damage


def test_a_damaged_object_is_found_and_trained_again(server, grid, proxy):
    out = "s3://bucket/damaged"
    run_json("launch", grid, "--out", out, *HERE)
    file = next((folder_of(server, out) / "results").iterdir())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    ran = run("verify", out, "--json")
    assert ran.code == 4
    assert json.loads(ran.out)["corrupt"] == [f"results/{file.name}"]
    lost = json.loads(ran.out)["missing"]
    assert run_json("launch", grid, "--out", out, *HERE)["trained"] == lost > 0
    assert run("verify", out).code == 0
