"""Configs to packs: which networks train together, and what that costs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from spiral import experiment, mlp, rows, store

PACK_SECONDS = 30.0
"""Aim for one pack: long enough to hide overhead, short enough to lose to a crash."""

CACHE_UNITS = 2048
"""Networks x width beyond which a pack's activations leave the cache (engine vmap)."""

MAX_NETWORKS = 512

SECONDS = {
    "vmap": {
        1: 0.07,
        3: 0.082,
        6: 0.105,
        8: 0.15,
        16: 0.25,
        32: 1.05,
        64: 3.2,
        128: 11.5,
        256: 41.0,
    },
    "reference": {1: 6.0, 16: 6.5, 64: 9.0, 256: 45.0},
}
"""Seconds of one network of 50 epochs, batch 128, by width, on one core (AMD EPYC
Zen 5, torch 2.13.0). Other machines differ by a small factor."""

STEPS = 19_500


def shared_columns() -> list[str]:
    """Return the fields in which the networks of a pack must agree."""
    fields = rows.config_fields().values()
    return [field.name for field in fields if not field.per_network]


def group_codes(configs: pd.DataFrame) -> np.ndarray:
    """Return a number per config; configs of equal number can train together."""
    return (
        configs.groupby(shared_columns(), dropna=False, sort=False, observed=True)
        .ngroup()
        .to_numpy()
    )


def seconds_per_network(engine: str, width: int, steps: int) -> float:
    """Estimate one network's training time on one core."""
    table = SECONDS[engine.partition(":")[0]]
    widths, seconds = np.log(list(table)), np.log(list(table.values()))
    return float(np.exp(np.interp(np.log(width), widths, seconds)) * steps / STEPS)


def pack_size(seconds: float, width: int) -> int:
    """Return how many networks of this cost a pack should hold."""
    size = min(PACK_SECONDS / seconds, CACHE_UNITS / width, MAX_NETWORKS)
    return max(1, round(size))


@dataclass(frozen=True)
class Packs:
    """Configs with their packs."""

    configs: pd.DataFrame
    """With the column ``pack``; the configs of a pack stand together, in its order."""
    table: pd.DataFrame
    """One row per pack: ``pack``, ``networks``, ``seconds`` (estimated, one core)."""


def pack(configs: pd.DataFrame) -> Packs:
    """Share configs out among packs; a function of the configs alone.

    Within a group, configs follow each other by order seed (a pack then draws few
    epoch orders), else in the order of the grid.

    Raises:
        UnsupportedJob: A method's plan fits no engine; with the reasons.
    """
    codes = group_codes(configs)
    by_seed = np.lexsort((configs["order_seed"].to_numpy(np.int64), codes))
    ids = configs["config_id"].to_numpy(object)
    names = np.empty(len(configs), object)
    packs = []
    for members in np.split(by_seed, np.flatnonzero(np.diff(codes[by_seed])) + 1):
        shared = configs.iloc[members[0]]
        seconds = _seconds(shared)
        size = pack_size(seconds, int(shared["width"]))
        for chunk in np.array_split(members, -(-len(members) // size)):
            names[chunk] = name = store.pack_id(ids[chunk])
            packs.append((name, len(chunk), seconds * len(chunk)))
    table = pd.DataFrame(packs, columns=["pack", "networks", "seconds"])
    return Packs(configs.assign(pack=names).iloc[by_seed].reset_index(drop=True), table)


def describe(configs: pd.DataFrame) -> pd.DataFrame:
    """Return size and estimated cost of the packs of a manifest, in its order."""
    first = configs.drop_duplicates("pack").set_index("pack")
    sizes = configs["pack"].value_counts()
    shared = first.groupby(shared_columns(), dropna=False, sort=False, observed=True)
    cost = {
        pack: seconds
        for _, group in shared
        for seconds in [_seconds(group.iloc[0])]
        for pack in group.index
    }
    table = pd.DataFrame({"pack": first.index.astype(str)})
    table["networks"] = table["pack"].map(sizes).astype(int)
    table["seconds"] = table["pack"].map(cost) * table["networks"]
    return table


def _seconds(shared: pd.Series) -> float:
    """Estimate one network of a group; checks that an engine can train it."""
    plan = experiment.plan_of(experiment.build_method(shared), shared)
    engine = experiment.engine_of(shared, plan)
    cost = seconds_per_network(engine, int(shared["width"]), plan.steps)
    return cost * plan.siblings * float(shared["batch"]) / 128


def estimate_bytes(configs: pd.DataFrame) -> int:
    """Estimate the size of the results on disk.

    Measured: 4.1 bytes a kept parameter, 1 bit per 8 pruned ones, 120 bytes for the
    other columns of a row (zstd, packs of about 100 rows).
    """
    weights = configs["width"].map(mlp.weight_count).to_numpy(np.float64)
    keep = configs["keep"].fillna(-1).to_numpy(np.float64)
    kept = np.where(keep < 0, weights, keep)
    return int((120 + 4.1 * kept * 1.2 + weights / 64).sum())
