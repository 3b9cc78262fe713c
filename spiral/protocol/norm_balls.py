"""Norm balls to which Frank-Wolfe constrains parameters: position, size and geometry.

Every matrix has a ball of the chosen kind, every bias vector an L2 ball. The structured
kind constrains the units of a hidden layer with their biases, and the output layer by
L2 balls. The radius factor sets the diameter, whatever the kind.

| ball | the convex hull of, or | gauge | diameter |
|---|---|---|---|
| k_support | ‖v‖₀ ≤ k, ‖v‖₂ ≤ τ | k-support norm | 2τ |
| k_polytope | ‖x‖₁ ≤ kτ and ‖x‖∞ ≤ τ | max(‖x‖∞, ‖x‖₁/k) | 2τ√k |
| group_k_support | at most k units, ‖v‖₂ ≤ τ | k-support norm of units' norms | 2τ |
| l2 | ‖x‖₂ ≤ τ | L2 norm | 2τ |
"""

from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from spiral.model import masks, mlp

Ball = Literal["k_support", "k_polytope", "group_k_support", "l2"]

DRAWS = 100
"""Number of initialisations over which norms are averaged, as in the authors' code."""


class Cell(NamedTuple):
    """One ball and the parameters it constrains."""

    ball: Ball
    columns: slice  # in the flat parameters [P]
    units: int  # of which k are chosen: units of the layer, or single parameters
    k: int
    radius: float  # τ

    @property
    def diameter(self) -> float:
        """The largest L2 distance of two points."""
        return 2 * self.radius * (self.k**0.5 if self.ball == "k_polytope" else 1.0)


@cache
def cells(width: int, ball: Ball, share: float, radius: float) -> tuple[Cell, ...]:
    """Return the balls of a network, in the order of its parameters.

    Args:
        width: Hidden width w.
        ball: The kind of the matrices' balls.
        share: k as a share of the matrix's weights or units, rounded down, at least 1.
        radius: Half of a ball's diameter, in mean norms of its parameters at the
            default initialisation.
    """
    found = []
    for layer in mlp.layers(width):
        both = slice(layer.weights.start, layer.biases.stop)
        if ball == "group_k_support" and layer.outputs > 1:
            found.append(_cell(width, ball, both, layer.outputs, share, radius))
            continue
        own: Ball = "l2" if ball == "group_k_support" else ball
        for kind, columns in ((own, layer.weights), ("l2", layer.biases)):
            size = columns.stop - columns.start
            found.append(_cell(width, kind, columns, size, share, radius))
    return tuple(found)


def _cell(
    width: int, ball: Ball, columns: slice, units: int, share: float, radius: float
) -> Cell:
    k = units if ball == "l2" else max(1, int(share * units))
    half = radius * initial_norm(width, columns.start, columns.stop)
    return Cell(ball, columns, units, k, half / (k**0.5 if ball == "k_polytope" else 1))


@cache
def initial_norm(width: int, start: int, stop: int) -> float:
    """Return the mean L2 norm of some parameters at the default initialisation."""
    drawn = [mlp.initial_params(seed, width)[start:stop] for seed in range(DRAWS)]
    return float(np.linalg.norm(np.stack(drawn).astype(np.float64), axis=1).mean())


@cache
def unit_of(units: int, size: int) -> Int[np.ndarray, " n"]:
    """Return the unit of every parameter: weights row by row, then biases."""
    rows = np.repeat(np.arange(units), size // units - 1)
    return np.concatenate([rows, np.arange(units)])


def unit_sizes(
    cell: Cell, values: Float[np.ndarray, "N n"]
) -> Float[np.ndarray, "N u"]:
    """Return the sizes that rank a cell's units: L2 norms or absolute values."""
    if cell.ball != "group_k_support":
        return np.abs(values)
    weights, biases = np.split(values, [-cell.units], axis=1)
    squares = (weights**2).reshape(len(values), cell.units, -1).sum(axis=2) + biases**2
    return np.sqrt(squares)


def chosen(
    stack: tuple[Cell, ...], values: Float[np.ndarray, "N P"]
) -> Bool[np.ndarray, "N P"]:
    """Return the support of the corner of each ball that a direction selects.

    The parameters of the k largest units; ties go to the lower index.
    """
    found = np.ones(values.shape, bool)
    for cell in stack:
        if cell.k == cell.units:
            continue
        part = values[:, cell.columns]
        some = masks.keep_top(unit_sizes(cell, part), np.full(len(part), cell.k))
        if cell.ball == "group_k_support":
            some = some[:, unit_of(cell.units, part.shape[1])]
        found[:, cell.columns] = some
    return found


def gauge(cell: Cell, values: Float64[np.ndarray, "N n"]) -> Float64[np.ndarray, " N"]:
    """Return the gauge: the factor by which the unit ball must grow to reach values."""
    sizes = unit_sizes(cell, values)
    if cell.ball == "l2":
        return np.linalg.norm(values, axis=1)
    if cell.ball == "k_polytope":
        return np.maximum(sizes.max(axis=1), sizes.sum(axis=1) / cell.k)
    return k_support_norm(sizes, cell.k)


def k_support_norm(
    sizes: Float64[np.ndarray, "N n"], k: int
) -> Float64[np.ndarray, " N"]:
    """Return the k-support norm of vectors of absolute values.

    The k - r - 1 largest count as in the L2 norm, the others as a sum S over r + 1,
    where r is the one with |x|_(k-r-1) > S/(r+1) ≥ |x|_(k-r) in falling order.

    Source: Argyriou, Foygel & Srebro, NeurIPS 2012, proposition 2.1.
    """
    falling = -np.sort(-sizes, axis=1)
    head = np.cumsum(falling**2, axis=1)
    tail = np.cumsum(falling[:, ::-1], axis=1)[:, ::-1]
    r = np.arange(k)
    mean = tail[:, k - 1 - r] / (r + 1)
    above = np.where(r == k - 1, np.inf, falling[:, k - 2 - r])
    # the norm is continuous where r changes, so rounding may select either r there
    fits = (above > mean) & (mean * (1 + 1e-12) >= falling[:, k - 1 - r])
    which = fits.argmax(axis=1)
    left = np.where(which == k - 1, 0.0, head[np.arange(len(head)), k - 2 - which])
    right = tail[np.arange(len(tail)), k - 1 - which] ** 2 / (which + 1)
    return np.sqrt(left + right)


def inside(
    stack: tuple[Cell, ...], params: Float[np.ndarray, "N P"]
) -> Float[np.ndarray, "N P"]:
    """Return parameters scaled into their balls, each ball separately."""
    found = params.astype(np.float64)
    for cell in stack:
        part = found[:, cell.columns]
        size = gauge(cell, part)
        shrink = np.where(size > cell.radius, cell.radius / np.maximum(size, 1e-300), 1)
        found[:, cell.columns] = part * shrink[:, None]
    return found.astype(params.dtype)
