"""Adapters: products of two narrow matrices next to the weights of a layer (LoRA).

A layer has weights W [out, in] with mask M, and the product BA of B [out, r] and
A [r, in], r = min(rank, out, in):

| kind | effective weights | final weights |
|---|---|---|
| lora | W + σBA | the same: pruned weights return |
| lora_prune | W + σBA | W + M⊙σBA |
| mask_lora | W + M⊙σBA | the same |
| scale_lora | W⊙BA | the same |

The functions accept NumPy arrays [..., Q] and torch tensors, as those of ``mlp`` do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Float32

from spiral.model import mlp

Kind = Literal["lora", "lora_prune", "mask_lora", "scale_lora"]
Array = Any  # np.ndarray or torch.Tensor
Join = Callable[[list[Any], int], Any]


@dataclass(frozen=True)
class LowRank:
    """A weight map: adapters train next to the weights, once a method creates them."""

    kind: Kind
    rank: int
    scale: float
    """σ; unused by ``scale_lora``."""
    layers: tuple[int, ...]
    """Layers that have adapters, counted from 0 at the input side."""
    name: ClassVar[str] = "low_rank"


class Place(NamedTuple):
    """The position of one layer's adapter in the flat adapters [Q]."""

    down: slice  # A [r, in]
    up: slice  # B [out, r]
    rank: int


@cache
def places(width: int, setting: LowRank) -> dict[int, Place]:
    """Return the position of each layer's adapter, A before B."""
    found, start = {}, 0
    for number in setting.layers:
        layer = mlp.layers(width)[number]
        rank = min(setting.rank, layer.inputs, layer.outputs)
        middle = start + rank * layer.inputs
        stop = middle + layer.outputs * rank
        found[number] = Place(slice(start, middle), slice(middle, stop), rank)
        start = stop
    return found


def count(width: int, setting: LowRank) -> int:
    """Return Q, the total size of a network's adapters."""
    return max(place.up.stop for place in places(width, setting).values())


def initial(
    width: int, setting: LowRank, random: np.random.Generator
) -> Float32[np.ndarray, " Q"]:
    """Return adapters that have no effect yet.

    B = 0 and A from U(±1/√in), as usual; 1/√r everywhere if BA is a factor.
    """
    found = np.zeros(count(width, setting), np.float32)
    for number, place in places(width, setting).items():
        if setting.kind == "scale_lora":
            found[place.down] = found[place.up] = 1 / np.sqrt(place.rank)
        else:
            uniform = 2 * random.random(place.down.stop - place.down.start) - 1
            found[place.down] = uniform / np.sqrt(mlp.layers(width)[number].inputs)
    return found


def product(adapters: Array, width: int, setting: LowRank, number: int) -> Array:
    """Return BA of one layer, [..., out, in]."""
    place, layer = places(width, setting)[number], mlp.layers(width)[number]
    lead = adapters.shape[:-1]
    down = adapters[..., place.down].reshape(*lead, place.rank, layer.inputs)
    up = adapters[..., place.up].reshape(*lead, layer.outputs, place.rank)
    return up @ down


def effective(
    params: Array, kept: Array, adapters: Array, setting: LowRank, join: Join
) -> Array:
    """Return the effective parameters of networks.

    Args:
        params: Parameters [..., P]; masked weights are 0.
        kept: Masks [..., P].
        adapters: Adapters [..., Q].
        setting: The weight map.
        join: ``np.concatenate`` or ``torch.cat``.
    """
    width = mlp.width_of(params.shape[-1])
    lead = params.shape[:-1]
    parts: list[Array] = []
    layers = zip(mlp.matrices(params, width), mlp.matrices(kept, width), strict=True)
    for number, ((weights, biases), (mask, _)) in enumerate(layers):
        found = weights
        if number in setting.layers:
            change = product(adapters, width, setting, number)
            found = _with(weights, mask, change, setting)
        parts += [found.reshape(*lead, -1), biases]
    return join(parts, -1)


def merged(
    params: np.ndarray, kept: np.ndarray, adapters: np.ndarray, setting: LowRank
) -> np.ndarray:
    """Return the final parameters; ``lora`` restores pruned weights."""
    found = effective(params, kept, adapters, setting, np.concatenate)
    if setting.kind == "lora":
        return np.asarray(found, np.float32)
    return np.where(kept, found, 0).astype(np.float32)


def _with(weights: Array, mask: Array, change: Array, setting: LowRank) -> Array:
    """Return the effective weights of one layer."""
    if setting.kind == "scale_lora":
        return weights * change
    change = setting.scale * change
    return weights + (mask * change if setting.kind == "mask_lora" else change)
