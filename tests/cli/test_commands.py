"""The command line: what it promises to scripts."""

import io
import json
import subprocess
import sys

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml

from spiral import cli
from spiral.methods.registry import METHODS
from spiral.search import best_known
from spiral.search.certify import record
from spiral.search.network import Network
from spiral.tasks import catalogue
from tests.cli import run, run_json
from tests.cli.conftest import GRID

CUBIST = catalogue.load("cubist")


def test_plan_counts(grid):
    found = run_json("plan", grid)
    assert found["grid"] == "tiny"
    assert found["blocks"] == {"gmp": 4, "again": 2, "dense": 4}
    assert (found["configs"], found["duplicates"], found["packs"]) == (9, 1, 2)
    assert "configs     9 (1 duplicates dropped)" in run("plan", grid).out


def test_plan_of_several_grids_adds_them_up(grid, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("{method: dense, seed: 0..6}")
    found = run_json("plan", grid, other)
    assert (found["configs"], found["duplicates"], found["packs"]) == (16, 1, 3)
    assert found["blocks"]["tiny/gmp"] == 4
    assert [g["configs"] for g in found["grids"]] == [9, 7]
    twice = run_json("plan", grid, other, grid)
    assert (twice["configs"], twice["duplicates"], twice["packs"]) == (16, 11, 3)


def test_plan_counts_a_grid_that_is_named_twice_once(grid):
    long = ("--set", "epochs=50", "--set", "batch=128", "--set", "width=16")
    once, twice = run_json("plan", grid, *long), run_json("plan", grid, grid, *long)
    for key in ("configs", "packs", "bytes", "core_seconds"):
        assert twice[key] == once[key] > 0
    assert sum(twice["blocks"].values()) == twice["configs"] + twice["duplicates"]
    assert twice["block_core_seconds"] == {
        f"tiny/{name}": seconds for name, seconds in once["block_core_seconds"].items()
    }


def test_plan_counts_what_two_grids_share_once(grid, tmp_path):
    more = tmp_path / "more.yaml"
    more.write_text(GRID.replace("0..3", "0..5").replace("tiny", "more"))
    found = run_json("plan", grid, more)
    assert found["configs"] == run_json("plan", more)["configs"] == 13
    assert [part["configs"] for part in found["grids"]] == [9, 4]
    assert found["core_seconds"] == sum(p["core_seconds"] for p in found["grids"])


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


def test_fresh_seeds_are_set_planned_launched_resumed_and_compared(grid, tmp_path):
    out = tmp_path / "fresh"
    fresh = ("--set", "seed=fresh", "--set", "replicate=0..1")
    planned = run_json("plan", grid, *fresh)
    assert (planned["configs"], planned["duplicates"]) == (6, 2)
    launch = ("launch", grid, "--out", out, "--executor", "local", "--workers", 1)
    assert run_json(*launch, "--set", "seed=fresh")["trained"] == 3
    assert run_json(*launch, *fresh)["trained"] == 3
    assert run_json("status", out)["configs"] == run_json("status", out)["done"] == 6
    rows = pd.read_parquet(out)
    assert (
        rows.groupby(["method", "keep"], dropna=False)["replicate"]
        .nunique()
        .eq(2)
        .all()
    )
    assert rows["seed"].is_unique
    assert run("compare", out).code == 0
    again = run(*launch, "--set", "seed=0..3")
    assert again.code == 2


def test_compare_prints_tables_csv_or_json(launched):
    out = launched[0]
    found = run_json("compare", out, "--by", "method")
    groups = [(g["method"], g["keep"], g["rows"]) for g in found["groups"]]
    assert groups == [("dense", None, 4), ("gmp", 12, 4), ("gmp", 20, 1)]
    assert [g["threshold"] for g in found["excess"]] == [0.95, 0.95, 0.995, 0.995]
    assert [p["n"] for p in found["pairwise"]] == [4, 4, 1]
    csv = pd.read_csv(io.StringIO(run("compare", out, "--csv").out))
    assert csv["rows"].tolist() == [4, 4, 1]
    pairs = run("compare", out, "--csv", "--table", "pairwise").out
    assert len(pd.read_csv(io.StringIO(pairs))) == 3
    text = run("compare", out).out
    assert "excess: " in text
    assert "groups: " in text
    assert "pairwise: " not in text


def test_long_tables_are_left_out_unless_they_are_asked_for(launched, monkeypatch):
    out = launched[0]
    lines = len(run_json("compare", out)["groups"])
    monkeypatch.setattr("spiral.cli.compare.LONG", lines - 1)
    short = run("compare", out).out
    assert "scores: " in short
    assert "groups: " not in short
    said = " ".join(short.split())
    assert f"groups has {lines} lines, which are left out; `--table groups`" in said
    assert "groups: " in run("compare", out, "--table", "groups").out
    monkeypatch.setattr("spiral.cli.compare.LONG", lines)
    assert "groups: " in run("compare", out).out


def test_compare_takes_thresholds_seeds_apart_and_several_folders(launched):
    out = launched[0]
    found = run_json("compare", out, out, "--threshold", ".6,0.9,.60", "--seed-split")
    assert {g["threshold"] for g in found["excess"]} == {0.6, 0.9}
    assert len(found["excess"]) == 2 * 2  # of two methods
    assert [g["rows"] for g in found["groups"]] == [4, 4, 1]
    assert [g["n"] for g in found["groups"]] == [2, 2, 0]
    assert any("9 rows are in several folders" in note for note in found["notes"])


def test_compare_measures_distances_to_a_frontier(launched, tmp_path):
    out, file = launched[0], tmp_path / "f.parquet"
    network = Network((2, 2, 1), "10,01/11,10/11/1", np.zeros(14, np.float32))
    known = best_known.entry(network, "any", "made up", "made up", CUBIST) | {
        "accuracy": 0.96
    }
    best_known.save(pd.DataFrame([known]), file)
    options = ["--frontier", file, "--threshold", "0.95"]
    found = run_json("compare", out, *options)
    assert [line["best_known"] for line in found["excess"]] == [8, 8]
    dense, gmp = found["distances"]
    assert (dense["hamming"], dense["n"]) == (27 - 8, 4)
    assert (gmp["weights"], gmp["exact"]) == (12, 1)
    assert gmp["hamming"] >= 12 - 8
    assert run_json("compare", out, *options, "--distances", 0)["distances"] == []
    ran = run("compare", out, *options, "--table", "distances", "--distances", 1)
    assert "hamming" in ran.out
    assert ran.out.count("distances:") == 1


def test_diagnose_measures_robustness(launched, tmp_path):
    out, figure = launched[0], tmp_path / "r.svg"
    options = (out, "--every", 500, "--each", 2, "-o", figure)
    found = run_json("diagnose", "robustness", *options)
    counts = {line["method"]: line["n"] for line in found["groups"]}
    assert {"dense": 2, "gmp": 2} | counts == counts  # 20 weights: one network
    assert len(found["corruptions"]) == 8
    assert figure.stat().st_size > 5000
    text = run("diagnose", "robustness", *options[:5], "--keep", "12").out
    assert "mean_corruption" in text
    assert "one point in 500" in " ".join(text.split())
    assert "like 3,16, got" in run("diagnose", "robustness", out, "--keep", "a").err
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
    assert (wrong.code, "got 'heat'" in wrong.err) == (2, True)


def test_methods_lists_every_method():
    listed = run_json("methods")["methods"]
    assert listed.keys() == METHODS.keys()
    assert "interval" in listed["gmp"]["options"]
    shown = run("methods").out
    assert all(name in shown for name in METHODS)


def test_methods_says_where_a_default_comes_from_and_what_it_was():
    why = "ours, tuned on seeds 1000-1019 at width 16"
    text = run("methods", "sfw").out
    assert f"; default 0.02 ({why}; 0.3 in earlier versions)\n" in text
    share = run_json("methods", "sfw")["methods"]["sfw"]["options"]["ball_share"]
    assert (share["default"], share["first_default"]) == (0.02, 0.3)
    assert share["origin"] == why
    assert share["legal"] == {"type": "number", "exclusiveMinimum": 0, "maximum": 1}


def test_search_counts_masks():
    found = run_json("search", "count", "--shape", "3,2,2")
    by_nnz = [4, 23, 54, 75, 63, 35, 14, 4, 1]
    assert (found["labelled"], found["canonical"]) == (4375, 273)
    assert found["by_nnz"] == {str(10 + i): n for i, n in enumerate(by_nnz)}
    few = run("search", "count", "--shape", "3,2,2", "--nnz", "10..11").out
    assert few.split() == ["labelled", "504", "canonical", "27", "10", "4", "11", "23"]


def test_methods_says_how_a_method_departs_from_its_source():
    assert "Departures: biases are not scored" in run("methods", "snip").out
    assert "Departures" not in run("methods").out
    assert "Departures" in run_json("methods", "snip")["methods"]["snip"]["notes"]


def test_methods_says_more_of_one_and_what_presets_set():
    ran = run("methods", "snip", "synflow")
    lines = [line for line in ran.out.splitlines() if line]
    assert [line.split()[0] for line in lines if line[0] != " "] == [
        "snip",
        "synflow",
    ]
    assert "  unit=weight, when=before, schedule=once, criterion=|w·g|, " in ran.out
    assert "reinit: " in ran.out
    assert "; default none, xavier under fidelity=zp24\n" in ran.out
    assert "; default 100 (Tanaka et al. 2020: authors' code)\n" in ran.out
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
        ("units=neuron", "did you mean 'unit'?"),
        ("unit=neurons", "did you mean 'neuron'?"),
        ("unit=layer", "choose from neuron, weight"),
    ):
        ran = run("compare", launched[0], "--where", wrong)
        assert ran.code == 2
        assert known in ran.err
    assert "expected AXIS=VALUE" in run("methods", "--where", "neuron").err


