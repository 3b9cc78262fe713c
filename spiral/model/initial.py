"""Initial parameters: drawn from a seed or read from a file.

Reading a grid turns a file name into ``path@digest``, so that a config always means the
same numbers: a file that has changed is an error instead of a different result.
"""

import hashlib
import warnings
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from spiral import extras, formats
from spiral.errors import ConfigError
from spiral.model import mlp

DEFAULT = "default"
LAYERS = ("first_layer", "second_layer", "third_layer", "clf")
"""Names of the layers in the published implementation of Zhang & Papyan (2024)."""

WRAPPERS = ("model", "state_dict")
"""Keys under which checkpoints store a state dict (``model`` in the paper's code)."""

SAVE_STATE = "save the weights alone with torch.save(model.state_dict(), path)"
SAVE_ARRAYS = "save arrays with numpy.savez(path, **{name: array})"

DIGITS = 16
MAX_BYTES = 64 * 2**20
"""Limit for a file and for its unpacked size; the widest network has half a
megabyte."""


def params(source: str, seed: int, width: int) -> Float32[np.ndarray, " P"]:
    """Return the initial parameters of one network.

    Args:
        source: ``default``, or a stamped file name (see :func:`stamp`).
        seed: Seed of the default initialisation; unused with a file.
        width: Hidden width w.

    Raises:
        ConfigError: The file is missing, has changed, or is not such a network.
    """
    if source == DEFAULT:
        return mlp.initial_params(seed, width)
    return _from_file(source, width)


def stamp(path: str) -> str:
    """Return a file's absolute path with the digest of its contents.

    Raises:
        ConfigError: It cannot be read as a network, or its digest differs from the
            given one.
    """
    if path == DEFAULT:
        return path
    given = not _is_file(path) and _is_file(path.rpartition("@")[0])
    digest = "" if given else _digest(path)
    stamped = path if given else f"{Path(path).resolve()}@{digest}"
    _from_file(stamped, 1)
    return stamped


def width_of(source: str) -> int:
    """Return the hidden width of the network in a stamped file."""
    return len(_layers(source)[0][1])


@lru_cache(maxsize=64)
def _from_file(source: str, width: int) -> Float32[np.ndarray, " P"]:
    """Return the leading block of the network in a file."""
    found = np.empty(mlp.param_count(width), np.float32)
    if width > width_of(source):
        raise ConfigError(
            f"init {source}: expected initial weights of width {width} or more, got "
            f"{width_of(source)}; train a narrower network or give a wider file"
        )
    for layer, (weights, biases) in zip(
        mlp.layers(width), _layers(source), strict=True
    ):
        found[layer.weights] = weights[: layer.outputs, : layer.inputs].ravel()
        found[layer.biases] = biases[: layer.outputs]
    found.flags.writeable = False
    return found


