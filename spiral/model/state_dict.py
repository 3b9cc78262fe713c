"""Find a network 2→a→b→c→1 among named arrays, whatever their names.

Layers are the matrices [out, in] whose name ends in ``weight`` (``weight_orig`` and
``weight_mask`` after ``torch.nn.utils.prune``), with a ``bias`` beside them or none; if
no name does, all matrices, with all vectors as their biases. Their order is that in
which their sizes fit together, and where that leaves a choice, the order of the file or
of the numbers in their names.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, permutations
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32

from spiral.model import mlp
from spiral.model.array_files import as_array
from spiral.model.stack import Layer, Stack

LAYERS = ("first_layer", "second_layer", "third_layer", "clf")
"""Names of the layers in the published implementation of Zhang & Papyan (2024)."""

PART = re.compile(
    r"(?P<layer>.*?)[./_]?"
    r"(?P<part>(?:weight|bias)(?:_orig|_mask)?|(?<![a-zA-Z])mask)"
)
WANTED = "expected four layers 2→a→b→c→1 (a matrix [out, in] each, biases optional)"
COUNT = 4


class Found(NamedTuple):
    """The matrices and vectors of one layer, by the end of their names."""

    name: str
    parts: Mapping[str, np.ndarray]

    @property
    def matrix(self) -> np.ndarray:
        """The weights, or the mask if there is nothing else."""
        return next(self.parts[n] for n in MATRICES if n in self.parts)

    def label(self, part: str) -> str:
        """Return the name of an array in messages."""
        return f"{self.name}.{part}" if self.name else part


MATRICES = ("weight_orig", "weight", "weight_mask", "mask")
"""What may be the weights of a layer, the first that it has."""


class Read(NamedTuple):
    """A network that was found."""

    stack: Stack
    """In float32."""
    masks_only: bool
    """Whether there are only zeros and ones: a mask without weights."""


def find(named: Mapping[str, Any], mask: Any = None, ordered: bool = True) -> Read:
    """Return the network among named arrays.

    Args:
        named: Arrays or tensors, as of a state dict.
        mask: Which weights are kept: named arrays, or four matrices, input side first.
            By default those that the arrays say (``weight_mask``), else those not 0.
        ordered: Whether the arrays are in the order of the network.

    Raises:
        ValueError: There is none, or several; what was expected, and what arrived.
    """
    arrays = {str(name): as_array(value) for name, value in named.items()}
    layers = _in_order(_layers(arrays), ordered)
    given = [None] * COUNT if mask is None else _given(mask, ordered)
    stack = [_layer(*each) for each in zip(layers, given, strict=True)]
    if not all(np.isfinite(part).all() for layer in stack for part in layer):
        raise ValueError("expected finite values, got NaN or infinity")
    first, second, third, last = stack
    ones = all(np.isin(found.matrix, (0, 1)).all() for found in layers)
    return Read((first, second, third, last), ones)


def _given(mask: Any, ordered: bool) -> list[np.ndarray | None]:
    """Return the matrices of a mask that was given apart from the weights."""
    named = mask
    if not isinstance(mask, Mapping):
        named = {str(number): part for number, part in enumerate(mask)}
    arrays = {str(name): as_array(value) for name, value in named.items()}
    layers = _in_order(_layers(arrays), ordered)
    return [_zeros_and_ones(found.label("mask"), found.matrix) for found in layers]


def _layers(arrays: Mapping[str, np.ndarray]) -> list[Found]:
    """Return the layers among arrays, in the order of the arrays."""
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        match = PART.fullmatch(name)
        if match:
            groups.setdefault(match["layer"], {})[match["part"]] = array
    found = [
        Found(name, parts)
        for name, parts in groups.items()
        if any(key in parts and parts[key].ndim == 2 for key in MATRICES)
    ]
    weights = [layer for layer in found if {"weight", "weight_orig"} & {*layer.parts}]
    layers = weights or found or [*_unnamed(arrays)]
    if len(layers) != COUNT:
        there = ", ".join(f"{n} {a.shape}" for n, a in [*arrays.items()][:12])
        raise ValueError(f"{WANTED}, got {len(layers)} among {there or 'no arrays'}")
    return layers


def _unnamed(arrays: Mapping[str, np.ndarray]) -> Iterator[Found]:
    """Yield the matrices of arrays with arbitrary names, and vectors as biases."""
    matrices = {name: array for name, array in arrays.items() if array.ndim == 2}
    vectors = [array for array in arrays.values() if array.ndim == 1]
    if vectors and len(vectors) != len(matrices):
        names = ", ".join(arrays)
        raise ValueError(
            f"{WANTED}, got {len(matrices)} matrices and {len(vectors)} vectors among "
            f"{names}; end their names in .weight and .bias"
        )
    for number, (name, array) in enumerate(matrices.items()):
        parts = {"weight": array}
        yield Found(name, parts | ({"bias": vectors[number]} if vectors else {}))


def _in_order(layers: Sequence[Found], ordered: bool) -> list[Found]:
    """Return the layers from input to output.

    Raises:
        ValueError: Their sizes do not fit together, or the order cannot be known.
    """
    begin = layers if ordered else sorted(layers, key=lambda each: _numbers(each.name))
    chains = [chain for chain in permutations(_sorted(begin)) if _fits(chain)]
    if not chains:
        found = [layer.matrix.shape for layer in layers]
        raise ValueError(f"{WANTED}, got weights {found}")
    first, *others = chains
    names = [layer.name for layer in first]
    if others and not (ordered or _alike(names[1:3]) or {*names} == {*LAYERS}):
        raise ValueError(
            f"expected layers whose order can be known, got {names[1]} and {names[2]} "
            "of equal size in a file without order; number them, or save an .npz"
        )
    return [*first]


def _sorted(layers: Sequence[Found]) -> list[Found]:
    """Return layers in the order that their names say, else as they are."""
    names = [layer.name for layer in layers]
    if {*names} == {*LAYERS}:
        return sorted(layers, key=lambda layer: LAYERS.index(layer.name))
    if _alike(names):
        return sorted(layers, key=lambda layer: _numbers(layer.name))
    return [*layers]


def _alike(names: Sequence[str]) -> bool:
    """Return whether names differ in numbers alone."""
    return len({re.sub(r"\d+", "0", name) for name in names}) == 1


def _numbers(name: str) -> list[int]:
    """Return the numbers in a name."""
    return [int(digits) for digits in re.findall(r"\d+", name)]


def _fits(chain: Sequence[Found]) -> bool:
    """Return whether sizes of layers fit together, from two inputs to one output."""
    shapes = [layer.matrix.shape for layer in chain]
    ends = shapes[0][1] == mlp.INPUTS and shapes[-1][0] == 1
    return ends and all(a[0] == b[1] for a, b in pairwise(shapes))


def _layer(found: Found, kept: np.ndarray | None) -> Layer:
    """Return one layer: weights times mask, biases times theirs."""
    weights = _real(found, next(n for n in MATRICES if n in found.parts))
    masks = [kept] if kept is not None else []
    masks += [
        _zeros_and_ones(found.label(part), found.parts[part])
        for part in ("weight_mask", "mask")
        if part in found.parts
    ]
    if any(mask.shape != weights.shape for mask in masks):
        shapes = [mask.shape for mask in masks]
        raise ValueError(
            f"{found.name}: expected a mask of shape {weights.shape}, got {shapes}"
        )
    stays = np.logical_and.reduce(masks) if masks else weights != 0
    return Layer(stays, np.where(stays, weights, np.float32(0)), _biases(found))


def _biases(found: Found) -> Float32[np.ndarray, " out"]:
    """Return the biases of a layer, zeros if it has none."""
    outputs = len(found.matrix)
    name = next((n for n in ("bias_orig", "bias") if n in found.parts), None)
    if name is None:
        return np.zeros(outputs, np.float32)
    biases = _real(found, name)
    if biases.shape != (outputs,):
        raise ValueError(
            f"expected one bias per row, got {found.label(name)} of shape "
            f"{biases.shape} for {outputs} rows"
        )
    if "bias_mask" in found.parts:
        stays = _zeros_and_ones(found.label("bias_mask"), found.parts["bias_mask"])
        biases = np.where(stays, biases, np.float32(0))
    return biases


def _real(found: Found, part: str) -> Float32[np.ndarray, "..."]:
    """Return an array of real numbers as float32; a mask may be of truth values."""
    array = found.parts[part]
    only_masks = found.matrix.dtype.kind == "b"
    if array.dtype.kind not in ("fiub" if only_masks else "fiu"):
        raise ValueError(
            f"expected real numbers in {found.label(part)}, got {array.dtype}"
        )
    with np.errstate(over="ignore"):  # checked by the caller
        return np.asarray(array, np.float32)


def _zeros_and_ones(name: str, array: np.ndarray) -> np.ndarray:
    """Return a mask of truth values."""
    if not np.isin(array, (0, 1)).all():
        raise ValueError(f"expected zeros and ones in {name}, got other values")
    return array.astype(bool)
