"""``l0`` of ``supports``: iterative hard thresholding of a quadratic model.

Find β with at most k weights that has the least q(β - w) (Benbaki et al., ICML 2023,
arXiv:2302.14623), in the authors' steps: within an active set of 1.5 k weights,
gradient steps each followed by keeping the k largest, as far along the gradient as q
falls; then the set grows by what a step over all weights brings in, until none helps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from spiral.methods.parts import supports
from spiral.methods.parts.brain_surgeon import STAYS
from spiral.methods.parts.supports import Kept, Quadratic

ACTIVE = 1.5
"""Weights of the first active set, as a multiple of those kept."""
MARGIN = 1.05
"""Factor on the largest eigenvalue, which makes a step of 1/L safe."""
SETTLED = 1e-7
"""Share of q below which a step's gain ends the steps."""
DOUBLINGS = 5
"""Steps tried past the one at which the support changes."""
HALVINGS = 10
"""Values of L tried in the search for weights outside the active set."""

Vector = Float[np.ndarray, " n"]


@dataclass(frozen=True)
class _Problem:
    """All blocks as one; biases always stay."""

    blocks: Sequence[Quadratic]
    weights: Vector
    slope: Vector
    groups: Int[np.ndarray, " n"]
    stay: Int[np.ndarray, " G"]

    def split(self, vector: np.ndarray) -> list[np.ndarray]:
        """Cut a vector into blocks."""
        return np.split(vector, np.cumsum([len(b.weights) for b in self.blocks])[:-1])

    def times(self, vector: Vector) -> Vector:
        """Return M times a vector, without BLAS, whose sums depend on threads."""
        pairs = zip(self.blocks, self.split(vector), strict=True)
        return np.concatenate([(b.matrix * part).sum(axis=1) for b, part in pairs])

    def steepness(self, active: Kept) -> float:
        """Return L: a little more than the largest eigenvalue of M on some weights."""
        from spiral.model import curvature

        found = [
            curvature.spectrum(np.ascontiguousarray(b.matrix[np.ix_(on, on)]))[0][-1]
            for b, on in zip(self.blocks, self.split(active), strict=True)
            if on.any()
        ]
        return MARGIN * max(found)

    def gradient(self, beta: Vector) -> Vector:
        """Return the gradient of q at β."""
        return self.slope + self.times(beta - self.weights)

    def value(self, beta: Vector) -> float:
        """Return q at β."""
        delta = beta - self.weights
        return float((delta * (self.slope + self.times(delta) / 2)).sum())

    def hard(self, beta: Vector, stay: Int[np.ndarray, " G"] | None = None) -> Vector:
        """Set all but the largest entries of each group to 0."""
        count = self.stay if stay is None else stay
        sizes = self.split(np.where(beta == 0, -1.0, np.abs(beta)))
        return np.where(
            np.concatenate(supports.largest(self.blocks, sizes, count)), beta, 0
        )


def l0(
    blocks: Sequence[Quadratic], removals: Int[np.ndarray, " G"], rounds: int
) -> list[Kept]:
    """Keep the weights on which hard thresholding settles.

    Args:
        blocks: The model.
        removals: How many weights of each group to remove.
        rounds: Most steps within an active set, and most active sets.
    """
    every = supports.left_by(blocks, np.zeros_like(removals))
    problem = _Problem(
        blocks,
        weights=np.concatenate([b.weights for b in blocks]),
        slope=np.concatenate([b.slope for b in blocks]),
        groups=np.concatenate([b.groups for b in blocks]),
        stay=every - removals,
    )
    beta, bias = problem.weights, problem.groups == STAYS
    step = beta - problem.gradient(beta) / problem.steepness(np.ones(len(beta), bool))
    wide = np.minimum(
        every, np.maximum(problem.stay, (ACTIVE * problem.stay).astype(int))
    )
    active = bias | (problem.hard(step, wide) != 0)
    for _ in range(rounds):
        beta = _settle(problem, np.where(active, beta, 0), active, rounds)
        beta, found = _outside(problem, beta, active)
        if not found.any():
            break
        active = active | found
    sizes = problem.split(np.where(beta == 0, -1.0, np.abs(beta)))
    return supports.largest(blocks, sizes, problem.stay)


def _settle(problem: _Problem, beta: Vector, active: Kept, rounds: int) -> Vector:
    """Step within the active set until q settles."""
    slope = np.where(active, problem.gradient(beta), 0)
    beta = problem.hard(beta - slope / problem.steepness(active))
    before = problem.value(beta)
    for number in range(rounds):
        beta = _search(problem, beta, active)
        after = problem.value(beta)
        if number and abs(before - after) <= SETTLED * max(abs(before), abs(after)):
            break
        before = after
    return beta


def _search(problem: _Problem, beta: Vector, active: Kept) -> Vector:
    """Step along the gradient: to the best β of this support, or past its change."""
    slope = np.where(active, problem.gradient(beta), 0)
    support = beta != 0
    inner = np.where(support, slope, 0)
    bend = float((inner * problem.times(inner)).sum())
    best = float((inner**2).sum()) / bend if bend > 0 else 0.0
    change = _first_change(problem, beta, slope, support, active)
    if best < change:
        return problem.hard(beta - best * slope)
    found, lowest, step = beta, problem.value(beta), change / (1 + 1e-4)
    for _ in range(DOUBLINGS):
        tried = problem.hard(beta - step * slope)
        value = problem.value(tried)
        if not value < lowest:
            break
        found, lowest, step = tried, value, 2 * step
    return found


def _first_change(
    problem: _Problem,
    beta: Vector,
    slope: Vector,
    support: Bool[np.ndarray, " n"],
    active: Kept,
) -> float:
    """Return the step at which a weight outside grows past one of the support."""
    found = np.inf
    for group in range(len(problem.stay)):
        own = problem.groups == group
        outside = np.abs(slope[own & active & ~support]).max(initial=0)
        size, pull = np.abs(beta[own & support]), np.abs(slope[own & support])
        shrinks = np.sign(beta[own & support]) == np.sign(slope[own & support])
        closing = outside + np.where(shrinks, pull, -pull)
        steps = size[closing > 0] / closing[closing > 0]
        found = min(found, np.min(steps, initial=np.inf))
    return float(found)


def _outside(problem: _Problem, beta: Vector, active: Kept) -> tuple[Vector, Kept]:
    """Look for weights outside the active set that a longer and longer step brings in.

    As in the authors' code the last step, which no longer lowers q, says which weights
    join the active set, and the one before it where to go on.

    Returns:
        The last β that lowered q with weights from outside, or β; and which weights
        join, none if there is no such β.
    """
    best, lowest, outliers = beta, problem.value(beta), np.zeros(len(beta), bool)
    slope, steep = problem.gradient(beta), 2 * problem.steepness(active)
    for _ in range(HALVINGS):
        tried = problem.hard(beta - slope / steep)
        outliers = (tried != 0) & ~active
        if problem.value(tried) >= lowest:
            break
        if outliers.any():
            best = tried
        steep /= 2
    return best, outliers & (best is not beta)
