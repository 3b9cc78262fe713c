"""Reconstruction: layers are fitted to their outputs before pruning, one by one.

A layer sees what its pruned and fitted predecessors make of some points, and the target
is what its old weights make of the same: least squares of pre-activations, unit by unit
where that is possible.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from spiral.model import mlp
from spiral.protocol.adapters import Kind

SWEEPS = 50
"""Most times that both matrices of an adapter are fitted in turn."""

SETTLED = 1e-4
"""Share of the error below which a turn's gain ends the fitting."""

Matrix = Float64[np.ndarray, "out in"]
Vector = Float64[np.ndarray, " out"]
Points = Float64[np.ndarray, "in D"]


@dataclass(frozen=True)
class Fit:
    """Which parameters of a layer may change."""

    weights: bool
    """All that is kept; no adapter then."""
    biases: bool
    adapter: Kind | None
    rank: int


@dataclass(frozen=True)
class Layer:
    """One layer of one network while it is fitted."""

    weights: Matrix
    kept: Bool[np.ndarray, "out in"]
    biases: Vector
    trains: Bool[np.ndarray, " out"]
    """Biases that may change."""


def fit(
    dense: Float32[np.ndarray, " P"],
    kept: Bool[np.ndarray, " P"],
    points: Float[np.ndarray, "D 2"],
    fits: tuple[Fit, ...],
    random: np.random.Generator,
) -> Float32[np.ndarray, " P"]:
    """Return the parameters of one pruned network, layer after layer refitted.

    Args:
        dense: Parameters before pruning.
        kept: The mask.
        points: Calibration points.
        fits: What may change in each layer.
        random: Draws where adapters begin.
    """
    width = mlp.width_of(len(dense))
    seen = points.T.astype(np.float64)
    parts = []
    old = mlp.matrices(dense.astype(np.float64), width)
    for (weights, biases), (mask, lives), how in zip(
        old, mlp.matrices(kept, width), fits, strict=True
    ):
        target = weights @ seen + biases[:, None]
        trains = lives & how.biases
        layer = Layer(weights * mask, mask, np.where(lives, biases, 0), trains)
        new, shift = fit_layer(layer, seen, target, how, random)
        parts += [new.ravel(), shift]
        seen = np.maximum(new @ seen + shift[:, None], 0)
    return np.where(kept, np.concatenate(parts), 0).astype(np.float32)


def fit_layer(
    layer: Layer,
    seen: Points,
    target: Float64[np.ndarray, "out D"],
    how: Fit,
    random: np.random.Generator,
) -> tuple[Matrix, Vector]:
    """Return weights and biases that bring a layer's output closest to a target."""
    if how.adapter is not None:
        return _alternate(layer, seen, target, how, random)
    outputs, inputs = layer.weights.shape
    if how.weights:
        ways = [np.eye(inputs)[:, mask] for mask in layer.kept]
        new, biases, _ = _solve(np.zeros_like(layer.weights), ways, layer, seen, target)
        return new, biases
    nothing = [np.zeros((inputs, 0))] * outputs
    new, biases, _ = _solve(layer.weights, nothing, layer, seen, target)
    return new, biases


def _solve(
    base: Matrix,
    ways: list[Float64[np.ndarray, "in k"]],
    layer: Layer,
    seen: Points,
    target: Float64[np.ndarray, "out D"],
) -> tuple[Matrix, Vector, list[Float64[np.ndarray, " k"]]]:
    """Fit how far each unit's weights go along some ways, and its bias if it may."""
    weights, biases, far = base.copy(), layer.biases.copy(), []
    for unit, along in enumerate(ways):
        free = bool(layer.trains[unit])
        features = np.concatenate([along.T @ seen, np.ones((int(free), seen.shape[1]))])
        rest = target[unit] - base[unit] @ seen - (0 if free else biases[unit])
        found = np.linalg.lstsq(features.T, rest, rcond=None)[0]
        far.append(found[: along.shape[1]])
        weights[unit] += along @ far[-1]
        if free:
            biases[unit] = found[-1]
    return weights, biases, far


def _alternate(
    layer: Layer,
    seen: Points,
    target: Float64[np.ndarray, "out D"],
    how: Fit,
    random: np.random.Generator,
) -> tuple[Matrix, Vector]:
    """Fit B for a given A, then A for that B, and so on; A is drawn at first.

    Each step is a least-squares problem, so the error never rises; at full rank the
    first B is already the best there is.
    """
    factors, scaled = _factors(layer, how), how.adapter == "scale_lora"
    base = np.zeros_like(layer.weights) if scaled else layer.weights
    outputs, inputs = base.shape
    down = random.standard_normal((min(how.rank, outputs, inputs), inputs))
    if scaled:
        down[0] = 1  # BA = 1, with which fitting begins, is among what B can make
    before = np.inf
    for _ in range(SWEEPS):
        ways = [(down * row).T for row in factors]
        weights, biases, far = _solve(base, ways, layer, seen, target)
        error = float(((weights @ seen + biases[:, None] - target) ** 2).sum())
        if error >= (1 - SETTLED) * before:
            break
        before = error
        down = _best_down(
            np.stack(far), factors, seen, target - base @ seen - biases[:, None]
        )
    if how.adapter == "lora_prune":
        weights = np.where(layer.kept, weights, 0)
    return weights, biases


def _factors(layer: Layer, how: Fit) -> Matrix:
    """Return the factor of each entry of BA."""
    if how.adapter == "scale_lora":
        return layer.weights
    if how.adapter == "mask_lora":
        return layer.kept.astype(np.float64)
    return np.ones_like(layer.weights)


def _best_down(
    up: Float64[np.ndarray, "out r"],
    factors: Matrix,
    seen: Points,
    rest: Float64[np.ndarray, "out D"],
) -> Float64[np.ndarray, "r in"]:
    """Return the A that makes ((B A) ⊙ factors) X closest to what is left."""
    inner = seen @ seen.T
    normal = np.einsum(
        "ok,ol,oi,oj,ij->kilj", up, up, factors, factors, inner, optimize=True
    )
    right = np.einsum("ok,oi,oi->ki", up, factors, rest @ seen.T)
    size = right.size
    found = np.linalg.lstsq(normal.reshape(size, size), right.ravel(), rcond=None)[0]
    down: Float64[np.ndarray, "r in"] = found.reshape(right.shape)
    return down
