"""Hidden units as groups of parameters: members, scores, and which units stay.

Unit j of hidden layer l is its incoming row, its bias and its outgoing column: they go
together, and the others compute as if it had never been (ReLU(0) = 0). With a, b and c
units in the hidden layers a network has 2a + ab + bc + c weights; at least 1, 1 and 1
stay, which is 5 weights.
"""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from pydantic import Field

from spiral.methods.entry import Mistake
from spiral.methods.parts.scores import sizes
from spiral.model import masks, mlp
from spiral.protocol.job import Mask, Params

HIDDEN = 3
FEWEST = 5
"""Weights of one unit in each hidden layer."""

Units = Bool[np.ndarray, "N 3 w"]
Scores = Float[np.ndarray, "N 3 w"]
Counts = Int[np.ndarray, " N"]

Aggregate = Literal["sum", "mean", "max", "prod", "first"]
Normalise = Literal["none", "mean", "max", "sum"]
Biases = Literal["score", "ignore"]
Scope = Literal["global", "layer"]
Remainder = Literal["units", "weights"]

REMAINDER: Any = Field(
    "units",
    description="units: at most `keep` weights; weights: exactly `keep`, since the "
    "smallest weights go where the next unit would leave too few",
)
"""The option ``remainder`` of methods that remove units."""


def scope_option(default: Scope) -> Any:
    """Return the option ``scope`` of methods that remove units."""
    text = "units of all layers compete, or all layers shrink alike"
    return Field(default, description=text)


REDUCE: dict[str, Callable[..., Any]] = {"sum": np.sum, "mean": np.mean, "max": np.max}


@cache
def members(width: int) -> tuple[Int[np.ndarray, "w G"], ...]:
    """Return the flat places of each unit's parameters, for each hidden layer.

    A line is the incoming row, the bias, the outgoing column.
    """
    stack = mlp.matrices(np.arange(mlp.param_count(width)), width)
    return tuple(
        np.concatenate([weights, biases[:, None], following.T], axis=1)
        for (weights, biases), (following, _) in pairwise(stack)
    )


def scores(
    values: Float[np.ndarray, "N P"], width: int, aggregate: Aggregate, biases: Biases
) -> Scores:
    """Combine the scores of parameters into scores of units.

    Args:
        values: A score for each parameter.
        width: Hidden width w.
        aggregate: ``first`` sums the incoming row alone. ``prod`` is the geometric
            mean of magnitudes: it ranks units of a layer as their product does, which
            float64 does not hold at width 256.
        biases: Whether biases count.
    """
    found = []
    for layer, places in zip(mlp.layers(width), members(width), strict=False):
        inputs = layer.inputs
        if aggregate == "first":
            stop = inputs + (biases == "score")
            found.append(values[:, places[:, :stop]].sum(axis=2))
            continue
        chosen = places if biases == "score" else np.delete(places, inputs, axis=1)
        found.append(_gathered(values[:, chosen], aggregate))
    return np.stack(found, axis=1)


def _gathered(values: Float[np.ndarray, "N w G"], aggregate: Aggregate) -> np.ndarray:
    """Return one number for each unit."""
    if aggregate == "prod":
        with np.errstate(divide="ignore"):
            return np.exp(np.log(np.abs(values)).mean(axis=2))
    return np.asarray(REDUCE[aggregate](values, axis=2))


def normalised(scores: Scores, how: Normalise) -> Scores:
    """Divide each layer's scores by their mean, maximum or sum of magnitudes.

    A layer whose scores are all zero stays as it is.
    """
    if how == "none":
        return scores
    scale = REDUCE[how](np.abs(scores), axis=2, keepdims=True)
    return scores / np.where(scale > 0, scale, 1)


def within_layers(scores: Scores) -> Scores:
    """Replace scores by ranks within a layer, so that all layers shrink alike."""
    order = _lowest_first(scores)
    ranks = np.empty(scores.shape)
    np.put_along_axis(ranks, order, np.arange(scores.shape[2], dtype=float), axis=2)
    return ranks


def _lowest_first(scores: np.ndarray) -> Int[np.ndarray, "..."]:
    """Sort places by score; NaN comes first, and of equals the higher index."""
    known = np.where(np.isnan(scores), -np.inf, scores)[..., ::-1]
    return scores.shape[-1] - 1 - np.argsort(known, axis=-1, kind="stable")


def count(sizes: Int[np.ndarray, "N 3"]) -> Counts:
    """Return the weights of dense blocks."""
    a, b, c = sizes.T
    return mlp.INPUTS * a + a * b + b * c + c


def best(
    scores: Scores,
    keep: Counts,
    alive: Units | None = None,
    remainder: Remainder = "units",
) -> Units:
    """Remove units one by one, the lowest score first.

    No layer loses its last unit; of equals the lower layer and index stays.

    Args:
        scores: The higher the better.
        keep: Weights that may stay; fewer than ``FEWEST`` cannot be met.
        alive: Units that are left; all by default.
        remainder: ``units`` stops at ``keep`` weights or the first count below;
            ``weights`` removes no unit that would leave fewer than ``keep``.
    """
    networks, _, width = scores.shape
    stay = np.ones(scores.shape, bool) if alive is None else alive.copy()
    every = np.arange(networks)
    for place in _lowest_first(scores.reshape(networks, -1)).T:
        layer, unit = np.divmod(place, width)
        sizes = stay.sum(axis=2)
        enough = sizes[every, layer] > 1
        goes = stay[every, layer, unit] & enough & (count(sizes) > keep)
        if remainder == "weights":
            sizes[every, layer] -= 1
            goes &= count(sizes) >= keep
        stay[every[goes], layer[goes], unit[goes]] = False
    return stay


def best_of(scores: Scores, keep: Counts, scope: Scope, remainder: Remainder) -> Units:
    """Return the units that stay, of all layers or of each."""
    if scope == "layer":
        scores = within_layers(scores)
    return best(scores, keep, remainder=remainder)


def mask_of(
    units: Units, params: Params, keep: Counts, remainder: Remainder = "units"
) -> Mask:
    """Return the masks of networks of some units.

    Args:
        units: Those that stay.
        params: Parameters; of the weights left over the largest stay.
        keep: Weights asked for.
        remainder: ``weights`` drops weights until exactly ``keep`` are left.
    """
    width = units.shape[2]
    kept = masks.of_units(units)
    if remainder == "weights":
        kept = masks.keep_top(sizes(params, kept, width), keep)
    return masks.with_biases(kept, width)


def check(table: pd.DataFrame) -> list[Mistake]:
    """The weights must allow one unit in each hidden layer."""
    few = table[table["keep"] < FEWEST]
    if few.empty:
        return []
    keep = few["keep"].iloc[0]
    text = f"expected at least {FEWEST}, a unit in each hidden layer; got {keep}"
    return [Mistake("keep", text, keep)]
