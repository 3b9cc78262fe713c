"""Initial parameters: drawn from a seed or read from a file.

Networks of different widths draw different weights from a seed. Those of ``width-16``
are the leading block of what a network of width 16 draws, so what is known of that draw
is known of them.

Reading a grid turns a file name into ``path@digest``, so that a config always means the
same numbers: a file that has changed is an error instead of a different result.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from spiral import paths
from spiral.errors import ConfigError
from spiral.model import array_files, mlp, stack, state_dict
from spiral.model.stack import Stack

DEFAULT = "default"
DIGITS = 16
_OF_WIDTH = re.compile(r"width-([1-9][0-9]{0,2})")


def params(source: str, seed: int, width: int) -> Float32[np.ndarray, " P"]:
    """Return the initial parameters of one network.

    Args:
        source: ``default``, ``width-W`` (the leading block of what a network of width W
            draws), or a stamped file name (see :func:`stamp`).
        seed: Seed of the draw; unused with a file.
        width: Hidden width w.

    Raises:
        ConfigError: W is less than w; or the file is missing, has changed, or is not
            such a network.
    """
    if source == DEFAULT:
        return mlp.initial_params(seed, width)
    if wide := _OF_WIDTH.fullmatch(source):
        return _of_width(seed, int(wide[1]), width)
    return _from_file(source, width)


def drawn(source: str) -> bool:
    """Return whether initial weights are drawn from a seed."""
    return source == DEFAULT or _OF_WIDTH.fullmatch(source) is not None


def stamp(path: str) -> str:
    """Return a file's absolute path with the digest of its contents.

    Raises:
        ConfigError: It cannot be read as a network, or its digest differs from the
            given one.
    """
    if drawn(path):
        return path
    given = not paths.is_file(path) and paths.is_file(path.rpartition("@")[0])
    digest = "" if given else _digest(path)
    stamped = path if given else f"{Path(path).resolve()}@{digest}"
    _from_file(stamped, 1)
    return stamped


@lru_cache(maxsize=64)
def _of_width(seed: int, wide: int, width: int) -> Float32[np.ndarray, " P"]:
    """Return the leading block of what a wider network draws."""
    _check(f"width-{wide}", wide, width)
    return _leading(mlp.matrices(mlp.initial_params(seed, wide), wide), width)


@lru_cache(maxsize=64)
def _from_file(source: str, width: int) -> Float32[np.ndarray, " P"]:
    """Return the leading block of the network in a file.

    Units that a layer lacks, where another is wider, have zeros: the network computes
    what it does in its file, and no gradient reaches them.
    """
    found = network(source)
    _check(source, max(stack.sizes_of(found)), width)
    return _leading(((part.weights, part.biases) for part in found), width)


def _check(source: str, wide: int, width: int) -> None:
    """Refuse networks that are narrower than wanted."""
    if width > wide:
        raise ConfigError(
            f"init {source}: expected initial weights of width {width} or more, got "
            f"{wide}; train a narrower network or give wider ones"
        )


def _leading(
    layers: Iterable[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]], width: int
) -> Float32[np.ndarray, " P"]:
    """Return the parameters of the first units of each layer, zeros where it ends.

    Args:
        layers: Weights and biases of each.
        width: Units of hidden layers.
    """
    params = np.zeros(mlp.param_count(width), np.float32)
    places = mlp.matrices(params, width)
    for (given, given_biases), (weights, biases) in zip(layers, places, strict=True):
        part = given[: len(biases), : weights.shape[1]]
        weights[: part.shape[0], : part.shape[1]] = part
        biases[: len(part)] = given_biases[: len(part)]
    params.flags.writeable = False
    return params


@lru_cache(maxsize=8)
def network(source: str) -> Stack:
    """Return the network in a stamped file.

    Raises:
        ConfigError: The file is missing, has changed, or is not such a network.
    """
    if source in paths.CARRIED:
        carried: Stack = paths.CARRIED[source]
        return carried
    path = paths.unchanged(source, _digest, "init")
    try:
        arrays = array_files.read(path)
        found = state_dict.find(arrays.named, ordered=arrays.ordered)
    except ValueError as error:
        raise ConfigError(f"init {path}: {error}") from None
    if found.masks_only:
        raise ConfigError(
            f"init {path}: expected weights, got zeros and ones alone; to train a "
            f"mask, `spiral-sweep network rows {path} --train --out DIR`"
        )
    return found.stack


def _digest(path: str) -> str:
    """Return the first digits of the SHA-256 of a file."""
    try:
        if not paths.is_file(path) and Path(path).exists():
            raise ConfigError(f"init {path}: expected a regular file")
        with Path(path).open("rb") as file:
            data = file.read(array_files.MAX_BYTES + 1)
        if len(data) > array_files.MAX_BYTES:
            raise ConfigError(
                f"init {path}: expected at most {array_files.MAX_BYTES >> 20} MB, got "
                "a larger file"
            )
        return hashlib.sha256(data).hexdigest()[:DIGITS]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"init {path[:200]}: cannot be read ({reason})") from error
