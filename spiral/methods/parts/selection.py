"""From scores to masks: the exact rule, and the published rules it departs from."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from spiral.model import masks, mlp

Rule = Literal["rank", "topk", "sorted", "strict", "loose"]
"""The first three keep exactly ``keep`` weights and differ where scores are equal:
``rank`` keeps the lower indices, ``topk`` those that ``torch.topk`` returns, ``sorted``
those that it puts first when it sorts all scores. ``strict`` keeps scores above the
keep-th highest, so one weight too few and no ties; ``loose`` keeps scores that are not
below it, so all ties."""

Scores = Float[np.ndarray, "N W"]
Counts = Int[np.ndarray, " N"]
WeightMask = Bool[np.ndarray, "N W"]


def select(scores: Scores, keep: Counts, rule: Rule = "rank") -> WeightMask:
    """Choose the weights to keep by their scores.

    Args:
        scores: The higher the better; -inf and NaN rank below everything.
        keep: How many each network is asked to keep, 0 … W.
        rule: How the count is met (see :data:`Rule`).
    """
    return RULES[rule](scores, keep)


def _topk(scores: Scores, keep: Counts) -> WeightMask:
    kept = np.zeros(scores.shape, bool)
    for count in np.unique(keep):
        rows = np.flatnonzero(keep == count)
        kept[rows[:, None], _found(scores[rows], int(count))] = True
    return kept


def _sorted(scores: Scores, keep: Counts) -> WeightMask:
    size = scores.shape[1]
    kept = np.zeros(scores.shape, bool)
    first = np.arange(size) < np.asarray(keep)[:, None]
    np.put_along_axis(kept, _found(scores, size), first, axis=1)
    return kept


def _found(scores: Scores, count: int) -> Int[np.ndarray, "N K"]:
    """Return the places of the highest scores as torch finds them, the best first."""
    import torch

    return torch.topk(torch.from_numpy(scores), count, dim=1).indices.numpy()


def _strict(scores: Scores, keep: Counts) -> WeightMask:
    return scores > _threshold(scores, keep)


def _loose(scores: Scores, keep: Counts) -> WeightMask:
    return scores >= _threshold(scores, keep)


def _threshold(scores: Scores, keep: Counts) -> Float[np.ndarray, "N 1"]:
    """Return the keep-th highest score of each network; NaN if any score is."""
    broken = np.isnan(scores).any(axis=1, keepdims=True)
    return np.where(broken, np.nan, masks.kth_highest(scores, keep))


RULES: dict[Rule, Callable[[Scores, Counts], WeightMask]] = {
    "rank": masks.keep_top,
    "topk": _topk,
    "sorted": _sorted,
    "strict": _strict,
    "loose": _loose,
}


def by_layer(
    width: int, scores: Scores, shares: Int[np.ndarray, "N L"], rule: Rule = "rank"
) -> WeightMask:
    """Choose each layer's share of the weights by their scores."""
    parts = [
        select(scores[:, layer.columns], share, rule)
        for layer, share in zip(mlp.layers(width), shares.T, strict=True)
    ]
    return np.concatenate(parts, axis=1)


def floored(keep: Counts, total: int) -> Counts:
    """Return int(total · (keep/total)) in floating point: at times ``keep`` - 1."""
    return np.floor(total * (keep / total)).astype(np.int64)


def degenerate(
    scores: Scores, keep: Counts, rule: Rule = "rank"
) -> Shaped[np.ndarray, " N"]:
    """Return the status "degenerate" where too few positive scores rank the weights.

    Among scores that are not positive the lower index decides, so the mask is informed
    by fewer scores than it keeps weights.
    """
    informed = (np.isfinite(scores) & (scores > 0)).sum(axis=1)
    return np.where(informed < keep - (rule == "strict"), "degenerate", "")
