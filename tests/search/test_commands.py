"""``search shapes``, ``masks`` and ``recall``: launches like any other, and races."""

from itertools import pairwise
from math import ceil

import pandas as pd
import pytest

from spiral.results import read as results
from tests import VARYING
from tests.cli import run, run_json

pytestmark = pytest.mark.slow  # trains whole searches

COMMON = ("--seeds", 2, "--lr", "0.1, 0.3", "--schedule", "step", "--set", "epochs=4")
LOCAL = ("--executor", "local", "--workers", 1)
HALVES = ("--set", "batch=[1000, 1010]")
"""Two packs at each rung, of 49 steps an epoch."""
MASKS = ("--shape", "2,1,1", "--shape", "2,2,1", *COMMON, *HALVES)
RACE = (*MASKS, "--race", "--rungs", "1,2", "--share", 0.5)


def search(phase, out, *args):
    return run_json("search", phase, "--out", out, *LOCAL, *args)


def read(out):
    """Return the rows of a launch by config, without measurements."""
    table = results.read(out).drop(columns=[*VARYING])
    return table.set_index("config_id").sort_index()


@pytest.fixture(scope="module")
def census(tmp_path_factory):
    out = tmp_path_factory.mktemp("census")
    return out, search("masks", out, *MASKS)


@pytest.fixture(scope="module")
def race(tmp_path_factory):
    out = tmp_path_factory.mktemp("race")
    return out, search("masks", out, *RACE)


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """Phase 1, and the accuracy that a third of its shapes reach."""
    out = tmp_path_factory.mktemp("blocks")
    sizes = ("--shape", "3,3,2", "--set", "batch=500")
    search("shapes", out, *sizes, *COMMON)
    table = results.read(out)
    level = table.groupby(["d1", "d2", "d3"])["accuracy"].max().quantile(2 / 3)
    return (
        out,
        table,
        level,
        search("shapes", out, *sizes, *COMMON, "--threshold", level),
    )


def test_phase_1_prints_the_minimal_shapes_that_reach_the_threshold(blocks):
    _, table, level, found = blocks
    assert (found["configs"], found["trained"]) == (3 * 3 * 2 * 2 * 2, 0)
    hits = table[table["accuracy"] >= level][["d1", "d2", "d3"]]
    shapes = {*hits.itertuples(index=False, name=None)}
    least = {
        "-".join(map(str, shape))
        for shape in shapes
        if not any(
            other != shape and all(a <= b for a, b in zip(other, shape, strict=True))
            for other in shapes
        )
    }
    assert {shape["shape"] for shape in found["shapes"]} == least
    assert 0 < len(least) < len(shapes) < 18


def test_phase_2_takes_every_minimal_shape_of_phase_1(blocks):
    out, _, level, found = blocks
    args = ("--from", out, "--threshold", level, "--dry-run", *COMMON)
    plan = run_json("search", "masks", *args)
    assert {*plan["blocks"]} == {shape["shape"] for shape in found["shapes"]}


def test_a_dry_run_prints_what_plan_does_and_trains_nothing(tmp_path):
    found = run_json("search", "masks", *MASKS, "--dry-run", "--out", tmp_path / "o")
    assert found["blocks"] == {"2-1-1": 4 * 8, "2-2-1": 15 * 8}
    larger = ("--shape", "3,2,2", "--dry-run")
    found = run_json("search", "masks", *larger)
    first = run_json("search", "masks", *larger, "--race")
    assert first["configs"] == found["configs"] == 273 * 6
    ratio = first["core_seconds"] / found["core_seconds"]
    assert ratio == pytest.approx(5 / 50, abs=0.03)
    assert "2-1-1" in run("search", "masks", *MASKS, "--dry-run").out
    assert not any(tmp_path.iterdir())
    few = run_json("search", "masks", "--nnz", "5..8", "--dry-run")
    assert sum(few["blocks"].values()) == (1 + 1 + 5 + 10) * 6
    assert {*few["blocks"]} >= {"1-1-1", "1-2-1", "3-1-1"}


def test_phase_2_trains_every_network_and_counts_hits(census):
    out, found = census
    table = read(out)
    assert (found["trained"], len(table)) == (19 * 8, 19 * 8)
    assert found["exhaustive"]
    assert [shape["networks"] for shape in found["shapes"]] == [4, 15]
    again = search("masks", out, *MASKS, "--threshold", 0, "--threshold", 0.6)
    assert again["trained"] == 0
    assert [shape["hits"] for shape in again["shapes"][:2]] == [4 * 8, 15 * 8]
    assert [shape["weights"] for shape in again["shapes"][:2]] == [6, 7]
    hits = [shape["hits"] for shape in again["shapes"][2:]]
    assert sum(hits) == (table["accuracy"] >= 0.6).sum()
    for shape in again["shapes"]:
        if shape["config_id"]:
            row = table.loc[shape["config_id"]]
            assert (row["nnz"], row["accuracy"]) == (
                shape["weights"],
                shape["accuracy"],
            )