def test_methods_keeps_the_order_asked_and_shows_what_is_legal():
    ran = run("methods", "rigl", "dense", "gmp", "rigl")
    lines = [line for line in ran.out.splitlines() if line]
    names = [line.split()[0] for line in lines if line[0] != " "]
    assert names == ["rigl", "dense", "gmp"]
    assert list(run_json("methods", "lth", "gmp")["methods"]) == ["lth", "gmp"]
    assert "; gradient or random; default gradient\n" in ran.out
    assert "; number > 0 and ≤ 1; default 0.75 (ours), 1.0 under" in ran.out
    assert "; integer ≥ 1 or None; default None, 199 under" in ran.out
    options = run_json("methods", "gmp")["methods"]["gmp"]["options"]
    assert options["scope"]["legal"]["enum"] == ["global", "layer"]
    assert options["interval"]["legal"] == {"type": "integer", "minimum": 1}
    assert [options[name]["type"] for name in ("end", "interval")] == ["float", "int"]


def test_an_unknown_method_lists_those_there_are():
    ran = run("methods", "snip", "zzz")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: unknown method 'zzz'; choose from dense, ")
    every = run("methods", "sf", "snip", "mag").err.splitlines()
    assert [line.split("'")[-2] for line in every] == ["synflow", "magnitude"]


