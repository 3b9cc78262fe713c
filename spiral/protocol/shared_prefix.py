"""Twins: networks that are alike until their method parts them train once."""

from collections.abc import Hashable, Iterable

import numpy as np

from spiral.protocol.job import TrainJob, TrainState


def twins_at_start(job: TrainJob) -> np.ndarray:
    """Return a number per network; equal numbers start and train alike.

    Configs that differ only in what their method does later (how many weights it
    keeps, say) are twins until it does: they train once.
    """
    columns = (job.lr, job.schedule, job.momentum, job.weight_decay, job.order_seeds)
    starts = [params.tobytes() for params in job.initial]
    return _number(zip(*columns, starts, strict=True))


def still_twins(twins: np.ndarray, job: TrainJob, state: TrainState) -> np.ndarray:
    """Return which twins are still alike after an event."""
    if len(np.unique(twins)) == len(twins):
        return twins
    arrays = (
        state.params,
        state.momentum,
        state.masks,
        state.trainable,
        state.lr_scale,
        state.active_counts,
        state.adapters,
        state.moments,
        state.trained,
        state.status,
    )
    columns = [[row.tobytes() for row in a] for a in arrays if a is not None]
    how = (job.schedule, job.weight_decay, job.order_seeds)
    return _number(zip(twins.tolist(), *how, *columns, strict=True))


def _number(keys: Iterable[Hashable]) -> np.ndarray:
    """Number things by first appearance; equal things get equal numbers."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(key, len(known)) for key in keys])
