"""Masks as strings: four matrices of 0 and 1, input side first.

``11,10/11,01/10,01/11``: matrices are separated by ``/``, rows (output units) by ``,``;
each row has one digit per input.
"""

import numpy as np
from jaxtyping import Bool

from spiral.model import mlp


def parse(text: str, width: int) -> Bool[np.ndarray, " W"]:
    """Parse a mask string into the weight mask of a network of this width.

    The matrices may be smaller than the network; they fill its leading units.

    Raises:
        ValueError: With what was expected and what arrived.
    """
    parts = [part.split(",") for part in text.split("/")]
    if len(parts) != len(mlp.layers(width)):
        raise ValueError(f"expected 4 matrices separated by '/', got {len(parts)}")
    kept = np.zeros(mlp.weight_count(width), bool)
    inputs = mlp.INPUTS
    for number, (rows, layer) in enumerate(
        zip(parts, mlp.layers(width), strict=True), start=1
    ):
        if any(len(row) != inputs or set(row) - {"0", "1"} for row in rows):
            raise ValueError(
                f"matrix {number}: expected rows of {inputs} digits 0 or 1, got {rows}"
            )
        if len(rows) > layer.outputs or (number == len(parts) and len(rows) != 1):
            raise ValueError(
                f"matrix {number}: expected at most {layer.outputs} rows, got "
                f"{len(rows)}"
            )
        place = kept[layer.columns].reshape(layer.outputs, layer.inputs)
        place[: len(rows), :inputs] = np.array([list(row) for row in rows]) == "1"
        inputs = len(rows)
    return kept