@lru_cache(maxsize=8)
def _layers(source: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weights [out, in] and biases [out] of the layers in a file."""
    path, _, digest = source.rpartition("@")
    if _digest(path) != digest:
        raise ConfigError(
            f"init {path}: expected the file with digest {digest}, got a file that has "
            "changed since; restore it, or launch the grid into another folder"
        )
    arrays = _read(path)
    names = [f"{layer}.{part}" for layer in LAYERS for part in ("weight", "bias")]
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ConfigError(
            f"init {path}: expected arrays {', '.join(names)}; "
            f"missing {', '.join(missing)}, found {', '.join(sorted(arrays)[:12])}"
        )
    large = [name for name in names if arrays[name].nbytes > MAX_BYTES]
    if large:
        raise ConfigError(
            f"init {path}: expected arrays of at most {MAX_BYTES >> 20} MB, got a "
            f"larger one in {large[0]}"
        )
    with np.errstate(over="ignore"):  # checked below
        flat = [_real(path, name, arrays[name]) for name in names]
    layers = list(zip(flat[::2], flat[1::2], strict=True))
    _check_shapes(path, layers)
    return layers


def _real(path: str, name: str, array: np.ndarray) -> Float32[np.ndarray, "..."]:
    """Return an array of real numbers as float32."""
    if array.dtype.kind not in "fiu":
        raise ConfigError(
            f"init {path}: expected real numbers in {name}, got {array.dtype}"
        )
    return np.asarray(array, np.float32)


def _check_shapes(path: str, layers: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Raise ConfigError unless the layers are a finite network 2→w→w→w→1."""
    width = layers[0][1].size
    wanted = [(layer.outputs, layer.inputs) for layer in mlp.layers(max(width, 1))]
    found = [weights.shape for weights, _ in layers]
    biases = [b.shape for _, b in layers] == [(outputs,) for outputs, _ in wanted]
    if found != wanted or not biases:
        raise ConfigError(
            f"init {path}: expected weights {wanted} for {width} hidden units and one "
            f"bias per row, got {found}"
        )
    if not all(np.isfinite(array).all() for layer in layers for array in layer):
        raise ConfigError(f"init {path}: expected finite values, got NaN or infinity")


def _digest(path: str) -> str:
    """Return the first digits of the SHA-256 of a file."""
    try:
        if not _is_file(path) and Path(path).exists():
            raise ConfigError(f"init {path}: expected a regular file")
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(
                f"init {path}: expected at most {MAX_BYTES >> 20} MB, got a larger file"
            )
        return hashlib.sha256(data).hexdigest()[:DIGITS]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"init {path[:200]}: cannot be read ({reason})") from error


def _is_file(path: str) -> bool:
    """Return whether a path is a regular file; False for impossible paths."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # too long, or contains a zero byte
        return False


def _check_unfolded(path: str) -> None:
    """Raise ConfigError if an archive unpacks to more than any network needs."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = sum(part.file_size for part in archive.infolist())
            if size > MAX_BYTES:
                raise ConfigError(
                    f"init {path}: expected at most {MAX_BYTES:,} bytes unpacked, got "
                    f"{size:,}"
                )
    except (OSError, zipfile.BadZipFile):
        pass  # reading it raises the proper error


def _read(path: str) -> dict[str, Any]:
    """Return the named arrays of an ``.npz`` or state dict; executes no code."""
    _check_unfolded(path)
    if formats.kind(Path(path)) in ("a PyTorch file", "a pickle"):
        extras.require("torch", f"init {path}", SAVE_ARRAYS)
    try:
        if path.endswith(".npz"):
            with np.load(path, allow_pickle=False) as file:
                return dict(file)
        return _tensors(path)
    except Exception:  # errors of NumPy and PyTorch name their internals, not the file
        raise ConfigError(
            f"init {path}: expected an .npz or a PyTorch state dict of the arrays "
            f"{LAYERS[0]}.weight … {LAYERS[-1]}.bias, got {_got(path)}"
        ) from None


def _tensors(path: str) -> dict[str, np.ndarray]:
    """Return the named tensors of a state dict."""
    import torch  # slow to import, and only needed for state dicts

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about files that are rejected anyway
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    wrapped = [loaded[key] for key in WRAPPERS if key in loaded]
    state = wrapped[0] if wrapped else loaded
    return {
        name: value.numpy(force=True)
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
    }


def _got(path: str) -> str:
    """Describe a file that is not a network, and how to save one."""
    kind = formats.kind(Path(path))
    if kind == "an .npz archive" and not path.endswith(".npz"):
        return f"{kind}; give it a name that ends in .npz"
    if kind == "an .npz archive":
        return f"{kind} of pickled objects; {SAVE_ARRAYS}"
    if kind not in ("a PyTorch file", "a pickle"):
        return f"{kind}; {SAVE_STATE}, or {SAVE_ARRAYS}"
    classes = formats.pickled(Path(path))
    if not classes:
        return f"{kind} without named tensors; {SAVE_STATE}, or {SAVE_ARRAYS}"
    text = f"{kind} of whole objects ({', '.join(classes[:3])})"
    return (
        f"{text}, which cannot be read without executing their code; load it where it "
        f"was made and {SAVE_STATE}"
    )
