"""A network under evolution: four masked layers of any sizes, in float64."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from spiral.model import stack
from spiral.model.stack import Layer, Stack
from spiral.search.canonical import canonical
from spiral.search.network import Network, reduced, unpacked
from spiral.search.shape import Shape, matrices, read, spell

Candidate = Stack

Net = tuple[Int[np.ndarray, " edges"], Int[np.ndarray, " units_1"]]
"""Source of each edge, and where the edges of each unit start (see ``descent``)."""


def shape_of(candidate: Candidate) -> Shape:
    """Return the hidden units of the three layers."""
    return stack.sizes_of(candidate)


def nnz_of(candidate: Candidate) -> int:
    """Return the number of kept weights, output layer included."""
    return sum(int(layer.kept.sum()) for layer in candidate)


def mask_of(candidate: Candidate) -> str:
    """Return the mask in canonical numbering, as a string; equal for equal masks."""
    shape = shape_of(candidate)
    flat = np.concatenate([layer.kept.ravel() for layer in candidate])
    numbered, _ = canonical(flat[None], shape)
    return spell(numbered, shape)[0]


def copied(candidate: Candidate) -> Candidate:
    """Return a copy whose arrays a move may change."""
    first, second, third, last = (
        Layer(*(part.copy() for part in layer)) for layer in candidate
    )
    return first, second, third, last


def activations(
    candidate: Candidate, x: Float[np.ndarray, "2 D"]
) -> list[Float[np.ndarray, "units D"]]:
    """Return the inputs, the three hidden layers and the logits [1, D] on points."""
    found = [x]
    for number, layer in enumerate(candidate):
        z = layer.weights @ found[-1] + layer.biases[:, None]
        found.append(z if number == len(candidate) - 1 else np.maximum(z, 0.0))
    return found


def without_units(candidate: Candidate, layer: int, gone: np.ndarray) -> Candidate:
    """Return the candidate without some units [out] of a hidden layer."""
    stay, found = ~gone, list(candidate)
    kept, weights, biases = candidate[layer]
    found[layer] = Layer(kept[stay], weights[stay], biases[stay])
    kept, weights, biases = candidate[layer + 1]
    found[layer + 1] = Layer(kept[:, stay], weights[:, stay], biases)
    first, second, third, last = found
    return first, second, third, last


def simplified(candidate: Candidate) -> Candidate | None:
    """Return the candidate without dead and constant units; None if it is constant.

    A unit without inputs is constant and is folded into the biases it feeds; one
    without outputs is dead. The function computed stays the same.
    """
    found = copied(candidate)
    number = 0
    while number < len(found) - 1:
        layer, following = found[number], found[number + 1]
        constant = ~layer.kept.any(axis=1)
        gone = np.logical_or(constant, ~following.kept.any(axis=0))
        if gone.all():
            return None
        if not gone.any():
            number += 1
            continue
        values = np.where(constant, np.maximum(layer.biases, 0.0), 0.0)
        following.biases[:] += following.weights @ values
        found = without_units(found, number, gone)
        number = max(number - 1, 0)  # the layer before may have lost its last output
    return found


def balanced(candidate: Candidate, x: Float[np.ndarray, "2 D"]) -> Candidate:
    """Return the candidate with hidden units of deviation 1 and logits of mean size 1.

    ReLU units can be rescaled freely. Balanced ones make noise of one size a sensible
    move and keep the polish well conditioned.
    """
    found = copied(candidate)
    for number, (layer, following) in enumerate(pairwise(found)):
        deviation = activations(found, x)[number + 1].std(axis=1)
        scale = np.where(deviation > 1e-9, deviation, 1.0)
        layer.weights[:] /= scale[:, None]
        layer.biases[:] /= scale
        following.weights[:] *= scale
    size = np.abs(activations(found, x)[-1]).mean()
    if size > 0:
        found[-1].weights[:] /= size
        found[-1].biases[:] /= size
    return found


def from_network(network: Network) -> Candidate:
    """Return the candidate of a network."""
    kept = network.params.astype(np.float64)
    flat = stack.Flat(*unpacked(network.matrices, kept))
    return stack.of_flat(flat, network.shape)


def to_network(candidate: Candidate) -> Network | None:
    """Return the network in float32 and canonical numbering.

    None if it is constant, or has weights too large for float32.
    """
    flat = stack.flat_of(candidate)
    if not (np.abs(flat.params) < np.finfo(np.float32).max).all():
        return None
    return reduced(*flat)


def from_mask(text: str) -> Candidate:
    """Return a candidate with the mask of a string and zeros for all values."""
    shape, flat = read(text)
    first, second, third, last = (
        Layer(kept, np.zeros(kept.shape), np.zeros(len(kept)))
        for kept in matrices(flat, shape)
    )
    return first, second, third, last


def spelled(candidate: Candidate) -> str:
    """Return the mask as a string, in the candidate's own numbering."""
    flat = np.concatenate([layer.kept.ravel() for layer in candidate])
    return spell(flat[None], shape_of(candidate))[0]


def compiled(candidate: Candidate) -> tuple[Net, Float[np.ndarray, " K"]]:
    """Return a candidate as the edges and parameters of ``descent``."""
    source, start, before = [], [0], 0
    for layer in candidate:
        rows, columns = np.nonzero(layer.kept)
        source.append(before + columns)
        counts = np.bincount(rows, minlength=len(layer.biases))
        start.extend((start[-1] + np.cumsum(counts)).tolist())
        before += layer.kept.shape[1]
    net = (np.concatenate(source), np.array(start))
    weights = [layer.weights[layer.kept] for layer in candidate]
    biases = [layer.biases for layer in candidate]
    return net, np.concatenate([*weights, *biases])


def with_params(candidate: Candidate, theta: Float[np.ndarray, " K"]) -> Candidate:
    """Return the candidate with parameters in the order of :func:`compiled`."""
    counts = [layer.kept.sum() for layer in candidate]
    counts += [len(layer.biases) for layer in candidate]
    parts = np.split(theta, np.cumsum(counts)[:-1])
    layers = []
    for layer, values, biases in zip(candidate, parts[:4], parts[4:], strict=True):
        weights = np.zeros(layer.kept.shape)
        weights[layer.kept] = values
        layers.append(Layer(layer.kept, weights, biases))
    first, second, third, last = layers
    return first, second, third, last
