"""Shared prefixes: networks that are identical until their method acts train once.

Configs that differ only in what their method does later (for instance, how many weights
it keeps) start with the same initial weights, batch order and learning rate. Until an
event tells them apart they would train to equal bits, so one of them trains for all.
"""

from collections.abc import Hashable, Iterable

import numpy as np

from spiral.protocol.job import TrainJob, TrainState


def at_start(job: TrainJob) -> np.ndarray:
    """Return a group number per network; equal numbers start and train identically."""
    columns = (job.lr, job.schedule, job.momentum, job.weight_decay, job.order_seeds)
    starts = [params.tobytes() for params in job.initial]
    return _number(zip(*columns, starts, strict=True))


def after_event(groups: np.ndarray, job: TrainJob, state: TrainState) -> np.ndarray:
    """Return the groups of networks that are still identical after an event.

    The old group is part of the key, as it covers what no event changes: initial
    weights, learning rate and momentum. So groups only split.
    """
    if len(np.unique(groups)) == len(groups):
        return groups
    arrays = (
        state.params,
        state.momentum,
        state.masks,
        state.trainable,
        state.lr_scale,
        state.active_counts,
        state.active,
        state.adapters,
        state.moments,
        state.born,
        state.trained,
        state.status,
    )
    columns = [[row.tobytes() for row in a] for a in arrays if a is not None]
    how = (job.schedule, job.weight_decay, job.order_seeds)
    return _number(zip(groups.tolist(), *how, *columns, strict=True))


def _number(keys: Iterable[Hashable]) -> np.ndarray:
    """Number keys by first appearance; equal keys get equal numbers."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(key, len(known)) for key in keys])
