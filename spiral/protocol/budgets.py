"""The training time of configs: how many steps an epoch of their task has."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from spiral.protocol.plan import Budget
from spiral.tasks import catalogue

LEAST_BATCHES = 2
"""Batches of an epoch at least: with one, all seeds have the same batches."""


def steps_per_epoch(config: Any) -> int:
    """Return the complete batches of an epoch; the incomplete last one is dropped.

    Args:
        config: Has ``task`` and ``batch`` as attributes: a row of a table of configs.
    """
    return catalogue.load(str(config.task)).points // int(config.batch)


def budget_of(config: Any) -> Budget:
    """Return the budget of a config, a row of a table of configs."""
    return Budget(int(config.epochs), steps_per_epoch(config))


def steps_of_each(table: pd.DataFrame) -> Int[np.ndarray, " N"]:
    """Return the complete batches of an epoch of each config."""
    return points_of_each(table) // table["batch"].to_numpy(np.int64)


def largest_batch_of_each(table: pd.DataFrame) -> Int[np.ndarray, " N"]:
    """Return the most points that a batch of each config may have."""
    return points_of_each(table) // LEAST_BATCHES


def points_of_each(table: pd.DataFrame) -> Int[np.ndarray, " N"]:
    """Return the points of the task of each config."""
    code, names = pd.factorize(table["task"])
    points = [catalogue.load(str(name)).points for name in names]
    return np.array(points, np.int64)[code]
