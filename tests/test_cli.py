"""The command line: what it promises to scripts, and messages for every mistake."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml

from spiral import cli
from spiral.methods import METHODS
from spiral.search import frontier
from spiral.search.network import Network

GRID = """
name: tiny
defaults: {width: 3, epochs: 1, batch: 2000, seed: 0..3}
blocks:
  gmp: {method: gmp, keep: 12}
  again: {method: gmp, keep: [12, 20], seed: 0}
  dense: {method: dense}
"""
"""9 configs after a duplicate, in 2 packs."""


def run(*args):
    """Run a command line in this process; an exception is a failed test."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            cli.main([str(arg) for arg in args], prog_name="spiral-sweep")
    except SystemExit as stop:
        code = stop.code or 0
    return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())


def run_json(*args):
    """Run a command that must print one JSON document and nothing else."""
    ran = run(*args, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "tiny.yaml"
    path.write_text(GRID)
    return path


@pytest.fixture(scope="module")
def launched(grid, tmp_path_factory):
    """The folder of a finished launch, and what the launch printed."""
    out = tmp_path_factory.mktemp("out") / "new"
    local = ("--executor", "local", "--workers", 1)
    return out, run_json("launch", grid, "--out", out, *local)


@pytest.fixture(scope="module")
def rows(launched):
    return pd.read_parquet(launched[0])


# ---- what scripts read


def test_plan_counts(grid):
    found = run_json("plan", grid)
    assert found["grid"] == "tiny"
    assert found["blocks"] == {"gmp": 4, "again": 2, "dense": 4}
    assert (found["configs"], found["duplicates"], found["packs"]) == (9, 1, 2)
    assert "configs     9, after 1 duplicates" in run("plan", grid).out


def test_plan_of_several_grids_adds_them_up(grid, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("{method: dense, seed: 0..6}")
    found = run_json("plan", grid, other)
    assert (found["configs"], found["duplicates"], found["packs"]) == (16, 1, 3)
    assert found["blocks"]["tiny/gmp"] == 4
    assert [g["configs"] for g in found["grids"]] == [9, 7]
    twice = run_json("plan", grid, other, grid)
    assert (twice["configs"], twice["duplicates"], twice["packs"]) == (16, 11, 5)


def test_plan_takes_sets_and_shipped_names(grid):
    assert run_json("plan", grid, "--set", "seed=0..9")["configs"] == 30
    assert run_json("plan", "quickstart")["grid"] == "quickstart"


def test_launch_reports_what_it_trained(launched):
    out, found = launched
    assert (found["trained"], found["configs"], found["done"]) == (9, 9, 9)
    assert sum(found["statuses"].values()) == 9
    assert found["out"] == str(out)


def test_status_and_verify_count(launched):
    state = run_json("status", launched[0])
    assert (state["configs"], state["done"], state["failed"]) == (9, 9, 0)
    assert (state["packs"], state["packs_done"]) == (2, 2)
    verdict = run_json("verify", launched[0])
    assert (verdict["rows"], verdict["missing"], verdict["corrupt"]) == (9, 0, [])
    assert "9 of 9 done" in run("status", launched[0]).out
    assert run("verify", launched[0]).out.split() == ["rows", "9", "missing", "0"]


def test_compare_prints_tables_csv_or_json(launched):
    out = launched[0]
    found = run_json("compare", out, "--by", "method")
    groups = [(g["method"], g["keep"], g["rows"]) for g in found["groups"]]
    assert groups == [("dense", None, 4), ("gmp", 12, 4), ("gmp", 20, 1)]
    assert [g["threshold"] for g in found["gaps"]] == [0.95, 0.95, 0.995, 0.995]
    assert [p["n"] for p in found["pairs"]] == [4, 4, 1]
    csv = pd.read_csv(io.StringIO(run("compare", out, "--csv").out))
    assert csv["rows"].tolist() == [4, 4, 1]
    pairs = run("compare", out, "--csv", "--table", "pairs").out
    assert len(pd.read_csv(io.StringIO(pairs))) == 3
    text = run("compare", out).out
    assert text.startswith("gaps: ")
    assert "groups: " in text
    assert "pairs: " not in text


def test_compare_takes_thresholds_seeds_apart_and_several_folders(launched):
    out = launched[0]
    found = run_json("compare", out, out, "--threshold", ".6,0.9", "--honest")
    assert {g["threshold"] for g in found["gaps"]} == {0.6, 0.9}
    assert [g["rows"] for g in found["groups"]] == [4, 4, 1]
    assert [g["n"] for g in found["groups"]] == [2, 2, 0]
    assert any("9 rows are in several folders" in note for note in found["notes"])


def test_compare_measures_distances_to_a_frontier(launched, tmp_path):
    out, file = launched[0], tmp_path / "f.parquet"
    network = Network((2, 2, 1), "10,01/11,10/11/1", np.zeros(14, np.float32))
    known = frontier.entry(network, "any", "made up", "made up") | {"accuracy": 0.96}
    frontier.save(pd.DataFrame([known]), file)
    options = ["--frontier", file, "--threshold", "0.95"]
    found = run_json("compare", out, *options)
    assert [line["optimum"] for line in found["gaps"]] == [8, 8]
    dense, gmp = found["distances"]
    assert (dense["hamming"], dense["n"]) == (27 - 8, 4)
    assert (gmp["weights"], gmp["exact"]) == (12, 1)
    assert gmp["hamming"] >= 12 - 8
    assert run_json("compare", out, *options, "--distances", 0)["distances"] == []
    ran = run("compare", out, *options, "--table", "distances", "--distances", 1)
    assert "hamming" in ran.out
    assert ran.out.count("distances:") == 1


def test_diagnose_says_how_networks_bear_corrupted_points(launched, tmp_path):
    out, figure = launched[0], tmp_path / "r.svg"
    options = (out, "--every", 500, "--each", 2, "-o", figure)
    found = run_json("diagnose", "robustness", *options)
    counts = {line["method"]: line["n"] for line in found["groups"]}
    assert {"dense": 2, "gmp": 2} | counts == counts  # 20 weights: one network
    assert len(found["corruptions"]) == 8
    assert figure.stat().st_size > 5000
    text = run("diagnose", "robustness", *options[:5], "--keep", "12").out
    assert "mean_corruption" in text
    assert "note: one point in 500" in text
    assert "expected numbers" in run("diagnose", "robustness", out, "--keep", "a").err
    none = run("diagnose", "robustness", out, "--keep", 13, "--where", "unit=neuron")
    assert none.code == 0  # dense networks are left
    assert "gmp" not in none.out


def test_diagnose_maps_regimes(tmp_path):
    text = (
        "{method: one_shot, width: 3, epochs: 2, keep: [9, 20], checkpoint: [1, 2], "
        "branch: 0..1}"
    )
    (tmp_path / "g.yaml").write_text(text)
    out, figure = tmp_path / "out", tmp_path / "m.png"
    local = ("--executor", "local", "--workers", 1)
    assert run("launch", tmp_path / "g.yaml", "--out", out, *local).code == 0
    found = run_json("diagnose", "regimes", out, "--every", 50, "-o", figure)
    assert len(found["cells"]) == 4
    assert figure.stat().st_size > 10_000
    strict = run_json(
        "diagnose", "regimes", out, "--every", 50, "--barrier", 1, "--alike", 0.5
    )
    told = {cell["regime"] for cell in strict["cells"]}
    assert told <= {"I", "collapsed"}
    wrong = run("diagnose", "regimes", out, "--temperature", "heat")
    assert (wrong.code, "no temperature 'heat'" in wrong.err) == (2, True)


def test_methods_lists_every_method():
    listed = run_json("methods")["methods"]
    assert listed.keys() == METHODS.keys()
    assert "interval" in listed["gmp"]["options"]
    assert all(name in run("methods").out for name in METHODS)


def test_search_counts_masks():
    found = run_json("search", "count", "--shape", "3,2,2")
    by_nnz = [4, 23, 54, 75, 63, 35, 14, 4, 1]
    assert (found["labelled"], found["canonical"]) == (4375, 273)
    assert found["by_nnz"] == {str(10 + i): n for i, n in enumerate(by_nnz)}
    few = run("search", "count", "--shape", "3,2,2", "--nnz", "10..11").out
    assert few.split() == ["labelled", "504", "canonical", "27", "10", "4", "11", "23"]


def test_methods_says_more_of_one_and_what_presets_set():
    ran = run("methods", "snip", "synflow")
    assert [line.split()[0] for line in ran.out.splitlines() if line[0] != " "] == [
        "snip",
        "synflow",
    ]
    assert "  unit=weight, when=before, schedule=once, criterion=|w·g|, " in ran.out
    assert "reinit: " in ran.out
    assert "; default none, xavier under fidelity=zp24\n" in ran.out
    assert "; default 100\n" in ran.out
    listed = run_json("methods", "force")["methods"]
    assert listed.keys() == {"force"}
    options = listed["force"]["options"]
    assert options["rounds"]["presets"] == {"fidelity=zp24": 10}
    assert options["fidelity"]["presets"] == {}


def test_methods_and_comparisons_can_be_of_a_kind(launched):
    asked = ("--where", "when=before", "--where", "unit=weight,neuron")
    listed = run_json("methods", *asked)["methods"]
    assert {"snip", "block"} < listed.keys()
    assert {entry["taxonomy"]["when"] for entry in listed.values()} == {"before"}
    found = run_json("compare", launched[0], "--where", "cost=dense")
    assert {line["method"] for line in found["groups"]} == {"dense"}
    assert found["where"] == {"cost": ["dense"]}
    assert run("plot", "accuracy", launched[0], "--where", "cost=alternating").code == 2
    for wrong, known in (
        ("units=neuron", "known are unit, when"),
        ("unit=neurons", "known are neuron, weight"),
    ):
        ran = run("compare", launched[0], "--where", wrong)
        assert ran.code == 2
        assert known in ran.err
    assert "expected AXIS=VALUE" in run("methods", "--where", "neuron").err


def test_an_unknown_method_lists_those_there_are():
    ran = run("methods", "snip", "snipp")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: method 'snipp' unknown; known are dense, ")


def test_schema_accepts_the_grid_and_rejects_a_typo():
    schema, grid = json.loads(run("schema").out), yaml.safe_load(GRID)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(grid, schema)
    grid["blocks"]["gmp"]["keeep"] = 3
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(grid, schema)


@pytest.mark.parametrize(
    "command", [["--help"], *([c, "-h"] for c in cli.main.commands)]
)
def test_every_command_helps(command):
    assert "Usage: spiral-sweep" in run(*command).out


# ---- figures

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("kind", MAGIC)
def test_figures_are_written_as_their_name_says(kind, launched, rows, tmp_path):
    row = rows["config_id"].iloc[0]
    for command in (["accuracy", launched[0]], ["boundary", launched[0], row[:12]]):
        file = tmp_path / f"{command[0]}.{kind}"
        ran = run("plot", *command, "-o", file)
        assert (ran.code, ran.out) == (0, f"{file}\n")
        assert file.read_bytes().startswith(MAGIC[kind])


LOCAL = ("--executor", "local", "--workers", 1)

WIDE = """
name: wide
defaults: {epochs: 1, batch: 2000, seed: 1, init_seed: 1}
blocks:
  both: {method: gmp, fidelity: [exact, zp24], width: 3, keep: [12, 20]}
  wider: {method: gmp, width: 4, keep: 12}
  search: {method: block, width: 3, d1: 2, d2: 2, d3: 2}
"""
"""What every kind of figure needs: two widths, versions, a start that was searched."""


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wide")
    (folder / "wide.yaml").write_text(WIDE)
    out = folder / "out"
    ran = run("launch", folder / "wide.yaml", "--out", out, *LOCAL)
    assert ran.code == 0, ran.err
    return out


@pytest.mark.parametrize(
    "command",
    [
        ["accuracy", "{out}", "--width", "3"],
        ["width", "{out}", "--keep", "12"],
        ["connected", "{out}", "--honest"],
        ["gaps", "{out}", "--threshold", "0.6", "--width", "3,4"],
        ["fixed", "{out}"],
        ["fidelity", "{out}"],
        ["pairs", "{out}", "--keep", "12"],
        ["neurons", "{out}", "gmp@12"],
        ["networks", "--neurons", "--nnz", "16"],
    ],
    ids=lambda command: command[0],
)
def test_every_kind_of_figure_is_drawn(command, wide, tmp_path):
    words = [word.format(out=wide) for word in command]
    file = tmp_path / "figure.svg"
    ran = run("plot", *words, "-o", file)
    assert (ran.code, ran.out) == (0, f"{file}\n"), ran.err
    assert file.read_bytes().startswith(MAGIC["svg"])


def test_a_report_is_one_page_of_several_folders(wide, launched, tmp_path):
    file = tmp_path / "report.html"
    ran = run("report", wide, launched[0], "-o", file, "--threshold", "0.6")
    assert (ran.code, ran.out) == (0, f"{file}\n"), ran.err
    page = file.read_text()
    assert page.startswith("<!doctype html>")
    assert "<h1>wide, tiny</h1>" in page


@pytest.mark.parametrize("which", ["", "zzzz"], ids=["ambiguous", "unknown"])
def test_an_id_must_name_one_row(which, launched, tmp_path):
    ran = run("plot", "boundary", launched[0], which, "-o", tmp_path / "b.png")
    assert ran.code == 2
    assert "error: " in ran.err
    assert not any(tmp_path.iterdir())


def test_an_unknown_kind_of_figure_is_refused(launched, tmp_path):
    ran = run("plot", "accuracy", launched[0], "-o", tmp_path / "a.gif")
    assert ran.code == 2
    assert ".png, .svg, .pdf" in ran.err
    assert not any(tmp_path.iterdir())


# ---- mistakes


def test_an_unknown_grid_lists_those_there_are():
    ran = run("plan", "quickstrat")
    assert ran.code == 2
    assert "quickstrat" in ran.err
    assert "quickstart" in ran.err.replace("quickstrat", "")


def test_mistakes_of_a_grid_are_said_with_their_places(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("method: gmp\nkeeep: 3\nwidth: 0\n")
    ran = run("plan", file)
    assert ran.code == 2
    assert f"{file}:2:1" in ran.err
    assert f"{file}:3:8" in ran.err
    assert "did you mean 'keep'?" in ran.err


def test_a_missing_device_is_refused_with_the_remedy(grid, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    out = tmp_path / "out"
    ran = run("launch", grid, "--out", out, "--engine", "vmap:cuda")
    assert ran.code == 2
    assert "needs a CUDA device" in ran.err
    assert "--engine vmap" in ran.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["plan"], 2, "GRID"),
        (["plan", "{tmp}"], 2, "cannot be read"),
        (["plan", "{grid}", "--set", "width"], 2, "expected KEY=VALUE"),
        (["plan", "{grid}", "--set", "method=gpm"], 2, "did you mean 'gmp'?"),
        (["launch", "{grid}"], 2, "--out"),
        (["launch", "{grid}", "--out", "{tmp}/o", "--engine", "abacus"], 2, "abacus"),
        (["status", "{tmp}"], 1, "holds no launch"),
        (["status", "{grid}"], 1, "holds no launch"),
        (["compare", "{tmp}"], 1, "holds no launch"),
        (["compare", "{out}", "--by", "colour"], 2, "no column 'colour'"),
        (["compare", "{out}", "--by", ""], 2, "no column ''"),
        (["compare"], 2, "DIR"),
        (["compare", "{out}", "{tmp}"], 1, "holds no launch"),
        (["compare", "{out}", "--threshold", "high"], 2, "as .95,.995, got 'high'"),
        (["compare", "{out}", "--threshold", "95"], 2, "up to 1, got [95.0]"),
        (["compare", "{out}", "--frontier", "{tmp}/no"], 1, "no frontier here"),
        (
            ["compare", "{out}", "--csv", "--table", "gaps", "--table", "pairs"],
            2,
            "one --table",
        ),
        (["compare", "{out}", "--csv", "--json"], 2, "give one of them"),
        (["plot", "accuracy", "{out}", "-o", "{grid}/x.png"], 1, "cannot write"),
        (["plot", "accuracy", "{out}", "--width", "x"], 2, "as 3,16, got 'x'"),
        (["plot", "accuracy", "{out}", "--width", "9"], 2, "there are [3]"),
        (["plot", "width", "{out}"], 2, "no size has rows of two widths"),
        (["plot", "fixed", "{out}"], 2, "no pruners start from"),
        (["plot", "fidelity", "{out}"], 2, "fidelity exact and zp24"),
        (["plot", "pairs", "{out}", "--keep", "99"], 2, "there are 12, 20"),
        (["report", "{out}", "--by", "colour"], 2, "no column 'colour'"),
        (["search", "count", "--shape", "3,2"], 2, "three sizes, as 3,2,2, got '3,2'"),
        (["search", "count", "--shape", "3,0,2"], 2, "got '3,0,2'"),
        (["search", "count", "--shape", "3,2,2", "--nnz", "2..1"], 2, "is empty"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_a_message_and_a_code(args, code, said, grid, launched, tmp_path):
    words = [arg.format(tmp=tmp_path, grid=grid, out=launched[0]) for arg in args]
    ran = run(*words)
    assert ran.code == code
    assert said in ran.err
    assert not any(tmp_path.iterdir())


# ---- weight

READS = """
import sys
from spiral.cli import main

for line in sys.argv[1:]:
    try:
        main(line.split("|"))
    except SystemExit as stop:
        assert not stop.code, line
assert not {"torch", "ray", "numba"} & {*sys.modules}, line
"""


def test_planning_and_reading_never_load_torch_or_ray(grid, launched, tmp_path):
    out = launched[0]
    lines = [f"plan|{grid}", "methods", "schema", "search|count|--shape|3,2,2"]
    lines += ["search|shapes|--shape|3,16,16|--dry-run"]
    lines += [f"{command}|{out}" for command in ("status", "verify", "compare")]
    lines += [f"diagnose|robustness|{out}|--every|1000"]
    lines += [f"view|{out}|-o|{tmp_path / 'view.html'}"]
    command = [sys.executable, "-c", READS, *lines]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.returncode == 0


def test_plan_counts_a_sample(tmp_path):
    grid = tmp_path / "g.yaml"
    grid.write_text("{method: random, keep: 1..20, width: 3, seed: 0..9}")
    whole, part = run_json("plan", grid), run_json("plan", grid, "--sample", "0.1")
    assert 0 < part["configs"] < whole["configs"] / 4
    none = run("plan", grid, "--sample", "1e-9")
    assert (none.code, none.out) == (2, "")
    assert "--sample 1e-09 leaves none" in none.err


def test_the_shipped_frontier_shows_verifies_and_draws(tmp_path):
    shown = run_json("frontier", "show")
    assert shown["optima"]["0.95"] <= 16
    assert shown["optima"]["0.995"] <= 28
    assert run("frontier", "verify").out.endswith(" networks, 0 mistakes\n")
    for kind in ("frontier", "networks"):
        file = tmp_path / f"{kind}.png"
        assert run("plot", kind, "-o", file).code == 0
        assert file.stat().st_size > 5000
    wrong = run("plot", "networks", "--nnz", "10..16")
    assert wrong.code == 2
    assert "expected sizes as 10,16" in wrong.err


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (PermissionError(13, "Permission denied", "/closed"), 1, "/closed: Permission"),
        (OSError(36, "File name too long", "x" * 9999), 1, "File name too long"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_what_stops_a_command_is_a_message(raised, code, said, monkeypatch):
    def find(name):
        raise raised

    monkeypatch.setattr(cli.common, "find_grid", find)
    ran = run("plan", "quickstart")
    assert ran.code == code
    assert said in ran.err
