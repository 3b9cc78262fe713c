"""Training in pieces of about a second, with a progress report after each.

Engines run whole segments between events. Every engine obeys the law that
``advance(0→T)`` equals ``advance(0→k→T)`` bit for bit, so a segment may be cut
anywhere: the cuts follow the clock, and still no row depends on them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from spiral.protocol.job import Trainer, TrainJob, TrainState

SECONDS = 1.0
"""Target for one piece. A cut costs at most a few percent of it (30 ms to lay out 2,000
networks of width 16 again; not measurable for 8,000 of width 3)."""

GROWTH = 8
"""Maximum growth from one piece to the next: early steps may be much cheaper than later
ones (shared prefixes, networks that are still sparse)."""

OnProgress = Callable[[float], None]
"""Called with the share of a pack's training that is done, increasing up to 1."""


@dataclass
class Paced:
    """A trainer that reports progress; its states are those of ``trainer``."""

    trainer: Trainer
    networks: int
    """Networks of the whole pack, including those that share a prefix."""
    on_progress: OnProgress
    clock: Callable[[], float] = time.monotonic
    trained: int = 0
    """Network-steps trained so far."""
    piece: float = 1.0
    """Network-steps of the next piece."""

    def advance(self, job: TrainJob, state: TrainState, stop: int) -> TrainState:
        """Train from ``state.step`` to ``stop`` in pieces."""
        # An upper bound: networks that share a prefix now may do so to the end
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
            self.on_progress(self.trained / (self.trained + left))
        return state

    def _end(self, job: TrainJob, start: int, stop: int) -> int:
        """Return the step at which the next piece ends."""
        steps = max(1, int(self.piece / job.networks))
        end = start + steps
        if steps > job.steps_per_epoch:  # engines lay out data epoch by epoch
            end -= end % job.steps_per_epoch
        return min(stop, end)
