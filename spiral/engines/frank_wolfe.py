"""One step of Frank-Wolfe for a pack, in torch; two engines share it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from spiral import balls
from spiral.job import FrankWolfe

TINY = 1e-10
"""Directions shorter than this count as this long: towards 0, they reach no corner."""


def cells(optimiser: FrankWolfe, width: int) -> tuple[balls.Cell, ...]:
    """Return the balls of a network of this width."""
    return balls.cells(width, optimiser.ball, optimiser.share, optimiser.radius)


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
        chosen: Where v is not zero (``balls.chosen`` of m).
        rate: Learning rate η.
        setting: The optimiser, and the hidden width.

    Source: Zimmer, Spiegel & Pokutta, arXiv:2205.11921; Pokutta, Spiegel & Zimmer,
    arXiv:2010.07243. Damping 0.
    """
    optimiser, width = setting
    on = torch.where(chosen, direction, 0.0)
    found = []
    for cell in cells(optimiser, width):
        theta, m = params[:, cell.columns], direction[:, cell.columns]
        gap = corner(cell, on[:, cell.columns]) - theta
        share = rate * _factor(optimiser.rescale, cell.diameter, m, gap)
        found.append(theta + share.clamp(0.0, 1.0) * gap)
    return torch.cat(found, dim=1)


def corner(cell: balls.Cell, on: Float[Tensor, "N n"]) -> Float[Tensor, "N n"]:
    """Return the point of a ball that lies farthest against a direction.

    Args:
        cell: The ball.
        on: The direction, zero but on its k largest units.
    """
    if cell.ball == "k_polytope":
        return -cell.radius * torch.sign(on)
    return -cell.radius * on / _length(on).clamp_min(TINY)


def _factor(
    rescale: str, diameter: float, m: Tensor, gap: Tensor
) -> Float[Tensor, "N 1"] | float:
    """Return what the learning rate is multiplied with."""
    if rescale == "none":
        return 1.0
    if rescale == "diameter":
        return 1 / diameter
    if rescale == "fast_gradient":
        return _length(m) / (diameter / 2)
    return _length(m) / _length(gap).clamp_min(TINY)


def _length(vectors: Float[Tensor, "N n"]) -> Float[Tensor, "N 1"]:
    return (vectors * vectors).sum(dim=1, keepdim=True).sqrt()
