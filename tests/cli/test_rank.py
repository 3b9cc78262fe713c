"""`rank`, `summary` and `launch --method`: a user's own pruner from file to rank."""

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from spiral.methods.registry import METHODS, options
from spiral.report.stats import ranking
from spiral.results import load, store, summary
from spiral.sweep import packs, status
from spiral.sweep.grid import grid as grids
from spiral.sweep.grid import shipped
from tests.cli import run, run_json

pytestmark = pytest.mark.slow  # trains and ranks

FILE = Path(__file__).parent.parent / "pruners.py"
DIGEST = hashlib.blake2b(FILE.read_bytes(), digest_size=4).hexdigest()
NAME = f"Largest-{DIGEST}"
GRID = """
{name: tiny, method: random, width: 3, keep: [12, 20], epochs: 1, batch: 2000,
 seed: 0..3}
"""


@pytest.fixture(autouse=True, scope="module")
def nothing_stays():
    before = dict(METHODS)
    yield
    METHODS.clear()
    METHODS.update(before)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "tiny.yaml"
    path.write_text(GRID)
    return path


def launched(grid, out, name, *args):
    """Launch the grid with one of the user's pruners."""
    method = f"{FILE}:{name}"
    return run("launch", grid, "--out", out, "--method", method, *args)


def values(out):
    """Return the rows without what differs between runs."""
    tables = [store.read_pack(path)[0] for path in store.pack_files(out)]
    found = [row for table in tables for row in table.drop("seconds").to_pylist()]
    return sorted(found, key=lambda row: row["config_id"])


@pytest.fixture(scope="module")
def ranked(tmp_path_factory):
    """A quick ranking on the standard grid: its folder, and what it printed."""
    out = tmp_path_factory.mktemp("ranked") / "rows"
    ran = run("rank", "--method", f"{FILE}:Largest", "--quick", "--out", out)
    return out, ran


def test_rank_prints_one_screen(ranked):
    out, ran = ranked
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"Largest-{DIGEST}: normalised gap ")
    lines = ran.out.splitlines()
    assert len(lines) < 40
    assert max(map(len, lines)) <= 88
    assert "\nneighbours: " in ran.out
    assert "--table all" in ran.out
    assert lines[-1] == f"rows: {out}"
    assert status.status(out).complete


def test_rank_prints_the_tables_named_and_trains_nothing_again(ranked):
    out, _ = ranked
    command = ("rank", "--method", f"{FILE}:Largest", "--quick", "--out", out)
    one = run(*command, "--table", "excess")
    assert "\nexcess: " in one.out
    assert "\nsizes: " not in one.out
    every = run(*command, "--table", "all")
    tables = ("scores", "pairwise", "excess", "sizes")
    assert all(f"\n{table}: " in every.out for table in tables)
    assert "packs" not in every.err


def test_rank_goes_on_where_it_was_and_prints_the_same_as_json(ranked):
    out, _ = ranked
    before = {path: path.stat().st_mtime_ns for path in store.pack_files(out)}
    method = f"{FILE}:Largest"
    found = run_json("rank", "--method", method, "--quick", "--out", out)
    assert before == {path: path.stat().st_mtime_ns for path in store.pack_files(out)}
    assert found["method"] == f"Largest-{DIGEST}"
    assert {line["width"] for line in found["sizes"]} == {3, 16, 64}
    assert {line["n"] for line in found["sizes"]} == {8}
    over_all = [line for line in found["pairwise"] if line["width"] is None]
    assert len(over_all) == found["methods"] - 1
    own = [line for line in found["scores"] if line["method"] == found["method"]]
    assert {line["width"] for line in own} == {3, 16, 64}
    assert {line["settings"] for line in own} == {1}  # as those it is compared with
    assert all(line["settings"] == 1 for line in found["scores"])
    assert all(1 <= line["rank_low"] <= line["rank_high"] for line in own)


def test_without_a_method_the_shipped_ones_are_ranked():
    found = run_json("rank")
    ranks = {line["method"]: line["rank_low"] for line in found["scores"]}
    assert {*ranks} == {*shipped.load("standard").configs["method"]}
    assert not {*ranks} & {"dense", "block", "mask", "scratch", "shuffled"}
    assert min(ranks.values()) == 1
    assert found["width"] == 16
    assert {line["n"] for line in found["scores"]} == {8}
    text = run("rank").out
    assert text.startswith("scores: Methods at width 16")
    assert all(name in text for name in ranks)


def test_without_a_method_nothing_is_trained(tmp_path):
    ran = run("rank", "--quick", "--table", "all", "--out", tmp_path / "rows")
    assert ran.code == 2
    assert "--quick, --table, --out without --method" in ran.err


def test_a_rank_among_some_rows_says_what_is_missing(ranked, tmp_path):
    out, _ = ranked
    assert not any(
        "missing" in note for note in ranking.of_folder(out, NAME, options()).notes
    )
    part = tmp_path / "part"
    shutil.copytree(out, part)
    (first, *_) = store.pack_files(part)
    count = store.read_pack(first)[0].num_rows
    first.unlink()
    notes = ranking.of_folder(part, NAME, options()).notes
    assert any(note.startswith(f"{count} configs are missing") for note in notes)


def test_a_folder_of_another_ranking_is_refused_in_words(ranked, tmp_path):
    out, _ = ranked
    other = run("rank", "--method", f"{FILE}:Sharp", "--quick", "--out", out)
    assert other.code == 2
    assert (
        f"expected rows of Sharp-{DIGEST}, got those of Largest-{DIGEST}" in other.err
    )
    configs, facts = store.read_manifest(out)
    more = pd.concat([configs, configs.tail(1).assign(config_id="more")])
    store.write_manifest(tmp_path / "full", more, facts)
    method = f"{FILE}:Largest"
    back = run("rank", "--method", method, "--quick", "--out", tmp_path / "full")
    assert back.code == 2
    assert "a full ranking; resume it with --full" in back.err


