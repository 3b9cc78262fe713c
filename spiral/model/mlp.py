"""The network 2→w→w→w→1: layout of its parameters, initial values, logits.

Parameters are one flat vector W1, b1, W2, b2, W3, b3, W4, b4 (matrices row by row; rows
are output units). The functions accept NumPy arrays and torch tensors, so that the
network is defined once: engines differentiate it, plots and checks evaluate it.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from math import isqrt
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from spiral.model import seeds

INPUTS = 2
Array = Any  # np.ndarray or torch.Tensor


class Layer(NamedTuple):
    """One linear layer: its size and the positions of its parameters."""

    outputs: int
    inputs: int
    weights: slice  # in the flat parameters [P]
    biases: slice  # in the flat parameters [P]
    columns: slice  # of its weights among all weights [W]


@cache
def layers(width: int) -> tuple[Layer, ...]:
    """Return the four layers of a network of this width, input side first."""
    found: list[Layer] = []
    place = column = 0
    for outputs, inputs in (
        (width, INPUTS),
        (width, width),
        (width, width),
        (1, width),
    ):
        size = outputs * inputs
        weights = slice(place, place + size)
        biases = slice(weights.stop, weights.stop + outputs)
        found.append(
            Layer(outputs, inputs, weights, biases, slice(column, column + size))
        )
        place, column = biases.stop, column + size
    return tuple(found)


def param_count(width: int) -> int:
    """Return P, the number of weights and biases."""
    return layers(width)[-1].biases.stop


@cache
def width_of(params: int) -> int:
    """Return the width of the networks that have this many parameters.

    Raises:
        ValueError: No network has this many.
    """
    width = (isqrt(max(0, 8 * params + 28)) - 6) // 4  # P = 2w² + 6w + 1
    if width < 1 or param_count(width) != params:
        raise ValueError(f"expected the parameters of a network, got {params} numbers")
    return width


def weight_count(width: int) -> int:
    """Return W, the number of weights (``keep`` counts these)."""
    return layers(width)[-1].columns.stop


@cache
def is_weight(width: int) -> Bool[np.ndarray, " P"]:
    """Return which flat parameters are weights (read-only)."""
    found = np.zeros(param_count(width), bool)
    for layer in layers(width):
        found[layer.weights] = True
    found.flags.writeable = False
    return found


def matrices(params: Array, width: int) -> list[tuple[Array, Array]]:
    """Split parameters [..., P] into weights [..., out, in] and biases [..., out].

    Tensors are split by one operation: its gradient is one concatenation, whereas each
    slice would fill and add a vector of P (a sixth of the time of a gradient).
    """
    stack = layers(width)
    if hasattr(params, "split"):
        sizes = [place.stop - place.start for layer in stack for place in layer[2:4]]
        parts = params.split(sizes, -1)
    else:
        parts = [params[..., place] for layer in stack for place in layer[2:4]]
    lead = params.shape[:-1]
    return [
        (weights.reshape(*lead, layer.outputs, layer.inputs), biases)
        for layer, weights, biases in zip(stack, parts[::2], parts[1::2], strict=True)
    ]


def numpy_relu(z: np.ndarray) -> np.ndarray:
    """Return max(z, 0); NaN stays NaN."""
    return np.maximum(z, 0)


def logits(
    params: Array,
    points: Array,
    width: int,
    relu: Callable[[Any], Any] = numpy_relu,
) -> Array:
    """Return the logits [B] of one network.

    Args:
        params: Flat parameters [P].
        points: Coordinates [2, B]; the points are the last axis because batched
            products then run along contiguous memory. (torch.func.vmap on one core,
            3-3-3, 256 networks: 8.1 networks/s this way, 4.2 with points first.)
        width: Hidden width w.
        relu: ``torch.relu`` for tensors.
    """
    *hidden, (weights, biases) = matrices(params, width)
    return (weights @ _through(hidden, points, relu) + biases[:, None])[0]


def features(params: Array, points: Array, width: int) -> Array:
    """Return the inputs of one network's output layer, [w, B].

    Args:
        params: Flat parameters [P].
        points: Coordinates [2, B].
        width: Hidden width w.
    """
    return _through(matrices(params, width)[:-1], points, numpy_relu)


def _through(
    hidden: list[tuple[Array, Array]], points: Array, relu: Callable[[Any], Any]
) -> Array:
    """Return the activations of the last hidden layer."""
    h = points
    for weights, biases in hidden:
        h = relu(weights @ h + biases[:, None])
    return h


@lru_cache(maxsize=64)  # 0.5 MB each at width 256
def initial_params(seed: int, width: int) -> Float32[np.ndarray, " P"]:
    """Draw PyTorch's default initialisation, U(±1/√fan_in) for weights and biases.

    The fan-in is that of the full width, even if a mask leaves a smaller block.
    """
    random = seeds.stream("init", seed, width)
    params = np.empty(param_count(width), np.float32)
    for layer in layers(width):
        place = slice(layer.weights.start, layer.biases.stop)
        uniform = random.random(place.stop - place.start, dtype=np.float32)
        params[place] = (2 * uniform - 1) / np.float32(np.sqrt(layer.inputs))
    params.flags.writeable = False
    return params
