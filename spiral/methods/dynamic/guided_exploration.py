"""``gse``: ``rigl`` with few candidates, drawn where signals are large."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.parts import fractions, rewire, scores, shares
from spiral.methods.parts.allocation import Allocation, allocation_option
from spiral.model import masks, mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.job import Change, Params, View

Signals = list[tuple[Float[np.ndarray, "N O"], Float[np.ndarray, "N I"]]]


class GseOptions(Options):
    """Options of ``gse``."""

    update_interval: int = rewire.update_interval(250, "authors' code: 1,000 of 78,000")
    update_end: float = rewire.update_end(0.6, "authors' code: epoch 120 of 200")
    drop: float = fractions.share(
        0.2,
        "share of each layer's weights that the first update swaps",
        "authors' code",
    )
    sampling: Literal["grabo", "uniform"] = Field(
        "grabo",
        description="which places are candidates: grabo draws a place in proportion to "
        "the absolute signals at its ends, uniform draws all alike (authors' README "
        "has both)",
    )
    candidates: float = Field(
        1.0,
        ge=0,
        description="places drawn, as a multiple of the layer's weights",
        json_schema_extra=unit("-") | origin("authors' code"),
    )
    allocation: Allocation = allocation_option("authors' code", "erk")


@dataclass(frozen=True)
class GuidedExploration(rewire.Rewiring):
    """Guided stochastic exploration (Heddes et al. 2024, arXiv:2401.06898).

    An update of RigL whose growth considers a sample of places: as many draws, with
    replacement, as the layer has weights. GraBo draws output and input of a place
    independently, in proportion to Σ|δ| and Σ|h| over the batch: δ is the gradient at
    the pre-activation of the output, h is the activation of the input. Layers that are
    at least half dense consider all places.

    Departures: swaps are counted per layer, as in RigL, where the authors' default is
    over all layers; a weight may come back at once, and keeps its value; if there are
    fewer candidates than weights to grow, the others are random. The estimate GraEst is
    left out.
    """

    drop: float
    sampling: Literal["grabo", "uniform"]
    candidates: float
    allocation: Allocation

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Draw the first mask; update it."""
        width = view.width
        if view.step == 0:
            return rewire.first(view, view.keep, self.allocation, "gse"), None
        kept = masks.of_weights(view.masks, width)
        counts = shares.of_mask(kept, width)
        share = self.share(view, self.drop, "cosine")
        swaps = (counts * share).astype(np.int64)
        staying = rewire.stay(scores.sizes_left(view), counts - swaps, width)
        rest = scores.drawn(view, f"grow/{view.step}") - 1  # below every candidate
        slopes = rewire.steepness(view, kept)
        interest = np.where(self._candidates(view, counts), slopes, rest)
        grown = rewire.grow(staying, interest, swaps, width)
        return rewire.change(view, grown & kept, grown), None

    def _candidates(
        self, view: View, counts: rewire.LayerCounts
    ) -> Bool[np.ndarray, "N W"]:
        """Draw the places that may grow."""
        found = np.ones((len(counts), mlp.weight_count(view.width)), bool)
        signals = self._signals(view)
        for n, row in enumerate(found):
            draws = view.stream(n, f"candidates/{view.step}")
            layers = zip(mlp.layers(view.width), counts[n], signals, strict=True)
            for layer, count, (out, into) in layers:
                size = layer.outputs * layer.inputs
                number = int(count * self.candidates)
                to = _draw(draws, out[n], number)
                place = to * layer.inputs + _draw(draws, into[n], number)
                if 2 * count < size:
                    row[layer.columns] = np.isin(np.arange(size), place)
        return found

    def _signals(self, view: View) -> Signals:
        """Return what the chances of outputs and inputs are proportional to."""
        number = len(view.keep)
        if self.sampling == "grabo":
            return signals(view.params, *view.batch(view.step), view.width)
        return [
            (np.ones((number, layer.outputs)), np.ones((number, layer.inputs)))
            for layer in mlp.layers(view.width)
        ]


def signals(params: Params, points: np.ndarray, labels: np.ndarray, w: int) -> Signals:
    """Return Σ|δ| of every output and Σ|h| of every input over a batch, by layer."""
    matrices = mlp.matrices(params.astype(np.float64), w)
    into = [points.astype(np.float64)]
    for weights, biases in matrices:
        into.append(np.maximum(into[-1] @ weights.mT + biases[:, None], 0))
    weights, biases = matrices[-1]
    logits = into[-2] @ weights.mT + biases[:, None]
    delta = 1 / (1 + np.exp(-logits)) - labels[:, :, None]
    found = []
    for (weights, _), h in zip(matrices[::-1], into[-2::-1], strict=True):
        found.append((np.abs(delta).sum(axis=1), np.abs(h).sum(axis=1)))
        delta = (delta @ weights) * (h > 0)
    return found[::-1]


def _draw(
    draws: np.random.Generator, signal: Float[np.ndarray, " A"], number: int
) -> np.ndarray:
    """Draw indices in proportion to a signal; uniformly where there is none."""
    chance = np.nan_to_num(signal, posinf=0)
    if not chance.any():
        chance = np.ones(len(signal))
    return draws.choice(len(signal), number, p=chance / chance.sum())


ENTRY = Entry(
    build=GuidedExploration,
    summary="rigl with random candidates, drawn where signals are large",
    citation="Heddes et al. 2024, arXiv:2401.06898; "
    "code: mikeheddes/guided-stochastic-exploration",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="alternating",
        criterion="magnitude",
        grow="gradient",
        allocation="erk",
        data="a batch an update",
    ),
    options=GseOptions,
    gradients=rewire.updates,
    colour="#999933",
    marker="P",
)
