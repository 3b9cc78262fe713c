"""From scores to masks, over all layers or with a share for each.

``choose`` is how a method keeps its best weights under any allocation.
"""

from typing import Any, Literal

import numpy as np
from jaxtyping import Float64
from pydantic import Field

from spiral.methods.parts import selection, shares
from spiral.methods.parts.scores import sizes_left
from spiral.methods.parts.selection import Counts, Rule, Scores, WeightMask
from spiral.model import masks, mlp
from spiral.protocol.job import View

Allocation = Literal["global", "uniform", "uniform_alive", "erk", "igq", "lamp"]
"""``global`` ranks over all layers, ``lamp`` does so after :func:`lamp`; the others
give each layer a share (``shares.quotas``)."""


def option(origin: str, default: Allocation = "global") -> Any:
    """Return the option ``allocation``.

    Args:
        origin: Where the default comes from.
        default: What the method did before it had the option.
    """
    text = (
        "how the weights kept are shared among layers: ranked over all of them "
        "(global), in proportion to sizes (uniform; uniform_alive: at least one each), "
        "by Erdős–Rényi densities (erk; Mocanu et al. 2018), by ideal gas quotas (igq; "
        "Vysogorets & Kempe 2023), or ranked over all of them by scores that LAMP "
        f"normalises within each (Lee et al. 2021); default: {origin}"
    )
    return Field(default, description=text)


def choose(
    scores: Scores,
    keep: Counts,
    allocation: Allocation,
    rule: Rule,
    width: int,
    kept: WeightMask | None = None,
) -> WeightMask:
    """Choose the weights to keep by their scores.

    Args:
        scores: The higher the better, comparable between layers for ``global``; for
            ``lamp`` squares of magnitudes, or first-order scores themselves. NaN and
            -inf rank below everything.
        keep: How many each network keeps, 0 … W.
        allocation: How they are shared among layers.
        rule: How a count is met (see ``selection.Rule``).
        width: Hidden width w.
        kept: Weights that are left, if others may not return: those rank below
            everything, and no layer is asked for more than it still has.
    """
    left = None if kept is None else shares.of_mask(kept, width)
    if kept is not None:
        scores = np.where(kept, scores, -np.inf)
    if allocation == "global":
        return selection.select(scores, keep, rule)
    if allocation == "lamp":
        return selection.select(lamp(scores, width), keep, rule)
    found = shares.quotas(keep, width, allocation, left)
    return selection.by_layer(width, scores, found, rule)


def largest(
    view: View,
    keep: Counts,
    allocation: Allocation = "global",
    rule: Rule = "rank",
) -> WeightMask:
    """Choose the largest of the weights that a view's masks keep.

    LAMP scores are of squares, as published. Rules that do not meet a count exactly ask
    a layer for its share even if it has fewer weights left, as the published codes do.
    """
    sizes: Scores = sizes_left(view)
    if allocation == "lamp":
        sizes = sizes.astype(np.float64) * np.abs(sizes)  # pruned ones stay negative
    left = masks.of_weights(view.masks, view.width)
    exact = rule == "rank" and allocation != "global"  # there pruned ones rank last
    return choose(sizes, keep, allocation, rule, view.width, left if exact else None)


def lamp(scores: Scores, width: int) -> Float64[np.ndarray, "N W"]:
    """Normalise scores within each layer as LAMP does.

    In a layer's ascending order u_i = s_i / Σ_{j ≥ i} s_j, so u is 1 for the highest:
    no layer with a positive score is emptied while as many weights as layers are kept.
    Ties go to the lower index, as in ``masks.keep_top``, so within a layer u ranks as
    the scores do. Invariant to the scale of a layer.

    Departures: sums go from the highest score down, in float64, so that u is exactly 1
    for it. (The authors subtract running float32 sums from the total: .9977 to 1.0019
    for a million weights.) Scores that are not positive, which magnitudes cannot be,
    keep their order, below all others: they are divided by the layer's largest.

    Source: Lee et al., ICLR 2021, arXiv:2010.07611, applied to any scores.
    """
    found = np.nan_to_num(scores.astype(np.float64), nan=-np.inf, neginf=-np.inf)
    least = np.finfo(np.float64).tiny
    for layer in mlp.layers(width):
        part, usable = found[:, layer.columns], np.isfinite(found[:, layer.columns])
        top = np.abs(part).max(axis=1, where=usable, initial=least, keepdims=True)
        order = np.argsort(-part, axis=1, kind="stable")
        ranked = np.take_along_axis(part / top, order, axis=1)
        above = np.cumsum(np.maximum(ranked, 0), axis=1)
        share = np.divide(ranked, above, out=ranked, where=ranked > 0)
        np.put_along_axis(part, order, share, axis=1)
    return found
