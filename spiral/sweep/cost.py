"""What a config costs: a model measured on one machine, to size packs and estimate.

What a step costs is the engine's to say (``engines.prices``).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from spiral.engines import ENGINES
from spiral.engines.prices import STEPS
from spiral.experiment import prepare
from spiral.methods.registry import METHODS
from spiral.model import mlp
from spiral.protocol.cost_profile import CostProfile
from spiral.tasks import cubist

ALIKE = (
    *("order_seed", "init_seed", "init"),
    *("lr", "schedule", "momentum", "weight_decay"),
)
"""What networks of a group must have in common to begin as twins."""

MOST_PARAMS = 9_000_000
"""Parameters of a pack, N x P; a worker needs up to 90 bytes for each (GraSP)."""

EPOCH_ORDER_SECONDS = 1.0e-3
"""Drawing and laying out one epoch's order, shared by networks of one order seed."""

GRADIENT_SECONDS = (8e-6, 2e-10, 9e-9)
"""A dense gradient of a batch in a method's decision: in itself, for a parameter and a
point, for a unit and a point. 8, 42 and 3,200 µs measured at widths 3, 16 and 256."""


@dataclass(frozen=True)
class Price:
    """What the networks of one group cost."""

    engine: str
    """What trains them."""
    seconds: Float[np.ndarray, " N"]
    """Of each network, on one core of the machine of the model; for pack sizes."""
    estimate: Float[np.ndarray, " N"]
    """The same with what a pack costs whatever its size; for people."""
    sets: Int[np.ndarray, " N"]
    """Networks of equal number are one training; they stay in one pack."""
    most_sets: int
    """How many a pack may hold."""


def price(group: pd.DataFrame) -> Price:
    """Estimate the cost of configs that can train together.

    Raises:
        UnsupportedJob: Their plan fits no engine; with the reasons.
    """
    shared = group.iloc[0]
    plan = prepare.plan_of(prepare.build_method(shared), shared)
    name = prepare.engine_of(shared, plan)
    model = ENGINES[name.partition(":")[0]].price
    width = int(shared["width"])
    profile, sets = _profile(group, width)
    params = mlp.param_count(width) * len(group) / len(np.unique(sets))
    most = int(MOST_PARAMS // params)
    step = model.step(width, profile, plan)
    most = int(max(1, min(most, model.most_networks(width))))
    seconds = step * plan.steps * plan.siblings * float(shared["batch"]) / 128
    entry = METHODS[shared["method"]]
    seconds += entry.gradients(group) * _gradient(width, float(shared["batch"]))
    sharing = group.groupby("order_seed")["width"].transform("size").to_numpy(float)
    epochs = plan.steps / (cubist.POINTS // int(shared["batch"]))
    seconds += EPOCH_ORDER_SECONDS * epochs / sharing
    # packs are no smaller for what each costs in itself: that would cost more
    small = 1 / min(most, len(np.unique(sets))) - 1 / most
    once = small * model.loop_seconds * plan.steps / STEPS * profile.share.sum(axis=0)
    return Price(name, seconds, seconds + once, sets, most)


def _gradient(width: int, batch: float) -> float:
    """Return the seconds of one dense gradient of one network."""
    base, parameter, unit = GRADIENT_SECONDS
    return base + batch * (parameter * mlp.param_count(width) + unit * width)


def _profile(
    group: pd.DataFrame, width: int
) -> tuple[CostProfile, Int[np.ndarray, " N"]]:
    """Return the profile of configs, and which of them are one training throughout."""
    alike = group.groupby([*ALIKE], sort=False)["width"]
    twins = alike.transform("size").to_numpy(np.float64)
    entry = METHODS[group["method"].iloc[0]]
    profile = entry.cost_profile(group, mlp.weight_count(width), twins)
    if np.allclose(profile.share.sum(axis=0) * twins, 1):
        return profile, alike.ngroup().to_numpy()
    return profile, np.arange(len(group))