def test_a_race_trains_the_lowest_losses_on(race, census):
    out, found = race
    assert not found["exhaustive"]
    assert [rung["trained"] for rung in found["rungs"]] == [152, 76, 38]
    rungs = [read(out / f"rung-{n}") for n in (1, 2, 3)]
    assert [set(rung["steps"]) for rung in rungs] == [{49}, {98}, {196}]
    names = ["matrices", "lr", "seed", "batch"]
    for before, after in pairwise(rungs):
        best = before.reset_index().sort_values(["loss", "config_id"])
        expected = best[: ceil(0.5 * len(before))].set_index(names).index
        assert set(after.set_index(names).index) == set(expected)
    whole = read(census[0]).loc[rungs[2].index]
    pd.testing.assert_frame_equal(rungs[2], whole)


def test_a_race_stopped_again_and_again_ends_with_the_same_rows(race, tmp_path):
    """Each time a launch ends after one pack, which is half a rung."""
    trained = []
    for _ in range(4):
        found = search("masks", tmp_path, *RACE, "--limit", 1)
        trained.append([rung["trained"] > 0 for rung in found["rungs"]])
        assert found["shapes"] == [] or len(found["rungs"]) == 3
    assert trained == [[True], [True, True], [False, True, True], [False, False, True]]
    for rung in ("rung-1", "rung-2", "rung-3"):
        pd.testing.assert_frame_equal(read(tmp_path / rung), read(race[0] / rung))


def test_recall_compares_a_race_with_a_census(race, census):
    table = read(census[0])
    found = run_json("search", "recall", race[0], census[0], "--level", 0.5)
    assert (found["compared"], found["of"]) == (152, 152)
    steps = 152 * 4 / (152 * 1 + 76 * 2 + 38 * 4)
    assert found["faster"]["steps"] == pytest.approx(steps)
    ended = read(race[0] / "rung-3").index
    best, low = found["hits"]
    assert best["level"] == table["accuracy"].quantile(0.999)
    for hit in (best, low):
        hits = table[table["accuracy"] >= hit["level"]]
        assert hit["hits"] == len(hits) > 0
        assert hit["found"] == hits.index.isin(ended).sum()
        assert hit["low"] < hit["recall"] < hit["high"] or hit["recall"] in (0, 1)
    assert "of the training steps" in run("search", "recall", race[0], census[0]).out


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["masks", "--out", "{tmp}/o"], 2, "--shape"),
        (["masks", "--nnz", "5..17", "--out", "{tmp}/o"], 2, "at most 16"),
        (["masks", "--shape", "2,1,1"], 2, "--out"),
        (["masks", "--shape", "2,1", "--out", "{tmp}/o"], 2, "got '2,1'"),
        (["masks", "--shape", "2,1,1", "--nnz", "9", "--out", "{tmp}/o"], 2, "--nnz 9"),
        (["masks", "--shape", "2,1,1", "--rungs", "5,5"], 2, "got '5,5'"),
        (["masks", "--shape", "2,1,1", "--rungs", "0,5"], 2, "got '0,5'"),
        (["masks", "--shape", "2,1,1", "--rungs", "a"], 2, "got 'a'"),
        (["masks", "--shape", "2,1,1", "--lr", "x", "--out", "{tmp}/o"], 2, "'x'"),
        (
            ["masks", "--shape", "2,1,1", "--halving", "--out", "{census}"],
            2,
            "plain launch",
        ),
        (
            ["masks", *RACE, "--rungs", "1,4", "--out", "{tmp}/o"],
            2,
            "epochs of a training, got 4",
        ),
        (["masks", "--from", "{census}", "--out", "{tmp}/o"], 2, "search shapes"),
        (
            ["masks", "--from", "{tmp}", "--out", "{tmp}/o"],
            1,
            "expected a results directory",
        ),
        (
            ["masks", "--from", "{blocks}", "--threshold", "1", "--dry-run"],
            2,
            "reached accuracy 1",
        ),
        (
            ["shapes", "--shape", "17,1,1", "--dry-run"],
            2,
            "expected at most 16 units, got 17",
        ),
        (
            ["recall", "{census}", "{race}/rung-3"],
            1,
            "rung-1: expected a results directory",
        ),
        (["recall", "{race}", "{blocks}"], 2, "got none of them"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_a_mistake_is_a_message_and_a_code(
    args, code, said, census, race, blocks, tmp_path
):
    places = {
        "tmp": tmp_path,
        "census": census[0],
        "race": race[0],
        "blocks": blocks[0],
    }
    ran = run("search", *[str(arg).format(**places) for arg in args])
    assert ran.code == code
    assert said in ran.err
    assert not any(tmp_path.iterdir())


def test_a_phase_1_that_is_not_finished_is_no_source(tmp_path):
    halves = ("--shape", "1,1,1", *COMMON, *HALVES, "--limit", 1)
    found = search("shapes", tmp_path, *halves)
    assert (found["done"], found["configs"]) == (4, 8)
    ran = run("search", "masks", "--from", tmp_path, "--dry-run")
    assert ran.code == 2
    assert "4 of 8 configs" in ran.err
