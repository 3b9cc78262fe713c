"""``phew``: keep the weights of random walks that prefer large ones."""

from dataclasses import dataclass
from itertools import count, pairwise

import numpy as np
from jaxtyping import Bool, Float

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import paths, scores
from spiral.model import masks, mlp
from spiral.protocol.job import Budget, Change, Plan, View

Kept = Bool[np.ndarray, " W"]


@dataclass(frozen=True)
class Phew:
    """PHEW (Patil & Dovrolis, ICML 2021, arXiv:2010.11354).

    Walks through the untrained network go from an input to the output, the inputs
    taking turns, and back from the output in between. A walk takes each weight of a
    unit with a chance in proportion to its absolute value. The weights of all walks
    stay, so all of them lie on paths. No data are needed.

    Departures: exactly ``keep`` weights stay, where the authors stop after the
    walk that reaches that many, with up to three more. A walk is drawn given that it
    adds at least one weight, and no more than are left. If one is left and none can be
    added between units that walks have reached, the smallest weight of an input makes
    way for two. Fewer than four weights, which make no path, are those of the first
    walk nearest to the inputs.
    """

    def plan(self, budget: Budget) -> Plan:
        """One event before training."""
        return Plan.simple(budget, 0)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Walk until there are enough weights."""
        everything = np.ones((len(view.keep), mlp.weight_count(view.width)), bool)
        sizes = scores.sizes(view.params, everything, view.width)
        kept = np.stack(
            [
                walked(view.stream(n, "phew"), sizes[n], int(keep), view.width)
                for n, keep in enumerate(view.keep)
            ]
        )
        return Change(masks=masks.with_biases(kept, view.width)), None


def walked(
    random: np.random.Generator, sizes: Float[np.ndarray, " W"], keep: int, width: int
) -> Kept:
    """Return the weights of one network that walks take, ``keep`` of them.

    Args:
        random: The network's stream.
        sizes: Absolute weights.
        keep: 1 … W.
        width: Hidden width w.
    """
    kept = np.zeros(len(sizes), bool)
    stack, taken = _matrices(sizes, width), _matrices(kept, width)
    ways = [
        ([paths.chances(part.T) for part in stack], [part.T for part in taken]),
        ([paths.chances(part) for part in stack[::-1]], taken[::-1]),
    ]
    least = 1
    for turn in count():
        missing = max(keep, len(stack)) - int(kept.sum())
        if missing == 0:
            break
        if missing == 1 and _complete(taken):
            _drop_an_input(kept, sizes, width)
            missing = least = 2
        steps, done = ways[turn % 2]
        start = 0 if turn % 2 else turn // 2 % mlp.INPUTS
        new = [~part for part in done]
        most = min(missing, len(steps))
        units = paths.walk(random, steps, new, start, least, most)
        if units is not None:  # no walk from this input may add so few
            for part, before, after in zip(done, [start, *units], units, strict=False):
                part[before, after] = True
            least = 1
    kept[np.flatnonzero(kept)[keep:]] = False  # a path has four
    return kept


def _drop_an_input(kept: Kept, sizes: Float[np.ndarray, " W"], width: int) -> None:
    """Drop the smallest weight of the first layer."""
    first = mlp.layers(width)[0].columns
    smallest = np.where(kept[first], sizes[first], np.inf).argmin()
    kept[first.start + smallest] = False


def _matrices(weights: np.ndarray, width: int) -> list[np.ndarray]:
    """Return views of one network's weights [W], [out, in] each."""
    return [
        weights[layer.columns].reshape(layer.outputs, layer.inputs)
        for layer in mlp.layers(width)
    ]


def _complete(taken: list[Bool[np.ndarray, "out in"]]) -> bool:
    """Return whether all weights between units that have inputs are there."""
    units = [mlp.INPUTS, *(int(part.any(axis=1).sum()) for part in taken)]
    every = sum(a * b for a, b in pairwise(units))
    return every == sum(int(part.sum()) for part in taken)


ENTRY = Entry(
    build=Phew,
    summary="weights of random walks that prefer large ones, without data",
    citation="Patil & Dovrolis, ICML 2021, arXiv:2010.11354; code: "
    "ShreyasMalakarjunPatil/PHEW",
    taxonomy=Taxonomy(
        unit="weight",
        when="before",
        schedule="once",
        criterion="walks by magnitude",
        allocation="paths",
        second_phase="train",
    ),
    colour="#AA4499",
    marker="d",
)
