"""A launch of two tasks, from the grid to comparisons and the search."""

import numpy as np
import pandas as pd
import pytest

from spiral.search import best_known
from spiral.tasks import catalogue
from tests.cli import run, run_json

MOONS = "moons(points=1000)"
GRID = """
name: two
defaults: {width: 3, epochs: 1, seed: 0..2}
blocks:
  pruned:
    method: [gmp, random]
    keep: [10, 14]
    task: [cubist, {moons: {points: 1000}}]
  dense: {method: dense, task: moons(points=1000)}
"""


@pytest.fixture(autouse=True)
def no_finds(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    (folder / "two.yaml").write_text(GRID)
    local = ("--executor", "local", "--workers", 1)
    ran = run("launch", folder / "two.yaml", "--out", folder / "out", *local)
    assert ran.code == 0, ran.err
    return folder / "out"


def test_no_pack_has_two_tasks(out):
    packs = [pd.read_parquet(file) for file in (out / "results").glob("*.parquet")]
    assert all(rows["task"].nunique() == 1 for rows in packs)
    every = pd.concat(packs)
    assert every.groupby("task").size().to_dict() == {"cubist": 12, MOONS: 15}
    assert set(every.groupby("task")["steps"].max()) == {390, 1000 // 128}


COMMANDS = [
    ("compare",),
    ("report", "-o", "{tmp}/r.html"),
    ("plot", "accuracy", "-o", "{tmp}/a.png"),
    ("plot", "pairs", "-o", "{tmp}/m.png"),
    ("diagnose", "robustness", "--every", "100", "--each", "1"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_refuse_two_tasks_and_take_one(command, out, tmp_path):
    words = [word.format(tmp=tmp_path) for word in command]
    place = 2 if words[0] in ("plot", "diagnose") else 1
    line = [*words[:place], out, *words[place:]]
    refused = run(*line)
    assert refused.code == 2
    assert f"got those of cubist, {MOONS}; choose one by --task" in refused.err
    for name in ("cubist", MOONS):
        ran = run(*line, "--task", name)
        assert ran.code == 0, ran.err


def test_without_best_known_networks_the_rest_is_compared(out):
    found = run_json("compare", out, "--task", MOONS)
    assert any(f"best known networks for task {MOONS}" in n for n in found["notes"])
    assert {line["n"] for line in found["groups"]} == {3}
    assert len(found["pairwise"]) > 0
    assert "gap" not in found["scores"][0]
    assert "best_known" not in found["excess"][0]
    ours = run_json("compare", out, "--task", "cubist")
    assert ours["excess"][0]["best_known"] is not None


def test_a_summary_of_two_tasks_is_told_apart_too(out, tmp_path):
    assert run("summary", out, "-o", tmp_path / "s.parquet").code == 0
    assert run("compare", tmp_path / "s.parquet").code == 2
    for name in ("cubist", MOONS):
        whole = run_json("compare", out, "--task", name, "--table", "groups")
        short = run_json("compare", tmp_path / "s.parquet", "--task", name)
        assert short["groups"] == whole["groups"]


def test_an_unknown_task_is_named_with_those_there_are(out):
    ran = run("compare", out, "--task", "moon")
    assert ran.code == 2
    assert f"no rows are of task moon; there are cubist, {MOONS}" in ran.err


def test_the_map_of_a_network_shows_its_task(out, tmp_path):
    rows = pd.read_parquet(out / "results")
    chosen = rows[(rows["task"] == MOONS) & (rows["method"] == "gmp")].iloc[0]
    file = tmp_path / "one.png"
    ran = run("plot", "boundary", out, chosen["config_id"], "-o", file)
    assert ran.code == 0, ran.err
    assert file.stat().st_size > 1000


def test_rows_become_best_known_networks_of_their_task(out):
    ran = run("frontier", "update", out, "--task", MOONS)
    assert ran.code == 0, ran.err
    found = best_known.load(task=MOONS)
    assert best_known.mistakes(found, MOONS) == []
    gaps = run_json("compare", out, "--task", MOONS)["groups"]
    assert any(line["accuracy_gap_best"] is not None for line in gaps)
    assert all((line["accuracy_gap_best"] or 0) > -1e-3 for line in gaps)


def test_a_search_is_for_its_task(tmp_path):
    small = ["--nnz", "6..12", "--units", "4,2,2", "--tries", 40, "--islands", 1]
    search = ["search", "evolve", "--out", tmp_path / "s", *small, "--generations", 1]
    ran = run(*search, "--task", MOONS)
    assert ran.code == 0, ran.err
    assert f"frontier update {tmp_path / 's'} --task '{MOONS}'" in ran.out
    other = run(*search)
    assert other.code == 2
    assert "task differ" in other.err
    assert run("frontier", "update", tmp_path / "s").code != 0
    assert run("frontier", "update", tmp_path / "s", "--task", MOONS).code == 0
    found = best_known.load(task=MOONS)
    assert found["accuracy"].max() > 0.9
    assert best_known.mistakes(found, MOONS) == []
    assert run("frontier", "verify", "--task", MOONS).code == 0
    assert run("plot", "networks", "--task", MOONS, "-o", tmp_path / "n.png").code == 0


def test_a_users_file_goes_from_the_grid_to_a_comparison(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    x1, x2 = random.normal(size=(2, 700))
    table = pd.DataFrame({"x1": x1, "x2": x2, "label": (x1 > x2).astype(int)})
    table.to_csv("mine.csv", index=False)
    (tmp_path / "g.yaml").write_text(
        "{method: [gmp, random], width: 3, keep: 12, seed: 0..1, epochs: 1, "
        "task: {file: mine.csv}}"
    )
    local = ("--executor", "local", "--workers", 1)
    ran = run("launch", "g.yaml", "--out", "out", *local)
    assert ran.code == 0, ran.err
    rows = pd.read_parquet("out/results")
    assert set(rows["task"]) == {catalogue.canonical("mine.csv")}
    (tmp_path / "mine.csv").unlink()  # the rows know what comparisons need
    found = run_json("compare", "out", "--task", "mine.csv")
    assert {line["n"] for line in found["groups"]} == {2}
    assert run("compare", "out").code == 0
