"""Retraining of few parameters, or of adapters, after pruning: ``perp``."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool

from spiral.methods.parts import reconstruction, retraining_rates
from spiral.methods.parts.allocation import Allocation, largest
from spiral.methods.parts.reconstruction import Fit
from spiral.model import masks, mlp, schedules
from spiral.protocol import adapters
from spiral.protocol.adapters import Kind, LowRank
from spiral.protocol.job import AdamW, Budget, Change, Mask, Plan, Sgd, View

Subset = Literal["none", "biases", "head", "biases_head", "all"]


@dataclass(frozen=True)
class Perp:
    """PERP (Zimmer et al. 2023, arXiv:2312.15230): retrain few parameters of a mask.

    Train densely; keep the largest weights at once; freeze everything but a subset
    (biases, the output layer, all) and adapters of low rank on other matrices; retrain,
    merge the adapters into the weights they may change, which keeps the mask. ``lora``
    cannot be merged so: its row has the dense network that it trains.

    ``by: layers`` retrains nothing: one layer after the other is fitted to the output
    that its old weights make of 128 points, its inputs being those of the pruned and
    fitted network.

    Assumptions: there are no norm layers, and the output layer is pruned like the
    others, so ``head`` trains its kept weights and has no adapter then. Ranks are at
    most a layer's inputs and outputs. Retraining takes a tenth of the epochs, 1,950
    steps of 50 epochs, all within one budget; the mask is global by default. The
    learning rate rises over a tenth of it and falls linearly to 0, without weight
    decay, as the authors' does; theirs is 5e-4 for language models. A block is one
    pre-activation, fitted by alternating least squares rather than by AdamW. With
    about 30 weights an adapter of rank 1 has more numbers than the network has weights,
    so few is not the point here: ``trained_params`` counts them. A training that
    ``stop_epoch`` ends within the retraining has unmerged adapters.
    """

    subset: Subset
    adapter: Literal["none", Kind]
    rank: int
    adapter_scale: float
    by: Literal["task", "layers"]
    optimiser: Literal["adamw", "sgd"]
    retrain_epochs: int
    allocation: Allocation = "global"

    def plan(self, budget: Budget) -> Plan:
        """Dense training, pruning, retraining, merging; or all at the end."""
        exact = self.adapter != "lora"
        if self.by == "layers":
            return Plan.simple(budget, budget.steps, exact=exact)
        per_epoch = budget.steps_per_epoch
        begin = (budget.epochs - self.retrain_epochs) * per_epoch
        rest = budget.steps - begin
        after = schedules.ramp(rest, int(retraining_rates.WARMUP * rest))
        curves = schedules.curves(budget.epochs - self.retrain_epochs, per_epoch)
        return Plan(
            steps=budget.steps,
            events=(begin, budget.steps),
            curves={n: np.concatenate([c, after]) for n, c in curves.items()},
            optimiser=AdamW(begin) if self.optimiser == "adamw" else Sgd(),
            weight_map=self._map,
            exact=exact,
        )

    @property
    def _map(self) -> LowRank | None:
        """The adapters: on all layers, or on those that are not retrained directly."""
        if self.adapter == "none":
            return None
        last = 4 if self.subset in ("none", "biases") else 3
        return LowRank(self.adapter, self.rank, self.adapter_scale, tuple(range(last)))

    def start(self, view: View) -> None:
        """Remember nothing."""

    def act(self, view: View, state: None) -> tuple[Change, None]:
        """Prune and begin retraining, or merge."""
        if self.by == "layers":
            return self._reconstruct(view), None
        if view.step < view.plan.steps:
            return self._begin(view), None
        if self._map is None or view.adapters is None:
            return Change(), None
        params = adapters.merged(view.params, view.masks, view.adapters, self._map)
        full = params != 0
        filled = masks.with_biases(masks.of_weights(full, view.width), view.width)
        kept = filled if self.adapter == "lora" else view.masks
        return Change(params=params, masks=kept), None

    def _begin(self, view: View) -> Change:
        """Return the change with which retraining begins."""
        kept, trains = self._prune(view), self._trains(view)
        networks, found = range(len(kept)), np.zeros((len(kept), 0), np.float32)
        if self._map is not None:
            drawn = [view.stream(n, "adapters") for n in networks]
            each = [adapters.initial(view.width, self._map, one) for one in drawn]
            found = np.stack(each)
        return Change(
            masks=kept,
            reset_momentum=np.ones_like(kept),
            trainable=trains,
            lr_scale=view.options["retrain_lr"] / view.lr,
            decay_scale=np.zeros(len(kept)),
            adapters=None if self._map is None else found,
            trained=(kept & trains).sum(axis=1) + found.shape[1],
        )

    def _reconstruct(self, view: View) -> Change:
        """Return the change that prunes and fits layer after layer."""
        kept, trains = self._prune(view), self._trains(view)
        points, _ = view.batch(0)
        how = tuple(self._fit(number) for number in range(4))
        params = np.stack(
            [
                reconstruction.fit(
                    view.params[n], kept[n], points[n], how, view.stream(n, "adapters")
                )
                for n in range(len(kept))
            ]
        )
        size = 0 if self._map is None else adapters.count(view.width, self._map)
        trained = (kept & trains).sum(axis=1) + size
        return Change(masks=kept, params=params, trained=trained)

    def _fit(self, number: int) -> Fit:
        """Return what of a layer may change when it is fitted."""
        head = number == 3 and self.subset in ("head", "biases_head")
        here = self._map
        adapter = here.kind if here is not None and number in here.layers else None
        whole = self.subset == "all" or head
        biases = self.subset in ("biases", "biases_head", "all") or head
        return Fit(whole, biases, None if whole else adapter, self.rank)

    def _prune(self, view: View) -> Mask:
        """Keep the largest weights."""
        kept = largest(view, view.keep, self.allocation)
        return masks.with_biases(kept, view.width)

    def _trains(self, view: View) -> Bool[np.ndarray, "N P"]:
        """Return the parameters that are retrained directly."""
        found = np.full(view.params.shape, self.subset == "all")
        last = mlp.layers(view.width)[-1]
        if self.subset in ("biases", "biases_head"):
            found[:, ~mlp.is_weight(view.width)] = True
        if self.subset in ("head", "biases_head"):
            found[:, last.weights] = found[:, last.biases] = True
        return found
