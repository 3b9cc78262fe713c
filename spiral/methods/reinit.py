"""New initial weights for methods whose published runs draw their own."""

from typing import Literal

import numpy as np

from spiral import mlp
from spiral.job import Params, View

Reinit = Literal["none", "xavier"]


def initial(view: View, law: Reinit) -> Params:
    """Return the parameters to score and to train.

    ``xavier`` draws every weight from a normal law of variance 2/(inputs + outputs)
    (Glorot & Bengio 2010); biases stay.
    """
    if law == "none":
        return view.params
    params = view.params.copy()
    for n, row in enumerate(params):
        normal = view.stream(n, "xavier")
        for layer in mlp.layers(view.width):
            deviation = np.sqrt(2 / (layer.inputs + layer.outputs))
            size = layer.weights.stop - layer.weights.start
            row[layer.weights] = deviation * normal.standard_normal(size)
    return params
