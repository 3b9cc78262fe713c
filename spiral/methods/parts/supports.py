"""Which weights of a quadratic model to keep, and how the others compensate.

Near the trained weights w the loss changes by q(δ) = gᵀδ + δᵀMδ/2, with M positive
definite. Removing the weights S sets δ_S = -w_S; what q then costs depends on what the
others are allowed to do. M is made of blocks, between which nothing is known.

- ``greedy`` (Hassibi & Stork 1992): one weight at a time, the cheapest, whereupon the
  others compensate for it;
- ``independent`` (Singh & Alistarh 2020): the lowest w²/[M⁻¹]_ii all at once;
- ``swaps`` (Yu et al. 2022): exchange kept and removed weights while that lowers q;
- ``l0`` (Benbaki et al. 2023): iterative hard thresholding, in ``thresholding``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from spiral.methods.parts import brain_surgeon
from spiral.methods.parts.brain_surgeon import STAYS
from spiral.model import masks

Compensate = Literal["joint", "single", "none"]
SwapCost = Literal["joint", "none"]

Vector = Float[np.ndarray, " n"]
Matrix = Float[np.ndarray, "n n"]
Kept = Bool[np.ndarray, " n"]


@dataclass(frozen=True)
class Quadratic:
    """The model of one block."""

    weights: Vector
    matrix: Matrix
    """M, damped."""
    slope: Vector
    """g."""
    groups: Int[np.ndarray, " n"]
    """Which number of removals each weight counts towards; STAYS for biases, which
    compensate only."""


Blocks = Sequence[Quadratic]
Removals = Int[np.ndarray, " G"]


def greedy(blocks: Blocks, removals: Removals) -> list[Kept]:
    """Keep what is left when the cheapest weight is removed each time."""
    from spiral.model import curvature

    parts = [
        brain_surgeon.Block(
            b.weights[None].copy(), curvature.inverse(b.matrix), b.groups
        )
        for b in blocks
    ]
    kept = [np.ones(len(b.weights), bool) for b in blocks]
    for one in brain_surgeon.cheapest_first(parts, removals):
        kept[one.block][one.unit] = False
    return kept


def independent(blocks: Blocks, removals: Removals) -> list[Kept]:
    """Keep the weights of highest w²/[M⁻¹]_ii, as if none changed another's cost."""
    from spiral.model import curvature

    found = [curvature.inverse(b.matrix).diagonal() for b in blocks]
    scores = [b.weights**2 / each for b, each in zip(blocks, found, strict=True)]
    return largest(blocks, scores, left_by(blocks, removals))


def left_by(blocks: Blocks, removals: Removals) -> Int[np.ndarray, " G"]:
    """Return how many weights of each group stay after so many removals."""
    groups = np.concatenate([b.groups for b in blocks])
    sizes = np.bincount(groups[groups != STAYS], minlength=len(removals))
    return sizes - np.asarray(removals)


def largest(
    blocks: Blocks, scores: Sequence[Vector], stay: Int[np.ndarray, " G"]
) -> list[Kept]:
    """Keep the weights of highest score in each group, and all biases."""
    groups = np.concatenate([b.groups for b in blocks])
    every = np.concatenate(scores)
    kept = groups == STAYS
    for group, count in enumerate(stay):
        own = groups == group
        kept[own] = masks.keep_top(every[own][None], np.array([count]))[0]
    return np.split(kept, np.cumsum([len(b.weights) for b in blocks])[:-1])


def swapped(block: Quadratic, kept: Kept, cost: SwapCost, least: float) -> Kept:
    """Exchange a kept and a removed weight, the best pair first, while q falls.

    Args:
        block: The model.
        kept: Where to begin.
        cost: ``joint`` lets all others compensate at each exchange; ``none`` leaves
            them as they are (the published objective; twice q in the authors' code).
        least: How much an exchange must lower q.
    """
    kept, gains = kept.copy(), SWAPS[cost]
    while True:
        inside = np.flatnonzero(kept & (block.groups != STAYS))
        outside = np.flatnonzero(~kept)
        if not len(inside) or not len(outside):
            return kept
        change = gains(block, kept, inside, outside)
        alike = block.groups[inside][:, None] == block.groups[outside]
        change = np.where(alike, change, np.inf)
        out, into = np.unravel_index(np.argmin(change), change.shape)
        if not change[out, into] <= -least:
            return kept
        kept[inside[out]], kept[outside[into]] = False, True


Places = Int[np.ndarray, " k"]


def _joint_changes(
    block: Quadratic, kept: Kept, inside: Places, outside: Places
) -> Float[np.ndarray, "k r"]:
    """Return what q changes by if i comes in and then j goes, others compensating.

    Both steps are those of the brain surgeon: i takes the value -r/s and gains r²/2s,
    for r the slope of q and s the curvature along i when the kept ones follow; then
    removing j costs half of its square over its entry of the new inverse.
    """
    from spiral.model import curvature

    among = np.flatnonzero(kept)
    own = np.searchsorted(among, inside)
    m = block.matrix
    inverse = curvature.inverse(np.ascontiguousarray(m[np.ix_(among, among)]))
    delta = compensated(block, kept, "joint") - block.weights
    across = m[np.ix_(among, outside)]
    follow = np.einsum("ij,jk->ik", inverse, across)
    r = block.slope[outside] + np.einsum("ij,j->i", m[outside], delta)
    s = m[outside, outside] - np.einsum("ij,ij->j", across, follow)
    value = (block.weights + delta)[inside][:, None] + follow[own] * (r / s)
    diagonal = inverse[own, own][:, None] + follow[own] ** 2 / s
    return value**2 / diagonal / 2 - r**2 / s / 2


def _bare_changes(
    block: Quadratic, kept: Kept, inside: Places, outside: Places
) -> Float[np.ndarray, "k r"]:
    """Return what q changes by if i comes in and j goes, all others as trained."""
    w, m = block.weights, block.matrix
    pull = np.einsum("ij,j->i", m[:, outside], w[outside])
    own = m.diagonal() * w**2 / 2
    goes = w * pull + own - block.slope * w
    comes = w * pull - own - block.slope * w
    pairs = w[inside][:, None] * m[np.ix_(inside, outside)] * w[outside]
    return goes[inside][:, None] - comes[outside] - pairs


SWAPS = {"joint": _joint_changes, "none": _bare_changes}


def compensated(block: Quadratic, kept: Kept, how: Compensate) -> Vector:
    """Return the weights after the others were removed.

    Args:
        block: The model.
        kept: What stays; everything else is 0 in the result.
        how: ``joint``: the least q of all weights that stay. ``single``: the sum of
            what removing each weight alone asks for (as WoodFisher's code does).
            ``none``: as they were.
    """
    from spiral.model import curvature

    gone, found = ~kept, np.where(kept, block.weights, 0)
    if how == "none" or not gone.any():
        return found
    if how == "single":
        inverse = curvature.inverse(block.matrix)
        share = np.where(gone, block.weights / inverse.diagonal(), 0)
        return np.where(kept, block.weights - (inverse * share).sum(axis=1), 0)
    own = np.ascontiguousarray(block.matrix[np.ix_(kept, kept)])
    pull = (block.matrix[kept] * np.where(gone, block.weights, 0)).sum(axis=1)
    found[kept] += curvature.solve(own, pull - block.slope[kept])
    return found
