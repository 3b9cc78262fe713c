"""Packs of one epoch, and states to change."""

import numpy as np

from spiral import experiment
from spiral.protocol.job import TrainState
from tests.methods import table

ONE = np.float32(1)


def state_of(momentum=ONE):
    ones = np.ones((1, 4), np.float32)
    return TrainState(5, ones, np.ones((1, 4), bool), momentum * ones)


def run(method, n=1, **values):
    """Return the rows of one pack of one epoch as dicts."""
    found = experiment.run(table(method, n, **{"epochs": 1, **values}))
    return found.to_pylist()
