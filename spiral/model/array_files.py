"""Read named arrays from files of other programs, without executing code in them.

An ``.npz`` archive, a safetensors file, or a state dict that ``torch.save`` wrote.
Whole models (pickles of objects) are refused: to load one is to run its code.
"""

import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spiral import formats

WRAPPERS = ("model", "state_dict")
"""Keys under which checkpoints store a state dict (``model`` in the paper's code)."""

SAVE_STATE = "save the weights alone with torch.save(model.state_dict(), path)"
SAVE_ARRAYS = "save arrays with numpy.savez(path, **{name: array})"
WANTED = "expected an .npz, a .safetensors or a PyTorch state dict of named arrays"

MAX_BYTES = 64 * 2**20
"""Limit for a file and for its unpacked size; the widest network has half a
megabyte."""


class Arrays(NamedTuple):
    """The named arrays of a file."""

    named: Mapping[str, np.ndarray]
    ordered: bool
    """Whether they are in the order in which their network has them: safetensors sorts
    by name."""


def read(path: Path) -> Arrays:
    """Return the named arrays of a file.

    Raises:
        ValueError: It is not such a file, or larger than any network.
        OSError: It cannot be read.
    """
    _check_size(path)
    load = READERS.get(path.suffix.lower(), _state_dict)
    try:
        named = load(path)
    except OSError:
        raise
    except Exception:  # libraries' errors name their internals, not the file
        raise ValueError(f"{WANTED}, got {_got(path)}") from None
    large = [name for name, array in named.items() if array.nbytes > MAX_BYTES]
    if large:
        raise ValueError(
            f"expected arrays of at most {MAX_BYTES >> 20} MB, got a larger one in "
            f"{large[0]}"
        )
    return Arrays(named, path.suffix.lower() != ".safetensors")


def _check_size(path: Path) -> None:
    """Raise ValueError if a file is or unpacks to more than any network needs."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(
            f"expected at most {MAX_BYTES >> 20} MB, got a larger file; save the "
            "weights of the network alone"
        )
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile:
        return  # reading it raises the proper error
    if size > MAX_BYTES:
        raise ValueError(f"expected at most {MAX_BYTES:,} bytes unpacked, got {size:,}")


def _npz(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz`` archive."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors of a safetensors file."""
    from safetensors import torch as safetensors  # NumPy lacks bfloat16

    tensors = safetensors.load(path.read_bytes())
    return {name: as_array(tensor) for name, tensor in tensors.items()}


def _state_dict(path: Path) -> dict[str, np.ndarray]:
    """Return the named tensors of a state dict."""
    import torch  # slow to import, and only needed for state dicts

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about files that are rejected anyway
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    wrapped = [loaded[key] for key in WRAPPERS if key in loaded]
    state = wrapped[0] if wrapped else loaded
    return {
        name: as_array(value)
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
    }


def as_array(value: Any) -> np.ndarray:
    """Return an array, a list or a tensor of any library as an array."""
    if not hasattr(value, "numpy"):
        return np.asarray(value)
    try:
        return np.asarray(value.numpy(force=True))
    except TypeError:  # bfloat16, which NumPy lacks
        return np.asarray(value.float().numpy(force=True))


READERS: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
    ".npz": _npz,
    ".safetensors": _safetensors,
}
"""Suffix → its reader; every other file is read as a state dict."""


def _got(path: Path) -> str:
    """Describe a file that has no named arrays, and how to save one."""
    kind = formats.kind(path)
    if kind == "an .npz archive" and path.suffix.lower() != ".npz":
        return f"{kind}; give it a name that ends in .npz"
    if kind == "an .npz archive":
        return f"{kind} of pickled objects; {SAVE_ARRAYS}"
    if kind not in ("a PyTorch file", "a pickle"):
        return f"{kind}; {SAVE_STATE}, or {SAVE_ARRAYS}"
    classes = formats.pickled(path)
    if not classes:
        return f"{kind} without named tensors; {SAVE_STATE}, or {SAVE_ARRAYS}"
    return (
        f"{kind} of whole objects ({', '.join(classes[:3])}), which cannot be read "
        f"without executing their code; load it where it was made and {SAVE_STATE} or "
        "safetensors.torch.save_file(model.state_dict(), path)"
    )
