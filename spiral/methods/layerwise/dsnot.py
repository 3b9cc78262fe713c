"""``dsnot``: weights of a mask change places until each unit's mean is right."""

from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64
from pydantic import Field

from spiral.methods.layerwise import layers, wanda
from spiral.methods.layerwise.layers import Kept, Layer, Weights
from spiral.protocol.config import origin, unit

Row = Float64[np.ndarray, " I"]
TINY = 1e-12
"""Least variance of an input."""


class DsnotOptions(layers.LayerOptions):
    """Options of ``dsnot``."""

    compare: wanda.Compare = wanda.COMPARE
    swaps: int = Field(
        50,
        ge=1,
        description="most exchanges in a unit",
        json_schema_extra=unit("exchanges") | origin("authors' README"),
    )
    threshold: float = Field(
        0.1,
        ge=0,
        description="mean error of a unit below which it is left",
        json_schema_extra=unit("-")
        | origin("authors' README, where means are sums over a sequence"),
    )


def build(
    compare: wanda.Compare, swaps: int, threshold: float, **options: Any
) -> layers.LayerWise:
    """Dynamic sparse no training (Zhang et al., ICLR 2024, arXiv:2310.08915).

    From the mask of Wanda, in each unit: bring back the removed weight that lowers the
    mean error of its output most, for the variance of its input, and remove the kept
    one of lowest Wanda score that lowers it, too, while the error keeps its sign.
    Weights do not change.

    Departures: a unit ends where no removed weight lowers its error, so that counts
    stay exact. Biases could take up the mean error without any exchange here; the
    authors' networks have none.
    """
    found = partial(prune, compare=compare, swaps=swaps, threshold=threshold)
    return layers.LayerWise(**options, prune=found)


def prune(
    layer: Layer, keep: int, compare: wanda.Compare, swaps: int, threshold: float
) -> tuple[Weights, Kept]:
    """Exchange weights of each unit in Wanda's mask."""
    _, kept = wanda.PRUNE[compare](layer, keep)
    inputs = layer.inputs[:, layer.prunable]
    norms = np.sqrt((inputs**2).sum(axis=0))
    variance = np.maximum(inputs.var(axis=0), TINY)
    for weights, own in zip(layer.weights, kept, strict=True):
        free, some = weights[layer.prunable], own[layer.prunable]
        means = free * inputs.mean(axis=0)
        exchange(means, means / variance, np.abs(free) * norms, some, swaps, threshold)
        own[layer.prunable] = some
    return np.where(kept, layer.weights, 0), kept


def exchange(
    means: Row,
    grow: Row,
    scores: Row,
    kept: Bool[np.ndarray, " I"],
    swaps: int,
    threshold: float,
) -> None:
    """Exchange weights of one unit, in ``kept``.

    Args:
        means: Mean of what each weight adds to the output.
        grow: Those that come back are highest or lowest in this.
        scores: Those that are kept and low in this go first.
        kept: The mask.
        swaps: Most exchanges.
        threshold: Mean error to end at.
    """
    error = means[~kept].sum()
    begin = np.sign(error)
    best = np.argsort(begin * grow, kind="stable")[::-1]
    comes = best[~kept[best] & (begin * means[best] > 0)]
    lowest = np.argsort(scores, kind="stable")
    goes = lowest[kept[lowest] & (begin * means[lowest] < 0)]
    for into, out in zip(comes[:swaps], goes[:swaps], strict=False):
        after = error + means[out] - means[into]
        if abs(error) <= threshold or np.sign(after) != begin:
            return
        kept[into], kept[out], error = True, False, after


ENTRY = layers.entry(
    build=build,
    summary="exchanges in Wanda's mask until each unit's mean is right",
    citation="Zhang et al., ICLR 2024, arXiv:2310.08915; code: zyxxmu/DSnoT",
    criterion="mean error",
    options=DsnotOptions,
    gradients=lambda table: 0.1 * table["points"].to_numpy(np.float64),
    colour="#999933",
)
