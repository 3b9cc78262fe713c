"""The campaign of a card, as far as it goes without one."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from spiral.sweep import packs
from spiral.sweep.grid import shipped
from tests import gpu
from tests.cli import run
from tests.gpu import compare, profile

LOCAL = ("--executor", "local", "--workers", 1)
FEW = "blocks: {some: {method: block, d1: 3, d2: 3, d3: 3, seed: [1..6], epochs: 1}}"


def step(name, code, seconds=60.0):
    return gpu.Step(name, seconds, [sys.executable, "-c", code])


def test_every_step_is_run_and_its_outcome_recorded(tmp_path):
    todo = [
        step("fails", "print('a reason'); raise SystemExit(3)"),
        step("works", "print('done')"),
    ]
    lines = []
    found = gpu.run(todo, tmp_path, lines.append)
    outcomes = {name: each["outcome"] for name, each in found.items()}
    assert outcomes == {"fails": "failed", "works": "passed"}
    assert json.loads((tmp_path / "outcomes.json").read_text()) == found
    assert (tmp_path / "fails.log").read_text() == "a reason\n"
    assert [line.split()[:2] for line in lines] == [
        ["fails", "failed"],
        ["works", "passed"],
    ]


def test_a_step_without_end_is_stopped(tmp_path):
    code = "import threading; threading.Event().wait()"
    (found,) = gpu.run([step("hangs", code, 0.5)], tmp_path, str).values()
    assert found["outcome"] == "over time"


def test_all_of_it_takes_less_than_eight_minutes(tmp_path):
    todo = gpu.steps(tmp_path, tmp_path)
    assert sum(each.seconds for each in todo) < 480
    assert len({each.name for each in todo}) == len(todo)


def test_the_slice_is_300_configs_in_a_few_packs():
    grid = shipped.load(str(gpu.HERE / "slice.yaml"), ["engine=vmap:cuda"], None)
    assert len(grid.configs) == 300
    assert len(packs.pack(grid.configs).table) <= 6


def test_without_a_gpu_one_sentence_says_so():
    done = subprocess.run(
        [sys.executable, "-m", "tests.gpu"],
        capture_output=True,
        text=True,
        check=False,
        cwd=gpu.ROOT,
        env={"CUDA_VISIBLE_DEVICES": "", "PATH": "/usr/bin"},
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("no CUDA device")


def test_a_card_has_a_folder_of_its_name():
    assert gpu.folder_of("NVIDIA H100 80GB HBM3").name == "nvidia-h100-80gb-hbm3"


def rows(shift=0.0):
    accuracies = np.random.default_rng(0).uniform(0.6, 0.9, 60) + shift
    cells = {"method": ["block", "gmp"] * 30, "seed": range(60)}
    return pd.DataFrame({**cells, "accuracy": accuracies})


def test_equal_distributions_are_the_same_and_others_are_not():
    usual = rows()
    assert compare.compare(usual, usual)["same"]
    assert compare.compare(usual, rows(1e-5))["same"]
    other = compare.compare(usual, rows(0.2))
    assert not other["same"]
    assert other["groups"]["gmp"]["networks"] == 30
    assert not compare.compare(usual, usual[:50])["same"]  # some are missing
    with pytest.raises(SystemExit, match="equal configs"):
        compare.compare(usual, usual.assign(seed=-1)[:1])


@pytest.mark.slow  # trains
def test_two_launches_are_compared_row_by_row(tmp_path):
    places, grid = [str(tmp_path / name) for name in "ab"], tmp_path / "few.yaml"
    grid.write_text(FEW)
    for place, engine in zip(places, ("auto", "sparse-plain"), strict=True):
        ran = run("launch", grid, "--engine", engine, "--out", place, *LOCAL)
        assert ran.code == 0, ran.err
    target = tmp_path / "found.json"
    with pytest.raises(SystemExit) as ended:
        compare.main(*places, str(target))
    found = json.loads(target.read_text())
    assert not ended.value.code
    assert found["rows"] == found["groups"]["block"]["networks"] == 6


@pytest.mark.parametrize("in_blocks", [False, True])
def test_the_profile_names_the_operations_of_a_step(in_blocks):
    found = profile.profile("cpu", 3, 4, in_blocks)
    assert found["busy"] > 0
    assert "aten::bmm" in found["longest"]
