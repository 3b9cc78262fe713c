"""``npb``: balance the number of units with the number of paths."""

from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import fractions, selection, shares
from spiral.methods.parts.scores import sizes
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin
from spiral.protocol.job import Budget, Change, Plan, View

Quota = Literal["erk", "igq"]
"""Rules of ``shares``; others leave the first or last layer too few for paths."""

FEW = 24
"""Numbers of units of a layer up to which all are compared; beyond, as many on a log
scale."""


class NpbOptions(Options):
    """Options of ``npb``."""

    allocation: Quota = Field(
        "erk",
        description="how the weights kept are shared among layers, as nearly as paths "
        "allow",
        json_schema_extra=origin("ours"),
    )
    balance: float = fractions.share(
        0.5,
        "share of the number of units in the objective, against the number of paths",
        "ours",
    )


class Shape(NamedTuple):
    """How a mask is laid out."""

    units: tuple[int, ...]
    """Units of each hidden layer."""
    counts: tuple[int, ...]
    """Weights of each layer."""


@dataclass(frozen=True)
class Npb:
    """In the spirit of node-path balancing (Pham et al., NeurIPS 2023).

    The published method solves integer programmes, layer by layer, for the mask with
    the best mix of the number of units and of paths, given each layer's share of the
    weights. It looks at no data. No public code was found.

    Departures: the numbers of units of all layers are found together, by
    comparing them all. Of those that allow every weight to lie on a path, with the
    shares nearest to the given ones, the best a·units + (1 - a)·paths is taken, each
    relative to its maximum, for a = ``balance``. Paths are counted as if all units of a
    layer had equally many weights. The units with the largest weights stay; each has a
    weight on either side, and the largest weights between units fill the share.
    """

    allocation: Quota
    balance: float

    def plan(self, budget: Budget) -> Plan:
        """One event before training."""
        return Plan.simple(budget, 0)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Lay out every mask and fill it with large weights."""
        everything = np.ones((len(view.keep), mlp.weight_count(view.width)), bool)
        size = sizes(view.params, everything, view.width)
        kept = [
            filled(row, self._shape(view.width, int(keep)), view.width)
            for row, keep in zip(size, view.keep, strict=True)
        ]
        return Change(masks=masks.with_biases(np.stack(kept), view.width)), None

    def _shape(self, width: int, keep: int) -> Shape:
        return shape(width, keep, self.allocation, self.balance)


@cache
def shape(width: int, keep: int, allocation: Quota, balance: float) -> Shape:
    """Return the layout of masks; of fewer than four weights, the start of a path."""
    if keep < len(mlp.layers(width)):
        return Shape((1, 1, 1), tuple(int(n < keep) for n in range(4)))
    units = _candidates(min(width, keep))
    low, high = bounds(units)
    possible = (low.sum(axis=1) <= keep) & (keep <= high.sum(axis=1))
    units, low, high = units[possible], low[possible], high[possible]
    quotas = shares.quotas(np.array([keep]), width, allocation)[0]
    counts = nearest(quotas, low, high, keep)
    far = np.abs(counts - quotas).sum(axis=1)
    paths = counts.prod(axis=1, dtype=float) / units.prod(axis=1, dtype=float)
    total = units.sum(axis=1)
    near = far == far.min()
    mix = balance * total / total[near].max()
    mix += (1 - balance) * paths / paths[near].max()
    best = np.where(near, mix, -1).argmax()
    return Shape(tuple(units[best].tolist()), tuple(counts[best].tolist()))


def _candidates(most: int) -> Int[np.ndarray, "M 3"]:
    """Return the numbers of units to compare."""
    some = np.arange(1, min(most, FEW) + 1)
    if most > FEW:
        more = np.rint(np.geomspace(FEW, most, FEW)).astype(int)
        some = np.unique(np.concatenate([some, more]))
    return np.stack(np.meshgrid(some, some, some, indexing="ij"), -1).reshape(-1, 3)


def bounds(
    units: Int[np.ndarray, "M 3"],
) -> tuple[Int[np.ndarray, "M 4"], Int[np.ndarray, "M 4"]]:
    """Return the fewest and the most weights of each layer, all of them on paths."""
    one = np.ones((len(units), 1), int)
    before, after = np.hstack([one, units]), np.hstack([units, one])
    fewest, most = np.maximum(before, after), before * after
    most[:, 0] *= mlp.INPUTS  # the second input may be left out
    return fewest, most


def nearest(
    quotas: Int[np.ndarray, " 4"],
    low: Int[np.ndarray, "M 4"],
    high: Int[np.ndarray, "M 4"],
    keep: int,
) -> Int[np.ndarray, "M 4"]:
    """Return counts within bounds that add up, as near to the quotas as possible."""
    counts = np.clip(quotas, low, high)
    for layer in range(4):
        missing = keep - counts.sum(axis=1)
        room = np.clip(missing, (low - counts)[:, layer], (high - counts)[:, layer])
        counts[:, layer] += room
    return counts


def filled(
    size: Float[np.ndarray, " W"], layout: Shape, width: int
) -> Bool[np.ndarray, " W"]:
    """Return a mask of this layout: weights that cover all units, then the largest."""
    scores = np.full(len(size), -np.inf)
    before, needed = np.arange(mlp.INPUTS), 1
    for layer, units in zip(mlp.layers(width), (*layout.units, 1), strict=True):
        shape = (layer.outputs, layer.inputs)
        found = size[layer.columns].reshape(shape)
        strength = found[:, before].sum(axis=1, dtype=float)
        after = np.argsort(-strength, kind="stable")[:units]
        target = scores[layer.columns].reshape(shape)  # a view
        target[np.ix_(after, before)] = found[np.ix_(after, before)]
        cover = np.arange(max(units, needed))
        target[after[cover % units], before[cover % len(before)]] = np.inf
        before, needed = after, units
    return selection.by_layer(width, scores[None], np.array([layout.counts]))[0]


ENTRY = Entry(
    build=Npb,
    summary="a balance of units and paths, filled with large weights, without data",
    citation="after Pham et al., NeurIPS 2023 (OpenReview nqoxB03tzi)",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="once",
        criterion="units and paths",
        allocation="erk",
        second_phase="train",
    ),
    options=NpbOptions,
    colour="#117733",
    marker="d",
)
