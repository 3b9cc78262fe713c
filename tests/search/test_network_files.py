"""Networks of files: read, evaluated, entered into a frontier."""

import json

import numpy as np
import pytest

from spiral.errors import StoreError
from spiral.model import mlp, stack
from spiral.search import best_known, network, network_files
from spiral.tasks import catalogue
from tests.cli import run

CUBIST = catalogue.load("cubist")


def entries_of(path):
    """Return the networks of a file as entries of a frontier."""
    return network_files.entries(network_files.read(path, CUBIST), CUBIST)


def saved(**changes):
    """Return a file as the viewer writes it: a network of 16 weights, padded."""
    table = best_known.load().query("nnz == 16 and shape == '3,2,2'")
    best = table.sort_values("accuracy").iloc[-1]
    one = {
        "name": "Best known, 16 weights",
        "made": "changed by hand",
        "config_id": best["config_id"],
        "width": 3,
        "matrices": best["matrices"],
        "params": [float(value) for value in best["params"]],
        "correct": int(best["correct"]),
    }
    return {"format": network_files.FORMAT, "schema": 1, "networks": [one | changes]}


def file(tmp_path, document):
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(document))
    return path


def test_a_network_is_read_with_its_mask_and_evaluated_anew(tmp_path):
    (one,) = network_files.read(file(tmp_path, saved(correct=None)), CUBIST)
    said = saved()["networks"][0]
    assert (one.width, int(one.mask.sum())) == (3, len(said["params"]))
    assert one.correct == said["correct"]
    np.testing.assert_array_equal(one.params[one.mask], np.float32(said["params"]))
    assert (one.params[~one.mask] == 0).all()


def test_a_weight_on_no_path_is_left_out_of_an_entry(tmp_path):
    """The viewer writes all units of a width; here one of layer 2 leads nowhere."""
    text = saved()["networks"][0]
    mask, params, width = network.unpacked(text["matrices"], np.float32(text["params"]))
    second = mlp.layers(width)[1]
    idle = second.weights.start + 2 * width
    assert not mask[idle]
    mask[idle], params[idle] = True, 5.0
    rows = [part.astype(int) for part, _ in mlp.matrices(mask, width)]
    matrices = "/".join(",".join("".join(map(str, r)) for r in part) for part in rows)
    wide = saved(matrices=matrices, params=params[mask].tolist())
    assert (
        int(network_files.read(file(tmp_path, wide), CUBIST)[0].mask.sum())
        == mask.sum()
    )
    entries = entries_of(file(tmp_path, wide))
    (entry,) = entries.to_dict("records")
    assert (entry["nnz"], entry["kind"]) == (16, "any")
    assert entry["correct"] == text["correct"]
    assert "changed by hand" in entry["found"]
    assert best_known.mistakes(entries) == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "got other JSON"),
        ({"format": "other"}, "got other JSON"),
        (saved() | {"schema": 2}, "expected schema 1"),
        (saved(correct=49_982), "expected 49982 correct points as claimed"),
        (saved(params=[1.0]), "expected 24 kept parameters"),
        (saved(params=["x"]), "could not convert"),
        (saved(params=[float("nan")] * 24), "expected finite parameters"),
        (saved(matrices="11/1"), "expected 4 matrices"),
        ({**saved(), "networks": [{}]}, "KeyError"),
    ],
)
def test_what_cannot_be_true_is_an_error_that_names_the_file(document, said, tmp_path):
    path = file(tmp_path, document)
    with pytest.raises(StoreError, match=said) as caught:
        network_files.read(path, CUBIST)
    assert str(path) in str(caught.value)


def test_what_is_no_json_is_an_error(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(StoreError, match="JSON"):
        network_files.read(tmp_path / "x.json", CUBIST)


def test_update_enters_what_is_better(tmp_path):
    own = tmp_path / "own.parquet"
    path = file(tmp_path, saved())
    ran = run("frontier", "update", path, "--file", own)
    assert ran.code == 0, ran.err
    (entry,) = best_known.load(own).to_dict("records")
    assert entry["correct"] == saved()["networks"][0]["correct"]
    assert run("frontier", "verify", "--file", own).code == 0
    assert (
        run("frontier", "update", file(tmp_path, saved(correct=1)), "--file", own).code
        == 1
    )


def best():
    """Return the best known network of 16 weights and its entry."""
    said = saved()["networks"][0]
    mask, params, width = network.unpacked(said["matrices"], np.float32(said["params"]))
    return said, stack.of_flat(stack.Flat(mask, params, width), (3, 2, 2))


def npz(path):
    """Write the network as another program would."""
    named = {}
    for number, layer in enumerate(best()[1]):
        named[f"fc{number}.weight"] = layer.weights
        named[f"fc{number}.bias"] = layer.biases
    np.savez(path, **named)
    return path


def test_a_network_of_another_program_is_read_and_evaluated(tmp_path):
    (one,) = network_files.read(npz(tmp_path / "theirs.npz"), CUBIST)
    said, whole = best()
    assert (one.name, one.correct, one.width) == ("theirs", said["correct"], 3)
    for layer, same in zip(one.stack, whole, strict=True):
        np.testing.assert_array_equal(layer.weights, same.weights)
    (entry,) = entries_of(tmp_path / "theirs.npz").to_dict("records")
    assert (entry["nnz"], entry["kind"]) == (16, "any")
    assert entry["found"] == "theirs, as it was, by import of theirs.npz"


def test_what_is_written_as_json_is_read_back(tmp_path):
    (one,) = network_files.read(npz(tmp_path / "theirs.npz"), CUBIST)
    path = tmp_path / "again.json"
    path.write_text(network_files.as_json([one]))
    (again,) = network_files.read(path, CUBIST)
    assert again[:1] + again[2:4] == one[:1] + one[2:4]
    np.testing.assert_array_equal(again.params, one.params)


def test_a_mask_alone_is_read_but_proves_nothing(tmp_path):
    path = tmp_path / "mask.npz"
    np.savez(path, **{f"fc{n}.mask": layer.kept for n, layer in enumerate(best()[1])})
    (one,) = network_files.read_any(path, CUBIST)
    assert one.correct is None
    assert one.matrices.count("1") == 16
    with pytest.raises(StoreError, match="got a mask alone"):
        network_files.read(path, CUBIST)
    ran = run("frontier", "update", path, "--file", tmp_path / "own.parquet")
    assert (ran.code, "network rows" in ran.err) == (1, True)


def test_update_takes_a_network_of_another_program(tmp_path):
    own = tmp_path / "own.parquet"
    ran = run("frontier", "update", npz(tmp_path / "theirs.npz"), "--file", own)
    assert ran.code == 0, ran.err
    assert best_known.load(own)["nnz"].tolist() == [16]
