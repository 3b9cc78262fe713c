"""Divide configs into packs, which train together, and estimate their cost."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float

from spiral.methods.registry import config_fields, options
from spiral.model import mlp
from spiral.protocol.config import fields_of
from spiral.results import packed
from spiral.sweep import calibration
from spiral.sweep.cost import ALIKE, Price, price

PACK_SECONDS = 30.0
"""Target for one pack: long enough to hide the overhead of starting and saving it,
short enough that a crash loses little work."""


def shared_columns() -> list[str]:
    """Return the fields that all networks of a pack must have in common."""
    every = config_fields().values()
    return [field.name for field in every if not field.per_network]


def group_codes(configs: pd.DataFrame) -> np.ndarray:
    """Return a number per config; configs with equal numbers can train together."""
    return (
        configs.groupby(shared_columns(), dropna=False, sort=False, observed=True)
        .ngroup()
        .to_numpy()
    )


@dataclass(frozen=True)
class Packs:
    """Configs with their packs."""

    given: pd.DataFrame
    """The configs as they were given, with the column ``pack``."""
    order: np.ndarray
    """Their numbers, pack by pack."""
    table: pd.DataFrame
    """One row per pack: ``pack``, ``networks``, ``seconds`` (estimated, on one core of
    this machine), ``engine``."""
    blocks: dict[str, float]
    """Estimated seconds of each block, on one core."""
    bytes: int
    """Estimated size of the results on disk."""

    @cached_property
    def configs(self) -> pd.DataFrame:
        """The configs; those of a pack are adjacent and in its order.

        A pack's id is the digest of its ids in their order, so the manifest keeps it.
        """
        return self.given.iloc[self.order].reset_index(drop=True)


def pack(configs: pd.DataFrame) -> Packs:
    """Divide configs into packs; a function of the configs alone.

    Raises:
        UnsupportedJob: No engine supports a method's plan; with the reasons.
    """
    ids = configs["config_id"].to_numpy(object)
    names = np.empty(len(configs), object)
    seconds, kept = np.empty(len(configs)), np.empty(len(configs))
    order, packs = [np.empty(0, int)], []  # configs may be empty
    for members in groups(configs):
        cost = price(alike(configs, members))
        seconds[members] = here = _seconds_here(cost)
        kept[members] = cost.kept
        for chunk in cut(cost):
            names[members[chunk]] = name = packed.pack_id(ids[members[chunk]])
            packs.append((name, len(chunk), here[chunk].sum(), cost.engine))
        order.append(members)
    table = pd.DataFrame(packs, columns=["pack", "networks", "seconds", "engine"])
    blocks = pd.Series(seconds).groupby(configs["block"].to_numpy(object)).sum()
    size = _estimate_bytes(configs, kept)
    named = configs.assign(pack=names)
    return Packs(named, np.concatenate(order), table, blocks.to_dict(), size)


def _seconds_here(cost: Price) -> Float[np.ndarray, " N"]:
    """Return the estimated seconds on this machine; packs must not depend on it."""
    return cost.estimate * calibration.factor(cost.engine)


def groups(configs: pd.DataFrame) -> list[np.ndarray]:
    """Return the row numbers of each group that can train together, sorted for sharing.

    By order seed first, so that a pack draws few batch orders; then by what the
    networks of a shared prefix have in common (see ``shared_prefix.at_start``), so that
    a prefix is not split among packs; else as in the grid.
    """
    if configs.empty:
        return []
    codes = group_codes(configs)
    keys = [pd.factorize(configs[name], sort=True)[0] for name in reversed(ALIKE)]
    order = np.lexsort((*keys, codes))
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def alike(configs: pd.DataFrame, members: np.ndarray) -> pd.DataFrame:
    """Return configs of one method with its own fields only, a third of all columns."""
    method = configs["method"].iat[members[0]]
    names = [*fields_of(method, options())]
    return configs[names].iloc[members]


def cut(cost: Price) -> list[np.ndarray]:
    """Cut a group into packs of about equal time and a bounded number of trainings.

    Configs that share the whole training (see ``Price.sets``) stay in one pack.
    """
    # Networks that share a training are adjacent: a set begins where its number changes
    begin = np.flatnonzero(np.diff(cost.sets, prepend=-1))
    seconds, most = np.add.reduceat(cost.seconds, begin), cost.most_sets
    count = max(-(-seconds.sum() // PACK_SECONDS), -(-len(seconds) // most))
    # Equal shares of the time, not of the number: networks of a group differ in cost,
    # e.g. by `keep`. A set goes to the share in which its middle lies
    middle = np.cumsum(seconds) - seconds / 2
    total = seconds.sum() or 1.0  # networks that are only evaluated take no time
    share = np.minimum(middle * count // total, count - 1).astype(int)
    chunks = np.split(np.arange(len(seconds)), np.flatnonzero(np.diff(share)) + 1)
    # Memory and cache bound the number of trainings, whatever their time
    parts = [
        part
        for chunk in chunks
        for part in np.array_split(chunk, -(-len(chunk) // most))
    ]
    return np.split(np.arange(len(cost.sets)), [begin[part[0]] for part in parts[1:]])


def describe(configs: pd.DataFrame) -> pd.DataFrame:
    """Return the size and estimated cost of each pack of a manifest, in its order."""
    seconds, engines = np.empty(len(configs)), np.empty(len(configs), object)
    for members in groups(configs):
        cost = price(alike(configs, members))
        seconds[members], engines[members] = _seconds_here(cost), cost.engine
    costs = configs[["pack"]].astype(str).assign(seconds=seconds, engine=engines)
    by_pack = costs.groupby("pack", sort=False)
    found = by_pack["seconds"].agg(networks="size", seconds="sum")
    return found.assign(engine=by_pack["engine"].first()).reset_index()


def _estimate_bytes(configs: pd.DataFrame, kept: Float[np.ndarray, " N"]) -> int:
    """Estimate the size of the results on disk.

    Measured (zstd, packs of 100 to 500 rows): 3.5 bytes per kept parameter, half a bit
    per weight of the dense network for the mask, 180 bytes for the rest of a row.
    """
    weights = configs["width"].map(mlp.weight_count).to_numpy(np.float64)
    return int((180 + 4.0 * kept + weights / 16).sum())
