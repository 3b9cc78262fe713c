"""Masks and networks of other programs as rows, and in comparisons."""

import json

import numpy as np
import pytest

import spiral
from spiral.api import elsewhere
from spiral.api.network import Network
from spiral.errors import ConfigError, StoreError
from spiral.search import best_known
from spiral.tasks import cubist
from tests.cli import run, run_json
from tests.report import launches

LOCAL = ("--executor", "local", "--workers", 1)


def known(nnz, count=2):
    """Return some of the best known networks of a size."""
    table = best_known.load().query("nnz == @nnz")
    return [Network.from_entry(row) for row in table.head(count).to_dict("records")]


@pytest.fixture
def theirs(tmp_path):
    """A folder of four networks of two sizes."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    for nnz, ending in ((16, "npz"), (17, "safetensors")):
        for number, network in enumerate(known(nnz)):
            network.save(folder / f"{nnz}-{number}.{ending}")
    (folder / "notes.txt").write_text("not a network")
    return folder


@pytest.fixture
def masks(tmp_path):
    """A folder of two masks without weights."""
    folder = tmp_path / "masks"
    folder.mkdir()
    for number, network in enumerate(known(17)):
        named = {f"fc{n}.mask": kept for n, kept in enumerate(network.mask)}
        np.savez(folder / f"{number}.npz", **named)
    return folder


def test_networks_become_rows_as_they_are(theirs, tmp_path):
    out = tmp_path / "rows"
    found = run_json("network", "rows", theirs, "--out", out, *LOCAL)
    assert (found["done"], found["configs"]) == (4, 4)
    rows = spiral.load_rows(out, networks=True).sort_values(["nnz", "seed"])
    assert set(rows["method"]) == {"mask"}
    assert (rows["steps"] == 0).all()
    assert rows["nnz"].tolist() == [16, 16, 17, 17]
    for row in rows.to_dict("records"):
        same = [n for n in known(row["nnz"]) if n.matrices == row["matrices"]]
        near = [n for n in same if abs(n.accuracy() - row["accuracy"]) < 2 / 49_982]
        assert near
    assert run("verify", out).code == 0


def test_seeds_count_the_networks_of_a_size(theirs):
    configs = elsewhere.grid_of([theirs], train=False).configs
    sizes = configs["matrices"].str.count("1")
    for _, part in configs.groupby([sizes, "width"]):
        assert sorted(part["seed"]) == [*range(len(part))]
    assert set(configs["init"].str.contains("@")) == {True}


def test_masks_are_trained_from_scratch(masks, tmp_path):
    out = tmp_path / "rows"
    sets = ("--set", "seed=0..1", "--set", "epochs=1", "--set", "batch=2000")
    found = run_json("network", "rows", masks, "--train", "--out", out, *sets, *LOCAL)
    assert found["configs"] == 4
    rows = spiral.load_rows(out)
    assert set(rows["matrices"]) == {network.matrices for network in known(17)}
    assert (rows["steps"] == 49_982 // 2000).all()
    assert rows["init"].eq("default").all()


def test_a_mask_alone_is_evaluated_by_nobody(masks, tmp_path):
    ran = run("network", "rows", masks, "--out", tmp_path / "rows", *LOCAL)
    assert ran.code == 2
    assert "got a mask alone" in ran.err
    assert "--train" in ran.err
    assert not (tmp_path / "rows").exists()


def test_a_folder_of_networks_stands_beside_rows_under_its_name(theirs, tmp_path):
    out = tmp_path / "mine"
    text = "{method: gmp, width: [3, 5], keep: [16, 17], seed: 0..1}"
    launches.write(out, text)
    ran = run("compare", out, "--with", theirs, "--json")
    assert ran.code == 0, ran.err
    tables = json.loads(ran.out)
    groups = [g for g in tables["groups"] if g["method"] == "theirs"]
    assert {group["keep"] for group in groups} == {16, 17}
    assert sum(group["n"] for group in groups) == 4
    best = max(group["best"] for group in groups)
    assert best >= max(n.accuracy() for n in known(17)) - 2 / cubist.POINTS
    assert "theirs" in {line["method"] for line in tables["scores"]}
    found = spiral.compare(out, [theirs]).tables["groups"].content
    assert (found["method"] == "theirs").sum() == len(groups)


def test_a_table_has_no_others(theirs, tmp_path):
    out = tmp_path / "mine"
    launches.write(out, "{method: gmp, width: 3, keep: 16, seed: 0..1}")
    with pytest.raises(ConfigError, match="got a table"):
        spiral.compare(spiral.load_rows(out), [theirs])


def test_a_folder_without_networks_and_json_are_refused(tmp_path):
    with pytest.raises(StoreError, match=r"expected files of networks \(.npz"):
        elsewhere.grid_of([tmp_path], train=False)
    known(16)[0].save(tmp_path / "x.json")
    with pytest.raises(ConfigError, match=r"network export .*x.json -o .*x.npz"):
        elsewhere.grid_of([tmp_path], train=False)
    assert len(elsewhere.grid_of([tmp_path], train=True).configs) == 1
