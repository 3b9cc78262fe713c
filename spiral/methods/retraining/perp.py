"""``perp``: retrain only few parameters, or narrow adapters, after one-shot pruning."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import reconstruction, retraining_rates
from spiral.methods.parts.allocation import (
    SAYS_SCOPE,
    SCOPE,
    Allocation,
    Scope,
    allocation_option,
    build_scoped,
    check_scope,
    largest,
)
from spiral.methods.parts.reconstruction import Fit
from spiral.model import masks, mlp, schedules
from spiral.protocol import adapters
from spiral.protocol.adapters import Kind, LowRank
from spiral.protocol.config import PER_NETWORK, Options, origin, unit
from spiral.protocol.cost_profile import CostProfile
from spiral.protocol.job import AdamW, Budget, Change, Mask, Plan, Sgd, View

Subset = Literal["none", "biases", "head", "biases_head", "all"]


class PerpOptions(Options):
    """Options of ``perp``."""

    subset: Subset = Field(
        "biases", description="parameters that are retrained directly after pruning"
    )
    adapter: Literal["none", Kind] = Field(
        "mask_lora", description="low-rank adapters of the other matrices"
    )
    rank: int = Field(
        1,
        ge=1,
        description="rank of the adapters; small layers may have less",
        json_schema_extra=unit("-")
        | origin("ours; the authors' is 16, in layers of thousands of units"),
    )
    adapter_scale: float = Field(
        2.0,
        gt=0,
        description="σ: factor on the product of an adapter",
        json_schema_extra=unit("-") | origin("authors' script: α/r = 32/16"),
    )
    by: Literal["task", "layers"] = Field(
        "task",
        description="retrain on the loss, or fit each layer to its old output after a "
        "whole dense training",
    )
    optimiser: Literal["adamw", "sgd"] = Field(
        "adamw", description="optimiser of the retraining; sgd trains before it"
    )
    retrain_lr: float = Field(
        5e-3,
        gt=0,
        description="learning rate of the retraining, before its linear decay",
        json_schema_extra=PER_NETWORK
        | unit("-")
        | origin("ours; the authors' is 5e-4, for language models"),
    )
    retrain_epochs: int | None = Field(
        None,
        ge=1,
        description="epochs of the retraining; None: a tenth of `epochs`",
        json_schema_extra=unit("epochs"),
    )
    scope: Scope = SCOPE
    allocation: Allocation = allocation_option("Zhang & Papyan 2024", **SAYS_SCOPE)


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


def check(table: pd.DataFrame) -> list[Mistake]:
    """Some parameters must be retrained, and some epochs left for dense training."""
    found = check_scope(table)
    idle = (table["subset"] == "none") & (table["adapter"] == "none")
    if idle.any():
        found.append(
            Mistake("subset", "no parameter trains; choose an adapter", "none")
        )
    both = (table["subset"] == "all") & (table["adapter"] != "none")
    if both.any():
        text = "all weights are retrained directly; add `adapter: none`"
        found.append(Mistake("subset", text, "all"))
    if ((table["adapter"] == "lora") & (table["by"] == "layers")).any():
        text = "lora fills pruned weights; lora_prune fits alike and keeps the mask"
        found.append(Mistake("adapter", text, "lora"))
    long = table[table["retrain_epochs"] >= table["epochs"]]
    if not long.empty:
        each, epochs = long[["retrain_epochs", "epochs"]].iloc[0]
        text = f"expected fewer than {epochs}, the epochs of the training; got {each}"
        found.append(Mistake("retrain_epochs", text, each))
    return found


def cost_profile(table: pd.DataFrame, weights: int, sharing: np.ndarray) -> CostProfile:
    """The dense part, a shared prefix; then ``keep``."""
    shared = table.iloc[0]
    after = int(shared["retrain_epochs"]) / int(shared["epochs"])
    after = 0.0 if shared["by"] == "layers" else after
    rest = np.full(len(table), after)
    return CostProfile.dense_first(weights, table["keep"], (1 - after) / sharing, rest)


ENTRY = Entry(
    build=partial(build_scoped, Perp),
    summary="retraining of few parameters, or of adapters, after one-shot pruning",
    citation="Zimmer et al. 2023, arXiv:2312.15230",
    taxonomy=Taxonomy(
        unit="weight",
        when="during",
        schedule="once",
        criterion="magnitude",
        cost="dense to sparse",
    ),
    options=PerpOptions,
    derive=retraining_rates.a_tenth,
    check=check,
    cost_profile=cost_profile,
    colour="#44AA99",
    marker="D",
)