def test_a_folder_of_an_earlier_default_is_refused_in_words(tmp_path):
    text = '{"method": "sfw", "keep": 20, "lr": 0.1, "ball_share": 0.3}'
    configs = packs.pack(grids.loads(text).configs).configs
    store.write_manifest(tmp_path / "old", configs, {})
    ran = run("rank", "--method", "sfw", "--out", tmp_path / "old")
    assert ran.code == 2
    assert "results of an earlier version; give another --out" in ran.err
    assert "ball_share: 0.3 for sfw (0.02 now)" in ran.err


def test_a_mistake_ends_rank_before_anything_trains(tmp_path):
    out = tmp_path / "rows"
    ran = run("rank", "--method", f"{FILE}:OneLess", "--out", out)
    assert ran.code == 3
    assert "keep 12), got 11; use masks.keep_top" in ran.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (f"{FILE}:Missing", "has no 'Missing'; classes there: Largest"),
        ("nothing.py:Mine", "nothing.py: No such file"),
        ("gpm", "no method of this name; did you mean 'gmp'?"),
    ],
)
def test_a_method_that_is_not_there_is_wrong_usage(method, message, tmp_path):
    ran = run("rank", "--method", method, "--out", tmp_path / "rows")
    assert ran.code == 2
    assert message in ran.err


@pytest.mark.parametrize("workers", [1, 2])
def test_launch_trains_a_grid_of_it_in_every_worker(grid, tmp_path, workers):
    local = ("--executor", "local", "--workers", workers)
    ran = launched(grid, tmp_path / "rows", "Largest", *local)
    assert ran.code == 0, ran.err
    rows = load.read([tmp_path / "rows"], options()).rows
    assert set(rows["method"]) == {f"Largest-{DIGEST}"}
    assert len(rows) == 8
    assert (rows["nnz"] == rows["keep"]).all()


@pytest.mark.slow
def test_ray_workers_get_it_too(grid, tmp_path):
    assert launched(grid, tmp_path / "ray", "Sharp", "--workers", 1).code == 0
    local = ("--executor", "local", "--workers", 1)
    assert launched(grid, tmp_path / "local", "Sharp", *local).code == 0
    assert values(tmp_path / "ray") == values(tmp_path / "local")


def test_a_mistake_while_it_trains_fails_its_pack_with_row_and_line(grid, tmp_path):
    local = ("--executor", "local", "--workers", 1)
    ran = launched(grid, tmp_path / "rows", "Raises", *local)
    assert ran.code == 3
    assert "(width 3, seed 0, keep 12) raised ValueError" in ran.err
    assert "(pruners.py:" in ran.err


def test_rows_are_read_without_the_file(grid, tmp_path):
    """Code is never loaded because rows name it; options are columns as any other."""
    local = ("--executor", "local", "--workers", 1)
    powers = ("--set", "power=[1, 2]")
    assert launched(grid, tmp_path / "rows", "Sharp", *local, *powers).code == 0
    del METHODS[f"Sharp-{DIGEST}"]
    assert run("status", tmp_path / "rows").code == 0
    assert run("verify", tmp_path / "rows").code == 0
    found = run_json("compare", tmp_path / "rows", "--by", "method,width,power")
    assert {line["power"] for line in found["excess"]} == {1.0, 2.0}
    pooled = run_json("compare", tmp_path / "rows")
    assert {line["settings"] for line in pooled["groups"]} == {2}
    assert f"Sharp-{DIGEST}" not in METHODS


def test_an_edited_file_does_not_use_old_rows(grid, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(FILE.read_text())
    local = ("--executor", "local", "--workers", "1")
    command = ("launch", grid, "--out", tmp_path / "rows", "--method")
    assert run(*command, f"{mine}:Largest", *local).code == 0
    mine.write_text(FILE.read_text() + "\n# another thought\n")
    again = run(*command, f"{mine}:Largest", *local)
    assert again.code == 2
    assert "may extend a grid but not change it" in again.err


def test_summary_writes_one_file_that_compare_reads(grid, tmp_path):
    local = ("--executor", "local", "--workers", 1)
    assert run("launch", grid, "--out", tmp_path / "rows", *local).code == 0
    file = tmp_path / "rows.parquet"
    assert "8 rows" in run("summary", tmp_path / "rows", "-o", file).out
    folder, small = (run_json("compare", place) for place in (tmp_path / "rows", file))
    for table in ("excess", "groups", "pairwise"):
        assert json.dumps(small[table]) == json.dumps(folder[table])
    assert summary.read(file)[1]["grid"] == "tiny"


def test_an_epoch_given_for_a_step_is_warned_of(grid, tmp_path):
    local = ("--executor", "local", "--workers", 1)
    six = ("--set", "epochs=6", "--set", "seed=0")
    ran = launched(grid, tmp_path / "rows", "Epoch", *local, *six)
    assert ran.code == 0, ran.err
    words = f"warning: Epoch-{DIGEST}: the last event is step 3, in the first of"
    assert words in ran.err
    right = launched(grid, tmp_path / "right", "Middle", *local, *six)
    assert "warning" not in right.err


def test_a_launch_says_what_its_statuses_mean(grid, tmp_path):
    local = ("--executor", "local", "--workers", 1)
    out = tmp_path / "rows"
    ran = run("launch", grid, "--out", out, *local, "--set", "keep=[1, 20]")
    assert "collapsed: no path from input to output\n" in ran.out
    assert "diverged" not in ran.out
