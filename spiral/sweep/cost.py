"""What a config costs: a model measured on one machine, to size packs and estimate."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from spiral import experiment
from spiral.methods.entry import CostProfile
from spiral.methods.registry import METHODS
from spiral.model import mlp
from spiral.tasks import cubist

ALIKE = (
    *("order_seed", "init_seed", "init"),
    *("lr", "schedule", "momentum", "weight_decay"),
)
"""What networks of a group must have in common to begin as twins."""

CACHE_UNITS = 2048
"""Networks x width beyond which a pack's activations leave the cache (engine vmap)."""

MOST_NETWORKS = 512
"""More do not make a pack of engine vmap faster."""

MOST_PARAMS = 9_000_000
"""Parameters of a pack, N x P; a worker needs up to 90 bytes for each (GraSP)."""

EPOCH_ORDER_SECONDS = 1.0e-3
"""Drawing and laying out one epoch's order, shared by networks of one order seed."""

STEPS = 19_500

SECONDS: dict[str, dict[float, float]] = {
    "vmap": {
        **{1: 0.07, 3: 0.082, 6: 0.105, 8: 0.15, 16: 0.25},
        **{32: 0.85, 64: 2.6, 128: 9.3, 256: 33.0},
    },
    "reference": {1: 6.0, 16: 6.5, 64: 9.0, 256: 45.0},
}
"""Seconds of one network of 50 epochs, batch 128, by width, on one core."""

SLOT_NANOSECONDS: dict[float, float] = {
    **{1: 5.0, 700: 5.1, 2_300: 6.3, 8_700: 8.5, 34_000: 14.0},
}
"""Engine sparse: time of one step per parameter, by parameters: from about 1,000 on the
network leaves the L1 cache. All on one core of an AMD EPYC Zen 5, torch 2.13.0, Numba
0.68.1; other machines differ by a small factor."""

EXTRA: dict[str, float] = {
    **{"forward_mask": 1.3, "sfw": 1.6},
    **{"low_rank": 1.1, "adamw": 1.1},
}
"""How much longer a step of engine vmap takes with a weight map, or another optimiser.
Processor time at widths 3, 16 and 64: maps over all layers 1.2, 1.0 and 1.3, over
layers 1.1, 1.0 and 1.4, N:M 1.3, 1.0 and 1.4; Frank-Wolfe 1.4, 1.2 and 1.6.
Adapters with AdamW 2.7, 3.1 and 2.6, AdamW alone 1.6, 2.1 and 2.0, in the last tenth of
a training; two gradients a step (``sam``) count in the cost profile of the method."""

LOOP_SECONDS = 8.0
"""Of engine vmap, for the 19,500 steps of a pack of any size: what it costs to start
the operations of a step. Five and twenty networks of width 16 take 9 and 15 s."""

STEP_NANOSECONDS = 25.0

GRADIENT_SECONDS = (8e-6, 2e-10, 9e-9)
"""A dense gradient of a batch in a method's decision: in itself, for a parameter and a
point, for a unit and a point. 8, 42 and 3,200 µs measured at widths 3, 16 and 256."""

PLAIN = 5.0
"""How much longer engine sparse-plain takes."""


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
    plan = experiment.plan_of(experiment.build_method(shared), shared)
    name = experiment.engine_of(shared, plan)
    engine = name.partition(":")[0]
    width = int(shared["width"])
    profile, sets = _profile(group, width)
    params = mlp.param_count(width) * len(group) / len(np.unique(sets))
    most = int(MOST_PARAMS // params)
    step = step_seconds(engine, width, profile)
    if engine in SECONDS:
        step *= EXTRA.get(plan.optimiser.name, 1.0)
        step *= 1.0 if plan.weight_map is None else EXTRA[plan.weight_map.name]
        most = min(most, MOST_NETWORKS, CACHE_UNITS // width)
    most = max(1, most)
    seconds = step * plan.steps * plan.siblings * float(shared["batch"]) / 128
    entry = METHODS[shared["method"]]
    seconds += entry.gradients(group) * _gradient(width, float(shared["batch"]))
    sharing = group.groupby("order_seed")["width"].transform("size").to_numpy(float)
    epochs = plan.steps / (cubist.POINTS // int(shared["batch"]))
    seconds += EPOCH_ORDER_SECONDS * epochs / sharing
    once = np.zeros(len(group))
    if engine == "vmap":  # packs are no smaller for it: that would cost more
        small = 1 / min(most, len(np.unique(sets))) - 1 / most
        once = small * LOOP_SECONDS * plan.steps / STEPS * profile.share.sum(axis=0)
    return Price(name, seconds, seconds + once, sets, most)


def step_seconds(
    engine: str, width: int, profile: CostProfile
) -> Float[np.ndarray, " N"]:
    """Return the seconds of one step of each network on average, at batch 128."""
    if engine in SECONDS:
        share = profile.share.sum(axis=0)
        return _interpolate(width, SECONDS[engine]) / STEPS * share
    plain = PLAIN if engine == "sparse-plain" else 1.0
    return sparse_step(profile, width) * plain


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


def sparse_step(profile: CostProfile, width: int) -> Float[np.ndarray, " N"]:
    """Return the seconds of one step on average: it follows the weights kept."""
    weights = profile.kept
    slots = weights + np.minimum(3 * width + 1, 0.6 * weights)  # and biases
    each = np.exp(np.interp(np.log(slots), *np.log(_columns(SLOT_NANOSECONDS))))
    return 1e-9 * ((STEP_NANOSECONDS + each * slots) * profile.share).sum(axis=0)


def _columns(table: dict[float, float]) -> Float[np.ndarray, "2 rows"]:
    return np.array([list(table), list(table.values())])


def _interpolate(x: float, table: dict[float, float]) -> float:
    """Interpolate a table between its points, on logarithmic axes."""
    return float(np.exp(np.interp(np.log(x), *np.log(_columns(table)))))
