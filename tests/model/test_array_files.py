"""Named arrays of files: kinds, limits, and the way out of a pickle."""

import pickle

import numpy as np
import pytest
import torch
from safetensors import numpy as safetensors
from safetensors.torch import save_file

from spiral.model import array_files


def arrays():
    return {"b": np.ones((2, 3), np.float32), "a": np.arange(3, dtype=np.float64)}


def write(path):
    """Write the arrays to a file of the kind that its name says."""
    if path.suffix == ".npz":
        np.savez(path, **arrays())
    elif path.suffix == ".safetensors":
        safetensors.save_file(arrays(), path)
    else:
        torch.save(
            {name: torch.tensor(array) for name, array in arrays().items()}, path
        )


@pytest.mark.parametrize("name", ["x.npz", "x.safetensors", "x.pt", "x.pth", "x"])
def test_arrays_come_back_with_their_names(name, tmp_path):
    write(tmp_path / name)
    found = array_files.read(tmp_path / name)
    assert found.named.keys() == arrays().keys()
    for key, array in arrays().items():
        np.testing.assert_array_equal(found.named[key], array)
    assert found.ordered == (name != "x.safetensors")
    assert not found.ordered or [*found.named] == ["b", "a"]


@pytest.mark.parametrize("name", ["x.safetensors", "x.pt"])
def test_numbers_that_numpy_lacks_are_numbers(name, tmp_path):
    half = {"a": torch.tensor([1.5, -2.0], dtype=torch.bfloat16)}
    save = torch.save if name == "x.pt" else save_file
    save(half, tmp_path / name)
    found = array_files.read(tmp_path / name).named["a"]
    np.testing.assert_array_equal(found, np.float32([1.5, -2.0]))
    assert found.dtype.kind == "f"


def test_a_pickle_is_refused_with_the_ways_to_save_weights(tmp_path):
    path = tmp_path / "model.pt"
    torch.save(torch.nn.Linear(2, 1), path)
    with pytest.raises(ValueError, match=r"whole objects \(torch.nn") as caught:
        array_files.read(path)
    assert "torch.save(model.state_dict(), path)" in str(caught.value)
    assert "safetensors.torch.save_file" in str(caught.value)
    path.write_bytes(pickle.dumps({"a": [1]}))
    with pytest.raises(ValueError, match="got a pickle"):
        array_files.read(path)


@pytest.mark.parametrize("text", [b"", b"x" * 99, bytes(99)])
def test_a_damaged_safetensors_file_is_refused(text, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(text)
    with pytest.raises(ValueError, match=r"expected an .npz, a .safetensors"):
        array_files.read(tmp_path / "x.safetensors")


def test_a_file_larger_than_any_network_is_refused_unread(tmp_path):
    with (tmp_path / "x.safetensors").open("wb") as file:
        file.truncate(array_files.MAX_BYTES + 1)
    with pytest.raises(ValueError, match="at most 64 MB"):
        array_files.read(tmp_path / "x.safetensors")
