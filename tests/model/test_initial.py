"""Initial parameters: drawn, or the leading block of a network in a file."""

import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from spiral import experiment
from spiral.errors import ConfigError
from spiral.model import initial, mlp
from spiral.sweep.grid import grid
from tests import oracles

NAMES = ("first_layer", "second_layer", "third_layer", "clf")


def arrays(width=4, seed=0):
    """Return the named arrays of a network."""
    random = np.random.default_rng(seed)
    found = {}
    for name, shape in zip(NAMES, oracles.shapes(width), strict=True):
        found[f"{name}.weight"] = random.normal(size=shape).astype(np.float32)
        found[f"{name}.bias"] = random.normal(size=shape[0]).astype(np.float32)
    return found


def tensors(**options):
    return {name: torch.tensor(a) for name, a in arrays(**options).items()}


def npz(path, **options):
    np.savez(path, **arrays(**options))
    return str(path)


@pytest.fixture
def file(tmp_path):
    return npz(tmp_path / "wide.npz")


def check(source, width, **options):
    """Compare what a file gives with its leading block."""
    found = initial.params(initial.stamp(source), 7, width)
    assert found.dtype == np.float32
    whole = arrays(**options)
    parts = oracles.split(found, width)
    for name, (weights, biases) in zip(NAMES, parts, strict=True):
        rows, columns = weights.shape
        expected = whole[f"{name}.weight"][:rows, :columns]
        assert np.array_equal(weights, expected)
        assert np.array_equal(biases, whole[f"{name}.bias"][:rows])


def test_by_default_they_are_drawn_from_the_seed():
    found = initial.params("default", 7, 3)
    assert np.array_equal(found, mlp.initial_params(7, 3))
    assert initial.stamp("default") == "default"


@pytest.mark.parametrize("width", [1, 3, 4])
def test_an_npz_gives_its_leading_block(width, file):
    check(file, width)


def saved(path, thing):
    torch.save(thing, path)
    return str(path)


@pytest.mark.parametrize("key", [None, "model", "state_dict"])
@pytest.mark.parametrize("width", [2, 4])
def test_a_state_dict_gives_its_leading_block(key, width, tmp_path):
    """Also as the paper's checkpoints hold it: under ``model``, beside its masks."""
    state = tensors() | {"mask_weight_param_0": torch.ones(4, 2)}
    check(saved(tmp_path / "a.pt", {key: state} if key else state), width)


def test_what_is_no_tensor_in_a_state_dict_is_passed_over(tmp_path):
    check(saved(tmp_path / "a.pt", tensors() | {"epoch": 3, "name": "x"}), 3)


def test_any_kind_of_number_will_do(tmp_path):
    state = {name: t.double() for name, t in tensors().items()}
    check(saved(tmp_path / "double.pt", state), 3)
    trained = {name: torch.nn.Parameter(t) for name, t in tensors().items()}
    check(saved(tmp_path / "trained.pt", trained), 3)


def test_what_a_file_gives_cannot_be_written(file):
    found = initial.params(initial.stamp(file), 0, 3)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


# ---- mistakes


def refusal(source, width=1):
    with pytest.raises(ConfigError) as found:
        initial.params(initial.stamp(str(source)), 0, width)
    return str(found.value)


