"""Masks with a pattern in each layer: N:M along inputs, and layers of equal density."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped
from pydantic import Field

from spiral.methods.entry import Mistake
from spiral.methods.parts.selection import by_layer
from spiral.methods.parts.shares import layer_sizes
from spiral.model import masks, mlp
from spiral.protocol.config import origin, unit

NM_KEEP: Any = Field(
    2,
    ge=1,
    description="N of N:M: weights kept in each group",
    json_schema_extra=unit("weights") | origin("Zhou et al. 2021: 2:4"),
)
NM_GROUP: Any = Field(
    4,
    ge=2,
    description="M of N:M: weights of a group",
    json_schema_extra=unit("weights") | origin("Zhou et al. 2021: 2:4"),
)
"""The options of methods that know the scope ``nm``."""

Scores = Float[np.ndarray, "N W"]
WeightMask = Bool[np.ndarray, "N W"]


def along_inputs(
    scores: Shaped[np.ndarray, "*lead out inputs"], keep: int, group: int
) -> Bool[np.ndarray, "*lead out inputs"]:
    """Keep ``keep`` of every ``group`` consecutive inputs of each row of a matrix.

    Args:
        scores: The higher the better; ties go to the lower index.
        keep: N of N:M.
        group: M of N:M; it divides the number of inputs.
    """
    rows = scores.reshape(-1, group)
    return masks.keep_top(rows, np.full(len(rows), keep)).reshape(scores.shape)


def n_of_m(scores: Scores, width: int, keep: int, group: int) -> WeightMask:
    """Keep N:M in every layer whose inputs M divides; the others stay dense.

    Groups lie within a row of a matrix, along its inputs.
    """
    parts = []
    for layer in mlp.layers(width):
        part = scores[:, layer.columns]
        matrix = part.reshape(len(part), layer.outputs, layer.inputs)
        if layer.inputs % group == 0:
            parts.append(along_inputs(matrix, keep, group).reshape(part.shape))
        else:
            parts.append(np.ones(part.shape, bool))
    return np.concatenate(parts, axis=1)


def count(width: int, keep: int, group: int) -> int:
    """Return how many weights :func:`n_of_m` keeps."""
    total = 0
    for layer in mlp.layers(width):
        size = layer.outputs * layer.inputs
        total += size * keep // group if layer.inputs % group == 0 else size
    return total


def check(table: pd.DataFrame) -> list[Mistake]:
    """Find N:M patterns that do not exist, or do not keep ``keep`` weights."""
    found = []
    columns = ["width", "keep", "nm_keep", "nm_group"]
    rows = table[table["scope"] == "nm"][columns].drop_duplicates()
    for width, keep, some, group in rows.itertuples(index=False):
        if some > group:
            text = f"expected at most {group} of {group} weights, got {some}"
            found.append(Mistake("nm_keep", text, some))
        elif keep != (right := count(width, some, group)):
            text = f"{some}:{group} keeps {right} weights of width {width}, not {keep}"
            found.append(Mistake("keep", text, keep))
    return found


def ends(width: int) -> int:
    """Return the weights of the first and the last layer."""
    first, *_, last = layer_sizes(width)
    return first + last


def uniform(scores: Scores, width: int, keep: Int[np.ndarray, " N"]) -> WeightMask:
    """Keep the first and last layer, and the same share of each layer between them.

    Args:
        scores: The higher the better.
        width: Hidden width w.
        keep: Weights of the network, at least those of the first and last layer.
    """
    sizes = layer_sizes(width)
    shares = np.tile(sizes, (len(keep), 1))
    shares[:, 1:-1] = masks.allocate(keep - ends(width), sizes[1:-1])
    return by_layer(width, scores, shares)
