"""``perp``: retrain only few parameters, or narrow adapters, after one-shot pruning."""

from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import retraining_rates
from spiral.methods.parts.allocation import (
    SAYS_SCOPE,
    SCOPE,
    Allocation,
    Scope,
    allocation_option,
    build_scoped,
    check_scope,
)
from spiral.methods.retraining.parameter_efficient import Perp, Subset
from spiral.protocol.adapters import Kind
from spiral.protocol.config import PER_NETWORK, Options, origin, unit
from spiral.protocol.cost_profile import CostProfile


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
