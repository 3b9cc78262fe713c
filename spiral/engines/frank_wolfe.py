"""One Frank-Wolfe step of a pack in torch, shared by two engines."""

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from spiral.protocol import norm_balls
from spiral.protocol.job import FrankWolfe

TINY = 1e-10
"""Shorter directions count as this long, so that a zero direction causes no division by
zero and moves towards 0."""


def cells(optimiser: FrankWolfe, width: int) -> tuple[norm_balls.Cell, ...]:
    """Return the balls of a network of this width."""
    return norm_balls.cells(width, optimiser.ball, optimiser.share, optimiser.radius)


def move(
    params: Float[Tensor, "N P"],
    direction: Float[Tensor, "N P"],
    chosen: Bool[Tensor, "N P"],
    rate: Float[Tensor, "N 1"],
    setting: tuple[FrankWolfe, int],
) -> Float[Tensor, "N P"]:
    """Return the parameters after one step.

    Args:
        params: θ.
        direction: m, against which every ball's corner v lies farthest.
        chosen: Where v is not zero (``norm_balls.chosen`` of m).
        rate: Learning rate η.
        setting: The optimiser, and the hidden width.

    Source: Zimmer, Spiegel & Pokutta, arXiv:2205.11921; Pokutta, Spiegel & Zimmer,
    arXiv:2010.07243. Damping 0.
    """
    optimiser, width = setting
    stack = cells(optimiser, width)
    gap = corners(stack, torch.where(chosen, direction, 0.0)) - params
    share = rate * _factor(optimiser.rescale, stack, direction, gap)
    return params + _spread(stack, share.clamp(0.0, 1.0)) * gap


def corners(
    stack: tuple[norm_balls.Cell, ...], on: Float[Tensor, "N P"]
) -> Float[Tensor, "N P"]:
    """Return the points of balls that minimise the product with a direction.

    Args:
        stack: The balls.
        on: The direction, zero except on the k largest units of each ball.
    """
    radius = on.new_tensor([cell.radius for cell in stack])
    sharp = [cell.ball == "k_polytope" for cell in stack]
    if not any(sharp):
        size = _lengths(stack, on).clamp_min(TINY)
        return _spread(stack, -radius / size) * on
    flat = torch.tensor(sharp, device=on.device)
    size = torch.where(flat, 1.0, _lengths(stack, on).clamp_min(TINY))
    way = torch.where(_spread(stack, flat[None]), torch.sign(on), on)
    return _spread(stack, -radius / size) * way


def _factor(
    rescale: str, stack: tuple[norm_balls.Cell, ...], m: Tensor, gap: Tensor
) -> Float[Tensor, "N C"]:
    """Return the factor on the learning rate of each ball."""
    if rescale == "none":
        return m.new_ones(1, len(stack))
    diameter = m.new_tensor([cell.diameter for cell in stack])
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


def _spread(
    stack: tuple[norm_balls.Cell, ...], values: Shaped[Tensor, "N C"]
) -> Shaped[Tensor, "N P"]:
    """Return a ball's value for each of its parameters."""
    which = [n for n, size in enumerate(_sizes(stack)) for _ in range(size)]
    return values.index_select(1, torch.tensor(which, device=values.device))


def _sizes(stack: tuple[norm_balls.Cell, ...]) -> list[int]:
    """Return how many parameters each ball holds; they lie side by side."""
    return [cell.columns.stop - cell.columns.start for cell in stack]