class Bomb:
    """Runs code when it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


@pytest.mark.parametrize("kind", ["torch", "pickle", "npz"])
def test_code_in_a_file_is_refused_and_does_not_run(kind, tmp_path):
    target, path = tmp_path / "ran", tmp_path / f"bomb.{kind}"
    thing = {**tensors(), "clf.bias": Bomb(target)}
    if kind == "torch":
        torch.save(thing, path)
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(thing))
    else:
        packed = np.array([Bomb(target)], object)
        np.savez(path, **arrays() | {"clf.bias": packed})
    said = refusal(path)
    assert "expected an .npz, a .safetensors or a PyTorch state dict" in said
    assert not target.exists()
    pickle.loads(pickle.dumps(Bomb(target)))  # it would have
    assert target.exists()


def test_a_missing_file_is_named(tmp_path):
    said = refusal(tmp_path / "nowhere.npz")
    assert said.startswith(f"init {tmp_path}/nowhere.npz: cannot be read (No such")


@pytest.mark.parametrize("name", ["a.npz", "a.pt"])
@pytest.mark.parametrize("text", [b"", b"no network"])
def test_a_file_of_another_kind_is_refused(name, text, tmp_path):
    (tmp_path / name).write_bytes(text)
    said = refusal(tmp_path / name)
    assert "expected an .npz, a .safetensors or a PyTorch state dict" in said


def test_a_single_tensor_is_no_network(tmp_path):
    assert "state dict" in refusal(saved(tmp_path / "a.pt", torch.ones(3)))


def test_a_missing_layer_is_an_error_that_lists_what_there_is(tmp_path):
    whole = arrays()
    del whole["first_layer.weight"]
    np.savez(tmp_path / "a.npz", **whole, other=np.ones(1))
    said = refusal(tmp_path / "a.npz")
    assert "expected four layers" in said
    assert "got 3 among" in said
    assert "other (1,)" in said


@pytest.mark.parametrize("width", [1, 3, 16])
def test_a_narrow_network_has_the_first_units_of_the_draw_of_a_wide_one(width):
    wide = oracles.split(mlp.initial_params(7, 16), 16)
    found = oracles.split(initial.params("width-16", 7, width), width)
    for layer, ((weights, biases), (whole, all_biases)) in enumerate(
        zip(found, wide, strict=True)
    ):
        outputs = 1 if layer == 3 else width
        inputs = 2 if layer == 0 else width
        np.testing.assert_array_equal(weights, whole[:outputs, :inputs])
        np.testing.assert_array_equal(biases, all_biases[:outputs])
    assert not np.array_equal(
        initial.params("width-16", 8, width), initial.params("width-16", 7, width)
    )


def test_a_network_may_not_be_wider_than_what_it_has_the_first_units_of():
    with pytest.raises(ConfigError) as found:
        grid.loads("method: gmp\nwidth: [3, 8]\nkeep: 20\ninit: width-6", "g")
    said = str(found.value)
    assert "g:4:7: init width-6: expected initial weights of width 8 or more" in said


def test_a_layer_without_biases_begins_at_zero(tmp_path):
    whole = arrays()
    del whole["third_layer.bias"]
    np.savez(tmp_path / "a.npz", **whole)
    found = initial.params(initial.stamp(str(tmp_path / "a.npz")), 0, 4)
    biases = [each for _, each in oracles.split(found, 4)]
    assert (biases[2] == 0).all()
    assert np.array_equal(biases[1], whole["second_layer.bias"])


def test_layers_of_different_sizes_are_filled_up_with_zeros(tmp_path):
    """Up to the widest; a narrower network has the leading block of all of them."""
    random = np.random.default_rng(0)
    shapes = [(3, 2), (1, 3), (2, 1), (1, 2)]
    whole = {f"{n}.weight": random.normal(size=s) for n, s in enumerate(shapes)}
    np.savez(tmp_path / "a.npz", **whole)
    source = initial.stamp(str(tmp_path / "a.npz"))
    (first, _), (second, _), (third, _), (last, _) = oracles.split(
        initial.params(source, 0, 3), 3
    )
    expected = [np.zeros(shape) for shape in oracles.shapes(3)]
    for part, (n, shape) in zip(expected, enumerate(shapes), strict=True):
        part[: shape[0], : shape[1]] = whole[f"{n}.weight"]
    for part, wanted in zip((first, second, third, last), expected, strict=True):
        np.testing.assert_array_equal(part, wanted.astype(np.float32))
    narrow = oracles.split(initial.params(source, 0, 2), 2)
    np.testing.assert_array_equal(narrow[1][0], second[:2, :2])


def test_a_mask_alone_is_no_initial_weights(tmp_path):
    ones = {f"{n}.weight": np.ones(s) for n, s in enumerate(oracles.shapes(3))}
    np.savez(tmp_path / "a.npz", **ones)
    assert "got zeros and ones alone" in refusal(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("first_layer.weight", (4, 3)),
        ("second_layer.weight", (4, 5)),
        ("third_layer.weight", (16,)),
        ("clf.weight", (2, 4)),
        ("clf.bias", (2,)),
        ("third_layer.bias", (4, 1)),
        ("first_layer.bias", ()),
    ],
)
def test_a_wrong_shape_is_refused(name, shape, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays() | {name: np.ones(shape, np.float32)})
    said = refusal(tmp_path / "a.npz")
    assert ("expected one bias per row" if "bias" in name else "four layers") in said


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_must_be_finite(value, tmp_path):
    wrong = arrays() | {"clf.bias": np.array([value])}
    np.savez(tmp_path / "a.npz", **wrong)
    assert refusal(tmp_path / "a.npz").endswith(
        "expected finite values, got NaN or infinity"
    )


def forget():
    """Forget what was read, as another process has."""
    initial._from_file.cache_clear()
    initial.network.cache_clear()


def test_a_network_wider_than_the_file_is_refused(file):
    said = refusal(file, 5)
    assert "expected initial weights of width 5 or more, got 4" in said


def test_a_file_that_changed_is_an_error(file):
    stamped = initial.stamp(file)
    initial.params(stamped, 0, 3)
    npz(file, seed=1)
    forget()
    with pytest.raises(ConfigError, match="got a file that has changed"):
        initial.params(stamped, 0, 3)
    with pytest.raises(ConfigError, match="got a file that has changed"):
        initial.stamp(stamped)


def test_a_stamp_is_stable_and_an_at_sign_is_no_stamp(file, tmp_path):
    stamped = initial.stamp(file)
    assert initial.stamp(stamped) == stamped
    assert stamped.startswith(f"{file}@")
    strange = npz(tmp_path / "wide.npz@home.npz", seed=1)
    assert initial.stamp(strange).startswith(f"{strange}@")
    check(strange, 3, seed=1)


# ---- grids


def configs(init, more=""):
    text = f"{{method: dense, width: [2, 3], epochs: 1, init: {init}{more}}}"
    return grid.loads(text, "g").configs


def test_the_id_is_that_of_the_content_not_of_the_path(file, tmp_path):
    copy = shutil.copy(file, tmp_path / "copy.npz")
    here, there = configs(file), configs(copy)
    assert here["config_id"].tolist() == there["config_id"].tolist()
    assert here["init"].str.startswith(f"{file}@").all()
    other = configs(npz(tmp_path / "other.npz", seed=1))
    drawn = configs("default")
    both = {*here["config_id"], *other["config_id"], *drawn["config_id"]}
    assert len(both) == 6


def test_a_grid_may_have_several_files_and_drawn_weights(file, tmp_path):
    other = npz(tmp_path / "other.npz", seed=1)
    found = configs(f"[default, {file}, {other}]")
    assert found["init"].nunique() == 3
    assert len(found) == 6


def test_rows_begin_with_the_weights_of_the_file(file):
    found = configs(file, ", lr: 1e-12, weight_decay: 0")
    narrow = found[found["width"] == 2]
    (row,) = experiment.run(narrow).to_pylist()
    expected = initial.params(row["init"], 0, 2)
    assert row["weights"] == pytest.approx(expected.tolist(), abs=1e-6)
    assert row["init"] == initial.stamp(file)


def test_mistakes_are_said_with_their_place_when_the_grid_is_read(file, tmp_path):
    with pytest.raises(ConfigError) as found:
        grid.loads(f"method: dense\nwidth: [3, 8]\ninit: {file}", "g")
    assert "g:3:7: init " in str(found.value)
    assert "of width 8 or more, got 4" in str(found.value)
    with pytest.raises(ConfigError) as found:
        grid.loads(f"method: dense\ninit: {tmp_path}/nowhere.pt", "g")
    assert "g:2:7: init " in str(found.value)
    assert "cannot be read" in str(found.value)


def test_an_archive_that_unfolds_without_end_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first_layer.weight.npy", bytes(65 * 2**20))
    assert path.stat().st_size < 2**20
    assert "bytes unpacked, got 68,157,440" in refusal(path)


def test_a_view_that_stands_for_gigabytes_is_refused(tmp_path):
    state = tensors()
    state["clf.weight"] = torch.zeros(1).expand(1, 10**10)
    assert "expected arrays of at most 64 MB" in refusal(
        saved(tmp_path / "x.pt", state)
    )


@pytest.mark.parametrize("path", ["(" * 5000, "a\0b"])
def test_what_can_be_no_path_is_refused(path):
    assert "cannot be read" in refusal(path)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev"])
def test_what_is_no_plain_file_is_refused(path):
    assert "expected a regular file" in refusal(path)


@pytest.mark.parametrize("kind", [complex, bool, "U3", "M8[s]"])
def test_what_is_no_real_number_is_refused(kind, tmp_path):
    wrong = arrays() | {"clf.bias": np.zeros(1, kind)}
    np.savez(tmp_path / "x.npz", **wrong)
    assert "expected real numbers" in refusal(tmp_path / "x.npz")
