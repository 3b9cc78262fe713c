"""Packs without dead units, so that units that are masked completely cost nothing."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from spiral.model.compact import Compact, compact, widths
from spiral.protocol.job import TrainJob, TrainState


def narrow_job(small: Compact, job: TrainJob) -> TrainJob:
    """Return the job of the narrow networks."""
    return replace(job, width=small.width, initial=small.take(job.initial))


def narrow_state(small: Compact, state: TrainState) -> TrainState:
    """Return the state of the narrow networks."""
    trainable = state.trainable
    return replace(
        state,
        params=small.take(state.params),
        momentum=small.take(state.momentum),
        masks=small.take(state.masks),
        trainable=None if trainable is None else small.take(trainable),
    )


def narrowed(
    job: TrainJob, state: TrainState
) -> Iterator[tuple[np.ndarray, Compact | None, TrainJob, TrainState]]:
    """Yield the parts of a pack with equal compact width.

    Yields:
        The networks of the part, how they were shrunk (None: not at all), their job and
        their state.
    """
    wanted = widths(state.masks, job.width)
    for narrow in np.unique(wanted):
        rows = np.flatnonzero(wanted == narrow)
        part, now = job.take(rows), state.take(rows)
        if narrow == job.width:
            yield rows, None, part, now
        else:
            small = compact(now.masks, job.width, int(narrow))
            yield rows, small, narrow_job(small, part), narrow_state(small, now)
