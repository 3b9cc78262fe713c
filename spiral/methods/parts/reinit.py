"""New initial weights for methods whose published runs draw their own."""

from typing import Literal

import numpy as np

from spiral.model import mlp
from spiral.protocol.job import Mask, Params, View

Reinit = Literal["none", "xavier"]
Restart = Literal["original", "fresh", "he_in", "he_out"]


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


def restart(view: View, kept: Mask, law: Restart) -> Params:
    """Return parameters to train a mask from.

    ``original`` are the initial ones; ``fresh`` are drawn again by the default law,
    U(±1/√inputs) of the full width. ``he_in`` and ``he_out`` are normal with variance
    2/n and biases 0, for n the mean number of kept inputs of a unit, or kept outputs of
    an input (Liu et al. 2019 use the second).
    """
    if law == "original":
        return view.initial
    params = np.zeros(view.initial.shape, np.float32)
    for n, row in enumerate(params):
        drawn = view.stream(n, f"restart/{law}")
        for layer in mlp.layers(view.width):
            place = slice(layer.weights.start, layer.biases.stop)
            if law == "fresh":
                uniform = 2 * drawn.random(place.stop - place.start) - 1
                row[place] = uniform / np.sqrt(layer.inputs)
            else:
                units = layer.outputs if law == "he_in" else layer.inputs
                fan = max(1, kept[n, layer.weights].sum()) / units  # empty: no matter
                normal = drawn.standard_normal(layer.outputs * layer.inputs)
                row[layer.weights] = np.sqrt(2 / fan) * normal
    return params
