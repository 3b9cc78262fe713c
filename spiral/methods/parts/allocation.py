"""From scores to masks, over all layers or with a share for each.

``choose`` is how a method keeps its best weights under any allocation.
"""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float64
from pydantic import Field

from spiral.methods.entry import Mistake
from spiral.methods.parts import selection, shares
from spiral.methods.parts.scores import sizes_left
from spiral.methods.parts.selection import Counts, Rule, Scores, WeightMask
from spiral.methods.parts.shares import Quota
from spiral.model import masks, mlp
from spiral.protocol.config import origin
from spiral.protocol.job import Method, View

Allocation = Literal["global", Quota, "lamp"]
"""``global`` ranks over all layers, ``lamp`` does so after :func:`lamp`; the others
give each layer a share (``shares.quotas``)."""


Scope = Literal["global", "layer"]

SCOPE: Any = Field(
    "global",
    description="an older option: `layer` says `allocation: uniform`",
    json_schema_extra={"presets": {"layer": {"allocation": "uniform"}}},
)
"""The option ``scope`` of methods that had these two before ``allocation``."""

SAYS_SCOPE: dict[str, Any] = {
    "presets": {"uniform": {"scope": "layer"}},
    "said_by": {"scope": {"layer": "uniform"}},
}
"""Of the option ``allocation`` beside ``scope``: both spellings are one config."""


REMARKS = {
    "uniform_alive": " (at least one each)",
    "erk": " (Erdős–Rényi)",
    "igq": " (ideal gas)",
}
"""What the names of quotas mean."""


def allocation_option(
    source: str, default: Allocation = "global", legal: Any = Allocation, **extra: Any
) -> Any:
    """Return the option ``allocation``.

    Args:
        source: Where the default comes from.
        default: What the method did before it had the option.
        legal: The type of the field, a ``Literal``: its values are explained.
        extra: More that a field may declare.
    """
    text = f"how the weights kept are shared among layers: {_meanings(get_args(legal))}"
    return Field(default, description=text, json_schema_extra=extra | origin(source))


def _meanings(names: tuple[str, ...]) -> str:
    """Explain allocations."""
    *most, last = [n + REMARKS.get(n, "") for n in names if n in get_args(Quota)]
    parts = [f"{', '.join(most)} and {last} give each a quota"]
    if "global" in names:
        lamp_too = ", lamp after normalising within each" if "lamp" in names else ""
        parts.insert(0, f"global ranks over all of them{lamp_too}")
    return "; ".join(parts)


def build_scoped(
    method: Callable[..., Method],
    scope: Scope = "global",
    allocation: Allocation = "global",
    **options: Any,
) -> Method:
    """Build a method that has both options.

    In manifests of versions without ``allocation`` only ``scope`` says that it is
    uniform.
    """
    meant = "uniform" if scope == "layer" else allocation
    return method(allocation=meant, **options)


def check_scope(table: pd.DataFrame) -> list[Mistake]:
    """The two options must not contradict each other."""
    wrong = (table["scope"] == "layer") & (table["allocation"] != "uniform")
    if not wrong.any():
        return []
    value = table["allocation"][wrong].iloc[0]
    text = f"`scope: layer` says `allocation: uniform`, got {value}; leave `scope` out"
    return [Mistake("allocation", text, value)]


def check_pattern(table: pd.DataFrame) -> list[Mistake]:
    """Of methods whose ``scope`` may be a pattern: it leaves no choice of shares."""
    wrong = (table["scope"] != "global") & (table["allocation"] != "global")
    if not wrong.any():
        return []
    scope, value = table[["scope", "allocation"]][wrong].iloc[0]
    text = f"`scope: {scope}` leaves no choice of shares, got {value}; set"
    text += " `allocation: global`, or leave `scope` out"
    return [Mistake("allocation", text, value)]


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
        least = np.finfo(scores.dtype).min / 2  # of NaN and -inf, if they are kept
        scores = np.where(kept, np.fmax(scores, least), -np.inf)
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
    left = None
    if rule == "rank" and allocation != "global":  # there pruned ones rank last anyway
        left = masks.of_weights(view.masks, view.width)
    return choose(sizes, keep, allocation, rule, view.width, left)


def lamp(scores: Scores, width: int) -> Float64[np.ndarray, "N W"]:
    """Normalise scores within each layer as LAMP does.

    In a layer's ascending order u_i = s_i / Σ_{j ≥ i} s_j, so u is 1 for the highest:
    no layer with a positive score is emptied while as many weights as layers are kept.
    Ties go to the lower index, as in ``masks.keep_top``, so within a layer u ranks as
    the scores do. Invariant to the scale of a layer.

    Departures: sums go from the highest score down, in float64, so that u is exactly 1
    for it. (The authors subtract running float32 sums from the total: .9977 to 1.0019
    for a million weights.) Scores that are not positive stay as they are, which ranks
    them below all others.

    Source: Lee et al., ICLR 2021, arXiv:2010.07611, applied to any scores.
    """
    found = np.nan_to_num(scores.astype(np.float64), nan=-np.inf, neginf=-np.inf)
    for layer in mlp.layers(width):
        part = found[:, layer.columns]
        order = np.argsort(-part, axis=1, kind="stable")
        ranked = np.take_along_axis(part, order, axis=1)
        positive = ranked > 0
        size = np.where(positive, ranked, 0)
        size /= np.where(positive[:, :1], ranked[:, :1], 1)  # so that sums are finite
        np.divide(size, np.cumsum(size, axis=1), out=ranked, where=positive)
        np.put_along_axis(part, order, ranked, axis=1)
    return found
