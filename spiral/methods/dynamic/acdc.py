"""``acdc`` and ``acdc_pp``: dense and sparse phases alternate."""

from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from spiral.methods.dynamic.alternating import Alternating, Rates, Scope
from spiral.methods.dynamic.phases import phases_of
from spiral.methods.entry import Entry, Mistake, Taxonomy
from spiral.methods.parts import fractions, n_of_m
from spiral.methods.parts.allocation import (
    Allocation,
    allocation_option,
    check_pattern,
)
from spiral.methods.parts.retraining_rates import Buffers, buffers_option
from spiral.protocol import budgets
from spiral.protocol.config import PER_NETWORK, Options, origin, preset, unit
from spiral.protocol.cost_profile import CostProfile


def _of_200(epochs: int) -> dict[str, Any]:
    """Declare a number of epochs, a quarter of the authors'."""
    source = f"the authors' {epochs} of 200 epochs for CIFAR-100, in 50"
    return unit("epochs") | origin(source)


class AlternatingOptions(Options):
    """Options of both methods."""

    first_dense: float = Field(
        2.5,
        ge=0,
        description="epochs (acdc: of 50) before the first sparse phase",
        json_schema_extra=_of_200(10),
    )
    phase: float = Field(
        5.0,
        gt=0,
        description="epochs (acdc: of 50) of each phase between the first and the last "
        "two",
        json_schema_extra=_of_200(20),
    )
    last_dense: float = Field(
        5.0,
        ge=0,
        description="epochs (acdc: of 50) of the last dense phase",
        json_schema_extra=_of_200(20),
    )
    last_sparse: float = Field(
        7.5,
        ge=0,
        description="epochs (acdc: of 50) of the last sparse phase",
        json_schema_extra=_of_200(30),
    )
    buffers: Buffers = buffers_option("reset")
    scope: Scope = Field(
        "global",
        description="as `allocation` says; keep the same share of each inner layer and "
        "all of the two others; or N:M along inputs",
    )
    allocation: Allocation = allocation_option("Peste et al. 2021")
    nm_keep: int = n_of_m.NM_KEEP
    nm_group: int = n_of_m.NM_GROUP
    twin: Literal["sparse", "dense", "dense_tuned"] = Field(
        "sparse",
        description="the network reported: the sparse one, the dense one before the "
        "last sparse phase, or that one trained densely to the end; dense networks "
        "count as infeasible, since they do not keep `keep` weights",
        json_schema_extra=PER_NETWORK,
    )


class AcDcOptions(AlternatingOptions):
    """Options of ``acdc``; longer trainings stretch its phases."""

    recipe: Literal["cifar", "imagenet"] = preset(
        "cifar",
        "phases of the authors for CIFAR-100, or for ImageNet, in 50 epochs",
        {"imagenet": {"first_dense": 5.0, "phase": 2.5}},
    )


class AcDcPpOptions(AlternatingOptions):
    """Options of ``acdc_pp``; longer trainings have more phases."""

    recipe: Literal["cifar", "imagenet"] = preset(
        "cifar",
        "phases, in epochs: those of AC/DC for CIFAR-100, scaled from 200 epochs to "
        "50, or those of the authors for ImageNet",
        {"imagenet": {"first_dense": 10.0, "last_dense": 10.0, "last_sparse": 15.0}},
    )
    smoothing: float = fractions.below_one(
        0.1,
        "ε of the targets y(1 - ε) + ε/2",
        "Kuznedelev et al. 2023; FFCV reference script",
    )
    rates: Rates = Field(
        "linear",
        description="learning rate: linear to 0 after a warm-up, whatever `schedule` "
        "is, or as `schedule` gives it",
    )


def check(table: pd.DataFrame, stretched: bool) -> list[Mistake]:
    """Phases must fill the training, and patterns keep ``keep`` weights."""
    names = ["first_dense", "phase", "last_dense", "last_sparse"]
    names += ["task", "epochs", "batch"]
    found = []
    for row in table[names].drop_duplicates().itertuples():
        text = phases_of(row, stretched).mistake(budgets.budget_of(row))
        found += [] if text is None else [Mistake("phase", text, row.phase)]
    uniform = table[table["scope"] == "uniform"][["width", "keep"]].drop_duplicates()
    for width, keep in uniform.itertuples(index=False):
        if keep < (ends := n_of_m.ends(width)):
            text = f"uniform keeps the {ends} weights of the first and last layer; "
            found.append(Mistake("keep", text + f"got {keep}", keep))
    return [*found, *check_pattern(table), *n_of_m.check(table)]


def cost_profile(
    table: pd.DataFrame, weights: int, sharing: np.ndarray, stretched: bool
) -> CostProfile:
    """The shared prefix, other dense phases, sparse ones, the last."""
    row, keep = table.iloc[0], table["keep"].to_numpy(np.float64)
    budget = budgets.budget_of(row)
    events = phases_of(row, stretched).beginnings(budget)
    lengths = np.diff([*events, budget.steps]) / budget.steps
    first, last = events[0] / budget.steps, lengths[-1]
    sparse, dense = lengths[:-1:2].sum(), lengths[1::2].sum()
    whole = np.full(len(keep), float(weights))
    end = np.where(table["twin"] == "sparse", keep, whole)
    share = np.repeat([[first], [dense], [sparse], [last]], len(keep), axis=1)
    share[0] /= sharing
    return CostProfile(np.stack([whole, whole, keep, end]), share)


def _entry(stretched: bool, **own: Any) -> Entry:
    """Return the entry of either method."""
    return Entry(
        build=partial(Alternating, stretched=stretched),
        taxonomy=Taxonomy(
            unit="weight",
            when="during",
            schedule="alternating",
            criterion="magnitude",
            grow="all",
            cost="alternating",
        ),
        check=partial(check, stretched=stretched),
        cost_profile=partial(cost_profile, stretched=stretched),
        **own,
    )


ACDC = _entry(
    stretched=True,
    summary="dense and sparse phases alternate; sparse ones begin with the largest",
    citation="Peste et al., NeurIPS 2021, arXiv:2106.12379",
    colour="#CC6677",
    marker="H",
    options=AcDcOptions,
)

ACDC_PP = _entry(
    stretched=False,
    summary="AC/DC for longer, with label smoothing and a linear learning rate",
    citation="Kuznedelev et al. 2023, arXiv:2308.02060",
    colour="#661100",
    marker="3",
    options=AcDcPpOptions,
)
