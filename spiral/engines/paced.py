"""Training in pieces of about a second, each of which is reported.

Engines run whole segments. What lets them be cut anywhere is a law that every engine
obeys: ``advance(0→T)`` equals ``advance(0→k→T)``, bit for bit. So where the cuts fall
may follow a clock, and no row depends on it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from spiral.protocol.job import Trainer, TrainJob, TrainState

SECONDS = 1.0
"""Aim for one piece: a cut costs at most a few hundredths of it (30 ms to lay out 2,000
networks of width 16 anew; not measurable for 8,000 of width 3)."""

GROWTH = 8
"""A piece has at most so many times the steps of the one before: the first steps may be
of another kind than those that follow (twins, networks that are still sparse)."""

Heard = Callable[[float], None]
"""Called with the share of a pack's training that is done, rising up to 1."""


@dataclass
class Paced:
    """A trainer that reports how far a pack is; its states are those of ``trainer``."""

    trainer: Trainer
    networks: int
    """Of the whole pack, when no two train as one."""
    report: Heard
    clock: Callable[[], float] = time.monotonic
    trained: int = 0
    """Steps so far, each times the networks that took it."""
    piece: float = 1.0
    """Such steps that the next piece should have."""

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train from ``state.step`` to ``stop`` in pieces."""
        # An upper bound: networks that train as one now may do so to the end
        later = self.networks * (job.plan.steps - stop)
        while state.step < stop:
            began, start = self.clock(), state.step
            state = self.trainer.advance(job, state, self._end(job, start, stop))
            taken = max(self.clock() - began, 1e-6)
            done = job.networks * (state.step - start)
            most = GROWTH * max(self.piece, done)
            self.piece = min(SECONDS * done / taken, most)
            self.trained += done
            left = later + job.networks * (stop - state.step)
            self.report(self.trained / (self.trained + left))
        return state

    def _end(self, job: TrainJob, start: int, stop: int) -> int:
        """Return where the next piece ends."""
        steps = max(1, int(self.piece / job.networks))
        end = start + steps
        if steps > job.steps_per_epoch:  # engines lay out data epoch by epoch
            end -= end % job.steps_per_epoch
        return min(stop, end)
