"""One Frank-Wolfe step of a pack in torch, shared by two engines."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int, Shaped
from torch import Tensor

from spiral.engines.devices import upload
from spiral.protocol import norm_balls
from spiral.protocol.job import FrankWolfe

TINY = 1e-10
"""Shorter directions count as this long, so that a zero direction causes no division by
zero and moves towards 0."""


def cells(optimiser: FrankWolfe, width: int) -> tuple[norm_balls.Cell, ...]:
    """Return the balls of a network of this width."""
    return norm_balls.cells(width, optimiser.ball, optimiser.share, optimiser.radius)


class Balls(NamedTuple):
    """Facts about the balls of a network, on the device that trains it."""

    radius: Float64[Tensor, " C"]
    diameter: Float64[Tensor, " C"]
    flat: Bool[Tensor, " C"]
    """Whether a ball's corners are signs (``k_polytope``)."""
    which: Int[Tensor, " P"]
    """The ball of each parameter."""

    @classmethod
    def of(cls, stack: tuple[norm_balls.Cell, ...], device: str) -> "Balls":
        """Copy the facts about some balls to a device."""
        facts = (
            np.array([cell.radius for cell in stack]),
            np.array([cell.diameter for cell in stack]),
            np.array([cell.ball == "k_polytope" for cell in stack]),
            np.repeat(np.arange(len(stack)), np.array(_sizes(stack), np.int64)),
        )
        return cls(*(upload(array, device) for array in facts))


def move(
    params: Float[Tensor, "N P"],
    direction: Float[Tensor, "N P"],
    chosen: Bool[Tensor, "N P"],
    rate: Float[Tensor, "N 1"],
    setting: tuple[FrankWolfe, int],
    balls: Balls,
) -> Float[Tensor, "N P"]:
    """Return the parameters after one step.

    Args:
        params: θ.
        direction: m, against which every ball's corner v lies farthest.
        chosen: Where v is not zero (``norm_balls.chosen`` of m).
        rate: Learning rate η.
        setting: The optimiser, and the hidden width.
        balls: Facts about the balls.

    Source: Zimmer, Spiegel & Pokutta, arXiv:2205.11921; Pokutta, Spiegel & Zimmer,
    arXiv:2010.07243. Damping 0.
    """
    optimiser, width = setting
    stack = cells(optimiser, width)
    gap = corners(stack, torch.where(chosen, direction, 0.0), balls) - params
    share = rate * _factor(optimiser.rescale, stack, (direction, gap), balls)
    return params + _spread(balls, share.clamp(0.0, 1.0)) * gap


def corners(
    stack: tuple[norm_balls.Cell, ...], on: Float[Tensor, "N P"], balls: Balls
) -> Float[Tensor, "N P"]:
    """Return the points of balls that minimise the product with a direction.

    Args:
        stack: The balls.
        on: The direction, zero except on the k largest units of each ball.
        balls: Facts about the balls.
    """
    radius = balls.radius.to(on.dtype)
    if not any(cell.ball == "k_polytope" for cell in stack):
        size = _lengths(stack, on).clamp_min(TINY)
        return _spread(balls, -radius / size) * on
    size = torch.where(balls.flat, 1.0, _lengths(stack, on).clamp_min(TINY))
    way = torch.where(_spread(balls, balls.flat[None]), torch.sign(on), on)
    return _spread(balls, -radius / size) * way


def _factor(
    rescale: str,
    stack: tuple[norm_balls.Cell, ...],
    at: tuple[Tensor, Tensor],
    balls: Balls,
) -> Float[Tensor, "N C"]:
    """Return the factor on the learning rate of each ball, given m and v - θ."""
    m, gap = at
    if rescale == "none":
        return m.new_ones(1, len(stack))
    diameter = balls.diameter.to(m.dtype)
    if rescale == "diameter":
        return 1 / diameter[None]
    if rescale == "fast_gradient":
        return _lengths(stack, m) / (diameter / 2)
    return _lengths(stack, m) / _lengths(stack, gap).clamp_min(TINY)


def _lengths(
    stack: tuple[norm_balls.Cell, ...], values: Float[Tensor, "N P"]
) -> Float[Tensor, "N C"]:
    """Return the L2 norm of every ball's part."""
    parts = torch.split(values * values, _sizes(stack), dim=1)
    return torch.stack([part.sum(dim=1) for part in parts], dim=1).sqrt()


def _spread(balls: Balls, values: Shaped[Tensor, "N C"]) -> Shaped[Tensor, "N P"]:
    """Return a ball's value for each of its parameters."""
    return values.index_select(1, balls.which)


def _sizes(stack: tuple[norm_balls.Cell, ...]) -> list[int]:
    """Return how many parameters each ball holds; they lie side by side."""
    return [cell.columns.stop - cell.columns.start for cell in stack]