def test_schema_accepts_the_grid_and_rejects_a_typo():
    schema, grid = json.loads(run("schema").out), yaml.safe_load(GRID)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(grid)
    grid["blocks"]["gmp"]["keeep"] = 3
    assert not validator.is_valid(grid)


@pytest.mark.parametrize(
    "command", [["--help"], *([c, "-h"] for c in cli.main.commands)]
)
def test_every_command_helps(command):
    assert "Usage: spiral-sweep" in run(*command).out


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
    lines = [
        f"plan|{grid}",
        "methods",
        "columns",
        "tasks",
        "schema",
        "search|count|--shape|3,2,2",
    ]
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
    assert "--sample 1e-09 selects no config" in none.err


def test_the_frontier_shows_both_kinds_the_curve_and_what_is_proven():
    table = best_known.load()
    narrow = run_json("frontier", "show", "--width", "3")
    assert narrow["width"] == 3
    assert {max(n["shape"].split(",")) for n in narrow["networks"]} <= {"1", "2", "3"}
    fitting = best_known.within(table, 3)
    level = best_known.THRESHOLDS[0]
    for name, kind in (("best_known", "any"), ("best_known_protocol", "protocol")):
        assert narrow[name][str(level)] == best_known.fewest(fitting, level, kind)
    leaders = best_known.leaders(fitting)
    lengths = [n["arc_accuracy"] for n in narrow["networks"]]
    assert lengths == pytest.approx(leaders["arc_accuracy"].tolist())
    assert narrow["proven"][str(level)] == record.at_least(level)
    text = run("frontier", "show").out
    fewest, trained = (best_known.fewest(table, level, k) for k in ("any", "protocol"))
    sizes = f"{fewest} (trained as in the paper: {trained})"
    assert f"best known for accuracy {level}: {sizes}" in text
    assert f"proven: {record.at_least(level)} weights or more" in text
    assert "arc_accuracy" in text


def test_the_frontier_of_another_task_has_no_proof():
    assert not any(run_json("frontier", "show", "--task", "moons")["proven"].values())
    assert "no lower bound" in run("frontier", "show", "--task", "moons").out
    assert "no lower bound" not in run("frontier", "show").out


def test_the_shipped_frontier_shows_verifies_and_draws(tmp_path):
    shown = run_json("frontier", "show")
    assert shown["best_known"]["0.95"] <= 16
    assert shown["best_known"]["0.995"] <= 28
    assert run("frontier", "verify").out.endswith(" networks, 0 mistakes\n")
    for kind in ("frontier", "networks"):
        file = tmp_path / f"{kind}.png"
        assert run("plot", kind, "-o", file).code == 0
        assert file.stat().st_size > 5000
    wrong = run("plot", "networks", "--nnz", "10..16")
    assert wrong.code == 2
    assert "expected whole numbers" in wrong.err
