"""``obspa``: remove hidden units and let the next layer compensate exactly."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from pydantic import Field

from spiral.methods.entry import Entry, Taxonomy
from spiral.methods.magnitude import magnitude
from spiral.methods.parts import batches, brain_surgeon, hidden_units
from spiral.methods.units import structured
from spiral.model import mlp
from spiral.protocol.config import Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import Budget, Change, Plan, View

SQUARE = 2.25
"""Half the side of the square that boundary maps show."""


class ObspaOptions(Options):
    """Options of ``obspa``."""

    at_epoch: int | None = Field(
        None,
        ge=0,
        description="epoch before which to prune; None: after the last",
        json_schema_extra=unit("epochs"),
    )
    samples: Literal["id", "ood", "free"] = Field(
        "id",
        description="points on which layers are reconstructed: training points, "
        "uniform ones of the square around them, or standard normal ones",
    )
    points: int = Field(
        1024,
        ge=1,
        le=49_920,
        description="number of these points",
        json_schema_extra=unit("points") | origin("ours"),
    )
    damping: float = Field(
        0.01,
        gt=0,
        description="λ as a share of the mean of the Hessian's diagonal",
        json_schema_extra=unit("-")
        | origin("SparseGPT, Frantar & Alistarh 2023: authors' code"),
    )


@dataclass(frozen=True)
class Obspa:
    """Optimal Brain SPA (Wang et al. 2024, arXiv:2403.18955).

    A unit's score is the squared error that the next layer cannot avoid without it, as
    a share of that layer's mean square. Units go one by one, the cheapest first, and
    after each the weights and biases of the layer take over what they can: in each
    layer of the dense network, which fixes how many units it keeps; then from the
    first layer to the last, on the inputs that the pruned layers before leave.

    Departures: the paper scores all groups at once; going one by one distinguishes
    duplicates, one of which may go. The constant 1 among a layer's inputs moves means
    into the bias (there are no statistics of batches to calibrate anew). The score of
    the unit's own row is left out: removing it needs no compensation.
    """

    at_epoch: int | None
    samples: Literal["id", "ood", "free"]
    points: int
    damping: float

    def plan(self, budget: Budget) -> Plan:
        """One event, by default after training."""
        epoch = budget.epochs if self.at_epoch is None else self.at_epoch
        return Plan.simple(budget, epoch * budget.steps_per_epoch, exact=False)

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Choose how many units of each layer stay, then go from layer to layer."""
        points = self._points(view)
        pairs = list(zip(view.params, points, strict=True))
        scores = np.stack([self._worth(*pair, view.width) for pair in pairs])
        sizes = hidden_units.best(scores, view.keep).sum(axis=2)
        stay, params = np.ones(scores.shape, bool), view.params.copy()
        for n, pair in enumerate(pairs):
            stay[n], params[n] = self._reconstruct(*pair, view.width, sizes[n])
        kept = hidden_units.mask_of(stay, params, view.keep)
        return Change(
            masks=kept, params=params, reset_momentum=np.ones_like(kept)
        ), None

    def _points(self, view: View) -> Float[np.ndarray, "N B 2"]:
        """Return the points on which layers are reconstructed."""
        if self.samples == "id":
            return batches.next_points(view, self.points)[0]
        networks, size = range(len(view.keep)), (self.points, mlp.INPUTS)
        streams = [view.stream(n, f"obspa/{self.samples}") for n in networks]
        if self.samples == "ood":
            return np.stack([s.uniform(-SQUARE, SQUARE, size) for s in streams])
        return np.stack([s.standard_normal(size) for s in streams])

    def _worth(
        self,
        params: Float[np.ndarray, " P"],
        points: Float[np.ndarray, "B 2"],
        width: int,
    ) -> Float[np.ndarray, "3 w"]:
        """Return the largest error on the way to each unit's removal."""
        found = np.full((hidden_units.HIDDEN, width), np.inf)
        inputs = brain_surgeon.layer_inputs(params, points, width)[1:]
        layers = brain_surgeon.augmented(params, width)[1:]
        for row, weights, x in zip(found, layers, inputs, strict=True):
            inverse = brain_surgeon.inverse_hessian(x, self.damping)
            _, gone, added = brain_surgeon.eliminate(weights, inverse, 1)
            energy = ((x @ weights.T) ** 2).sum(axis=1).mean()
            row[gone] = np.maximum.accumulate(added) / (energy or 1.0)
        return found

    def _reconstruct(
        self,
        params: Float[np.ndarray, " P"],
        points: Float[np.ndarray, "B 2"],
        width: int,
        sizes: Int[np.ndarray, " 3"],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the units that stay, and parameters that compensate for the others."""
        stay, params = np.ones((hidden_units.HIDDEN, width), bool), params.copy()
        for hidden, size in enumerate(sizes):
            x = brain_surgeon.layer_inputs(params, points, width)[hidden + 1]
            weights = brain_surgeon.augmented(params, width)[hidden + 1]
            inverse = brain_surgeon.inverse_hessian(x, self.damping)
            updated, gone, _ = brain_surgeon.eliminate(weights, inverse, int(size))
            stay[hidden, gone] = False
            layer = mlp.layers(width)[hidden + 1]
            params[layer.weights] = updated[:, :-1].ravel()
            params[layer.biases] = updated[:, -1]
        return stay, params


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """All weights until the pruning epoch; then about ``keep``."""
    at_epoch = table["at_epoch"].fillna(table["epochs"])
    return magnitude.cost_profile(table.assign(at_epoch=at_epoch), weights, sharing)


ENTRY = Entry(
    build=Obspa,
    summary="hidden units by optimal brain surgeon, without training after",
    citation="Wang et al. 2024, arXiv:2403.18955",
    taxonomy=Taxonomy(
        unit="neuron",
        when="after",
        schedule="once",
        criterion="reconstruction error",
        data="points without labels",
        cost="dense",
    ),
    options=ObspaOptions,
    check=structured.check,
    cost_profile=cost_profile,
    gradients=lambda table: 0.07 * table["points"].to_numpy(np.float64),
    colour="#882255",
    marker="4",
)
