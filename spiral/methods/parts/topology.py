"""Scores of absent links from the graph of a layer, by Cannistraci-Hebb theory.

A layer is a bipartite graph of its outputs and inputs. A link u - v would close the
paths u - z₁ - z₂ - v; it scores high where few links of z₁ and z₂ lead elsewhere
(Zhang et al., ICLR 2024). Scores depend on the mask alone.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from spiral.model import mlp

Links = Float[np.ndarray, "O I"]
"""1 where an output has a link to an input, else 0."""
Model = Literal["l3p", "l3n"]


def by_paths(links: Links) -> Float[np.ndarray, "O I"]:
    """Return CH3-L3p: the sum of 1/√((1 + e₁)(1 + e₂)) over all paths u - z₁ - z₂ - v.

    e is the number of links of z that lead neither to u or v nor to another node of
    such a path. Scores of links that are there mean nothing.
    """
    outputs, inputs = np.nonzero(links)  # z₂ and z₁, for every link between them
    first = links[:, inputs] / np.sqrt(_elsewhere(links))[:, outputs]
    last = links[outputs] / np.sqrt(_elsewhere(links.T)).T[inputs]
    return first @ last


def by_neighbours(links: Links) -> Float[np.ndarray, "O I"]:
    """Return CH3-L3n: the sum of 1/(1 + e₂) over z₂, and of 1/(1 + e₁) over z₁.

    Each z counts once, however many paths it is on.
    """
    return _near(links) + _near(links.T).T


def _near(links: Links) -> Float[np.ndarray, "O I"]:
    """Return the sum over all z that have a link to v and a neighbour of u."""
    return ((links @ links.T > 0) / _elsewhere(links)) @ links


def _elsewhere(links: Links) -> Float[np.ndarray, "O O"]:
    """Return 1 + e for every u and z: the links of z but those to neighbours of u.

    The link to v is the 1. At least 1, as v may not be there.
    """
    return np.maximum(links.sum(axis=1) - links @ links.T, 1)


MODELS: Mapping[Model, Callable[[Links], Float[np.ndarray, "O I"]]] = {
    "l3p": by_paths,
    "l3n": by_neighbours,
}


def scores(
    kept: Bool[np.ndarray, " W"], width: int, model: Model
) -> Float[np.ndarray, " W"]:
    """Return the scores of all weights of one network, each in its layer's graph."""
    found = np.zeros(kept.shape)
    for layer in mlp.layers(width):
        links = kept[layer.columns].reshape(layer.outputs, layer.inputs).astype(float)
        found[layer.columns] = MODELS[model](links).ravel()
    return found
