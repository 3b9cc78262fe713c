"""``network import`` and ``network export``."""

import json

import numpy as np
import pytest

from spiral.api.network import Network
from spiral.search import best_known
from tests.cli import run, run_json


def best(nnz):
    table = best_known.load().query("nnz == @nnz").sort_values("accuracy")
    return Network.from_entry(table.iloc[-1])


def test_a_network_is_evaluated_and_enters_a_frontier(tmp_path):
    best(16).save(tmp_path / "theirs.safetensors")
    own = tmp_path / "own.parquet"
    ran = run("network", "import", tmp_path / "theirs.safetensors", "--file", own)
    assert ran.code == 0, ran.err
    assert "theirs: 5-1-3, 16 weights (16 on a path), accuracy 0.9937" in ran.out
    (entry,) = best_known.load(own).to_dict("records")
    assert (entry["nnz"], entry["kind"]) == (16, "any")
    assert run("frontier", "verify", "--file", own).code == 0


def test_several_are_printed_as_json_and_the_best_are_kept(tmp_path):
    for nnz in (14, 16):
        best(nnz).save(tmp_path / f"{nnz}.npz")
    files = [tmp_path / "14.npz", tmp_path / "16.npz"]
    own = tmp_path / "own.parquet"
    found = run_json("network", "import", *files, "--file", own)
    assert [each["nnz"] for each in found["networks"]] == [14, 16]
    assert found["networks"][0]["accuracy"] == best(14).accuracy()
    assert set(best_known.load(own)["nnz"]) == {14, 16}


def test_a_pickle_is_refused_with_the_way_out(tmp_path):
    import torch

    torch.save(best(14).to_torch(), tmp_path / "whole.pt")
    ran = run("network", "import", tmp_path / "whole.pt")
    assert ran.code == 1
    assert "torch.save(model.state_dict(), path)" in ran.err
    assert "safetensors" in ran.err


@pytest.mark.parametrize(
    "name", ["x.onnx", "x.pt", "x.safetensors", "x.npz", "x.json", "x.svg"]
)
def test_a_row_is_exported(name, launched, tmp_path):
    ran = run("network", "export", launched[0], "gmp@20", "-o", tmp_path / name)
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"{tmp_path / name}: 20 weights, accuracy 0.")
    assert (tmp_path / name).stat().st_size > 500


def test_a_leader_of_the_frontier_is_exported_and_converted(tmp_path):
    file = tmp_path / "x.json"
    assert run("network", "export", "frontier", 17, "-o", file).code == 0
    assert json.loads(file.read_text())["networks"][0]["correct"] == 49_982
    other = tmp_path / "x.npz"
    ran = run("network", "export", file, "-o", other, "--reduced")
    assert ran.code == 0, ran.err
    assert Network.from_file(other).accuracy() == 1.0


def test_reduced_drops_what_has_no_effect(launched, tmp_path):
    wide = [2 * np.eye(3, 2), np.eye(3), np.eye(3), np.eye(1, 3)]
    path = tmp_path / "x.npz"
    np.savez(path, **{f"{n}.weight": w for n, w in enumerate(wide)})
    for more, shape in (((), (3, 3, 3)), (("--reduced",), (1, 1, 1))):
        out = tmp_path / "y.npz"
        assert run("network", "export", path, "-o", out, *more).code == 0
        assert Network.from_file(out).shape == shape


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("frontier", 3, "-o", "x.npz"), "expected a size of the frontier"),
        (("{out}", "-o", "x.npz"), "expected the ID of a network"),
        (("{out}", "gmp@20", "-o", "x.h5"), "expected a name ending in .onnx"),
        (("{out}", "nobody", "-o", "x.npz"), "0 rows"),
    ],
)
def test_what_cannot_be_exported_is_an_error(words, said, launched):
    ran = run("network", "export", *(str(w).format(out=launched[0]) for w in words))
    assert ran.code == 2
    assert said in ran.err
