"""Random sparse teachers: networks 2→a→b→c→1 of which every weight is needed."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float64

from spiral.model import mlp, stack
from spiral.model.stack import Layer
from spiral.tasks.task import Planted, Scale

Teacher = list[tuple[Float64[np.ndarray, "out in"], Float64[np.ndarray, " out"]]]
"""Weights, zero where there is none, and biases of each layer."""
Points = Float64[np.ndarray, "2 D"]
Shape = tuple[int, ...]

KINK = (0.25, 0.75)
"""A hidden unit is off for a share of the points between these, so none is linear."""
CUT = (0.4, 0.6)
"""The share of points that a teacher puts in class 0, before any is removed."""
SIZE = (0.5, 1.5)
"""Sizes of weights, for inputs of deviation 1: no weight is small."""

TINY = 1e-9
"""Instead of the deviation of a unit that is off everywhere; its teacher is dropped."""


def sizes(shape: Shape) -> list[int]:
    """Return the number of units of all five layers."""
    return [mlp.INPUTS, *shape, 1]


def limits(shape: Shape) -> tuple[int, int]:
    """Return the fewest and the most weights with which every unit is on a path."""
    ends = [*pairwise(sizes(shape))]
    return sum(max(pair) for pair in ends), sum(a * b for a, b in ends)


def draw(
    random: np.random.Generator, shape: Shape, nnz: int, points: Points
) -> Teacher:
    """Draw a teacher for points that are spread evenly.

    Biases are quantiles of what units compute, and weights are scaled by the deviation
    of their inputs. With weights and biases from a fixed distribution most units would
    be off or linear everywhere: of 100 teachers of 16 weights each of which had to
    change a fiftieth of the labels, two were left instead of nine.

    Args:
        random: The stream.
        shape: Hidden units of each layer.
        nnz: The number of weights, within ``limits``.
        points: Where units shall have kinks.
    """
    found: Teacher = []
    h = points
    for kept in _connections(random, shape, nnz):
        output = len(found) == len(shape)
        signed = random.choice([-1.0, 1.0], kept.shape) * random.uniform(
            *SIZE, kept.shape
        )
        weights = np.where(kept, signed, 0.0) / np.maximum(h.std(axis=1), TINY)
        z = _weighted(weights, h)
        shares = random.uniform(*(CUT if output else KINK), len(kept))
        bias = -np.array([np.quantile(*pair) for pair in zip(z, shares, strict=True)])
        z += bias[:, None]
        size = max(z.std(), TINY) if output else 1.0
        found.append((weights / size, bias / size))
        h = np.maximum(z, 0)
    return found


def _connections(
    random: np.random.Generator, shape: Shape, nnz: int
) -> list[Bool[np.ndarray, "out in"]]:
    """Draw which weights there are: every unit has one before and one after it."""
    least = [_covering(random, *pair) for pair in pairwise(sizes(shape))]
    flat = np.concatenate([kept.ravel() for kept in least])
    others = random.permutation(np.flatnonzero(~flat))
    flat[others[: nnz - flat.sum()]] = True
    ends = np.cumsum([kept.size for kept in least])[:-1]
    return [
        part.reshape(kept.shape)
        for part, kept in zip(np.split(flat, ends), least, strict=True)
    ]


def _covering(
    random: np.random.Generator, inputs: int, outputs: int
) -> Bool[np.ndarray, "out in"]:
    """Draw as few weights as give every input and every output one."""
    kept = np.zeros((outputs, inputs), bool)
    many = random.permutation(max(inputs, outputs))
    few = np.arange(len(many)) % min(inputs, outputs)
    kept[(many, few) if outputs >= inputs else (few, many)] = True
    return kept


def _weighted(weights: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return weights times inputs, summed in one order.

    A matrix product adds in an order that depends on the processor, and so might put a
    point of the lattice on the other side of a boundary.
    """
    return (weights[:, :, None] * h).sum(axis=1)


def logits(teacher: Teacher, points: Points) -> Float64[np.ndarray, " D"]:
    """Return the logit of each point."""
    h = points
    for weights, bias in teacher:
        z = _weighted(weights, h) + bias[:, None]
        h = np.maximum(z, 0)
    return z[0]


def without_each(teacher: Teacher) -> Iterator[Teacher]:
    """Yield the teacher without each of its weights in turn; biases stay."""
    for number, (weights, bias) in enumerate(teacher):
        for place in np.argwhere(weights):
            fewer = weights.copy()
            fewer[tuple(place)] = 0
            yield [*teacher[:number], (fewer, bias), *teacher[number + 1 :]]


def on_standardised(teacher: Teacher, scale: Scale) -> Teacher:
    """Return the teacher that answers for standardised points as it does for raw."""
    (weights, bias), *others = teacher
    return [(weights * scale.deviation, bias + weights @ scale.mean), *others]


def planted(teacher: Teacher) -> Planted:
    """Return a teacher as flat parameters, as wide as its widest layer."""
    first, second, third, last = (Layer(w != 0, w, bias) for w, bias in teacher)
    mask, params, _ = stack.flat_of((first, second, third, last))
    return Planted(mask, params.astype(np.float32))
