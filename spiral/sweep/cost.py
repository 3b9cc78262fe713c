"""What configs cost: a model that sizes packs and estimates times.

Measured on one machine. The price of a training step is in the entry of its engine
(``engines.prices``).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from spiral.engines import price_of
from spiral.engines.prices import STEPS
from spiral.experiment import prepare
from spiral.methods.registry import METHODS
from spiral.model import mlp
from spiral.protocol import budgets
from spiral.protocol.cost_profile import CostProfile
from spiral.tasks import catalogue, cubist

ALIKE = (
    *("order_seed", "init_seed", "init"),
    *("lr", "schedule", "momentum", "weight_decay"),
)
"""What networks of a group must have in common to share a prefix."""

MOST_PARAMS = 9_000_000
"""Most parameters of a pack, N × P; a worker needs up to 90 bytes each (GraSP)."""

EPOCH_ORDER_SECONDS = 1.0e-3
"""Time to draw and lay out one epoch of ``cubist`` for all networks of one order seed;
other tasks take as much more as they have more points."""

GRADIENT_SECONDS = (8e-6, 2e-10, 9e-9)
"""Time of a dense gradient of a batch in a method's decision: fixed, per parameter and
point, per unit and point. Measured: 8, 42 and 3,200 µs at widths 3, 16 and 256."""


@dataclass(frozen=True)
class Price:
    """What the networks of one group cost."""

    engine: str
    """Name of the engine that trains them."""
    seconds: Float[np.ndarray, " N"]
    """Of each network, on one core of the machine of the model; sizes packs."""
    estimate: Float[np.ndarray, " N"]
    """The same with its share of the fixed cost of a pack; for estimates."""
    kept: Float[np.ndarray, " N"]
    """Weights that its networks keep in the end."""
    sets: Int[np.ndarray, " N"]
    """Networks with equal numbers share one training, and so must share a pack."""
    most_sets: int
    """Most such trainings of a pack."""


def price(group: pd.DataFrame) -> Price:
    """Estimate the cost of configs that can train together.

    Raises:
        UnsupportedJob: No engine supports their plan; with the reasons.
    """
    shared = group.iloc[0]
    _, plan = prepare.planned(shared)
    name = prepare.engine_of(shared, plan)
    model = price_of(name)
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
    epochs = plan.steps / budgets.steps_per_epoch(shared)
    size = catalogue.load(str(shared["task"])).points / cubist.POINTS
    seconds += EPOCH_ORDER_SECONDS * size * epochs / sharing
    # Not part of `seconds`: fixed costs would make packs smaller, which costs more
    small = 1 / min(most, len(np.unique(sets))) - 1 / most
    once = small * model.loop_seconds * plan.steps / STEPS * profile.share.sum(axis=0)
    # The profile of a method that is not told what to keep has one mask throughout
    kept = group["keep"].to_numpy(np.float64) if entry.needs_keep else profile.kept[-1]
    return Price(name, seconds, seconds + once, kept, sets, most)


def _gradient(width: int, batch: float) -> float:
    """Return the seconds of one dense gradient of one network."""
    base, parameter, unit = GRADIENT_SECONDS
    return base + batch * (parameter * mlp.param_count(width) + unit * width)


def _profile(
    group: pd.DataFrame, width: int
) -> tuple[CostProfile, Int[np.ndarray, " N"]]:
    """Return the cost profile of configs, and which of them share one training."""
    alike = group.groupby([*ALIKE], sort=False)["width"]
    sharing = alike.transform("size").to_numpy(np.float64)
    entry = METHODS[group["method"].iloc[0]]
    profile = entry.cost_profile(group, mlp.weight_count(width), sharing)
    if np.allclose(profile.share.sum(axis=0) * sharing, 1):
        return profile, alike.ngroup().to_numpy()
    return profile, np.arange(len(group))
