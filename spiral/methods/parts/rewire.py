"""Rewiring, the step of dynamic sparse training: some weights go, as many others come.

At an event every layer keeps its best weights by one score (:func:`stay`) and gains
others by a second one (:func:`grow`). The pieces here differ from method to method only
in these scores and in the counts. A weight that goes may come back in the same event.

Masks and scores are of weights [N, W], counts are of layers [N, L]; the higher a score,
the better.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32, Int, Shaped
from pydantic import Field

from spiral.methods.parts import fractions
from spiral.methods.parts.allocation import Allocation, choose
from spiral.methods.parts.scores import drawn
from spiral.methods.parts.selection import Counts, Rule, by_layer
from spiral.model import masks, mlp
from spiral.protocol import budgets
from spiral.protocol.config import origin, unit
from spiral.protocol.job import Budget, Change, Plan, View

WeightMask = Bool[np.ndarray, "N W"]
Scores = Shaped[np.ndarray, "N W"]
LayerCounts = Int[np.ndarray, "N L"]

LEAST_SWAP = 0.005
"""Share of each layer that ``snfs`` and ``granet`` swap when training ends: the
authors' codes."""

Fraction = Literal["constant", "cosine"]
"""Whether the share to replace stays, or falls to 0 when updates end."""


@dataclass(frozen=True)
class Rewiring:
    """A method that draws a first mask, and rewires it between training steps.

    Its ``act`` follows from the step and remembers nothing.
    """

    update_interval: int
    update_end: float

    def plan(self, budget: Budget) -> Plan:
        """The first mask, then updates between training steps."""
        steps = events(budget, self.update_interval, self.update_end)
        return Plan.simple(budget, *steps)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def last(self, view: View) -> int:
        """Return the step at which updates end."""
        return int(self.update_end * view.plan.steps)

    def share(self, view: View, at_first: float, fraction: Fraction) -> float:
        """Return the share to replace at this step."""
        if fraction == "constant":
            return at_first
        return cosine(at_first, view.step, self.last(view))


def update_interval(steps: int, source: str) -> Any:
    """Return the option ``update_interval``, given where its default comes from."""
    text, declared = "steps between updates", unit("steps") | origin(source)
    return Field(steps, ge=1, description=text, json_schema_extra=declared)


def update_end(fraction: float, source: str) -> Any:
    """Return the option ``update_end``, given where its default comes from."""
    return fractions.above_zero(
        fraction, "fraction of training at which updates end", source
    )


def events(budget: Budget, interval: int, end: float) -> tuple[int, ...]:
    """Return step 0, for the first mask, and every ``interval`` steps until ``end``.

    Never after training: weights that come then would stay at 0.
    """
    last = min(budget.at(end), budget.steps - 1)
    return (0, *range(interval, last + 1, interval))


def updates(table: pd.DataFrame) -> np.ndarray:
    """Return the number of updates of every config.

    As a price: half a gradient each, in float32, and ranking.
    """
    columns = ("epochs", "update_end", "update_interval")
    epochs, end, interval = (table[c].to_numpy(np.float64) for c in columns)
    return epochs * budgets.steps_of_each(table) * end / interval


def first(view: View, keep: Counts, allocation: Allocation, purpose: str) -> Change:
    """Return the change to a first mask: random places, exact counts."""
    kept = choose(drawn(view, purpose), keep, allocation, "rank", view.width)
    return Change(masks=masks.with_biases(kept, view.width))


def cosine(first_share: float, step: int, end: int, least: float = 0.0) -> float:
    """Return the share to swap: it falls from step 0 to ``least`` at step ``end``."""
    return float(least + (first_share - least) / 2 * (1 + np.cos(step * np.pi / end)))


def lasting(first_share: float, view: View) -> float:
    """Return the share to swap: it falls to ``LEAST_SWAP`` at the end of training."""
    least = min(LEAST_SWAP, first_share)
    return cosine(first_share, view.step, view.plan.steps, least)


def stay(
    scores: Scores, left: LayerCounts, width: int, rule: Rule = "rank"
) -> WeightMask:
    """Return the weights that stay: of each layer the ``left`` best.

    Args:
        scores: The caller ranks pruned weights below kept ones, as ``scores.sizes``.
        left: Weights of each layer that stay.
        width: Hidden width w.
        rule: Which of equal scores stay.
    """
    return by_layer(width, scores, left, rule)


def grow(
    staying: WeightMask,
    scores: Scores,
    counts: LayerCounts,
    width: int,
    rule: Rule = "rank",
) -> WeightMask:
    """Return the mask after each layer gained ``counts`` of the weights not staying."""
    others = np.where(staying, -np.inf, scores)
    return staying | by_layer(width, others, counts, rule)


def noise(view: View, some: Int[np.ndarray, " M"]) -> Float[np.ndarray, "N W"]:
    """Return random scores of some networks, new ones at every step; 0 for others."""
    found = np.zeros((len(view.keep), mlp.weight_count(view.width)))
    purpose, size = f"grow/{view.step}", found.shape[1]
    for n in some:
        found[n] = view.stream(int(n), purpose).random(size)
    return found


def slopes(
    view: View, kept: WeightMask, some: Int[np.ndarray, " M"], step: int
) -> Float32[np.ndarray, "M W"]:
    """Return the dense gradient of some networks on the batch of a step.

    Pruned weights, too, have a gradient: that at the value 0.
    """
    from spiral.model import gradients

    masked = (view.params * masks.with_biases(kept, view.width))[some]
    points, labels = view.batch(step)
    batch = (points[some], labels[some])
    dense = gradients.gradient(masked, batch, view.width, kind=np.float32)
    return masks.of_weights(dense, view.width)


def steepness(view: View, kept: WeightMask) -> Float[np.ndarray, "N W"]:
    """Return the absolute gradient of every weight on the coming batch.

    NaN counts as 0, so that a diverged network, too, keeps its number of weights.
    """
    everyone = np.arange(len(kept))
    return np.nan_to_num(np.abs(slopes(view, kept, everyone, view.step)))


def change(
    view: View,
    staying: WeightMask,
    kept: WeightMask,
    fresh: Float[np.ndarray, "N W"] | float = 0.0,
) -> Change:
    """Return the change to a mask whose other weights stay as they are.

    Args:
        view: What the method saw.
        staying: Weights that keep value and momentum.
        kept: All weights kept. Those that are not staying are new, also where they
            were there before: they start without momentum.
        fresh: The value of new weights.
    """
    weights = mlp.is_weight(view.width)
    new = np.zeros(view.params.shape, bool)
    new[:, weights] = kept & ~staying
    values = np.zeros(view.params.shape, np.float32)
    values[:, weights] = fresh
    return Change(
        masks=masks.with_biases(kept, view.width),
        params=np.where(new, values, view.params),
        reset_momentum=new,
    )
