"""Progress of a pack in training, and the work that it takes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from spiral.sweep.work import Tell

SECONDS = 1.0
"""Least time before the first report of a pack, and between two of them; most packs of
a quick grid need none."""


class Moment(NamedTuple):
    """The progress of a training at one moment."""

    share: float
    """Share of the training that is done."""
    work: float
    """Processor seconds of the training thread so far."""


@dataclass
class Recorder:
    """Records the progress of one pack; the experiment calls it while it trains."""

    tell: Tell
    clock: Callable[[], float] = time.monotonic
    work: Callable[[], float] = time.thread_time
    first: Moment | None = None
    last: Moment | None = None
    due: float = field(init=False)

    def __post_init__(self) -> None:
        self.due = self.clock() + SECONDS

    def __call__(self, share: float) -> None:
        """Record the share of the training that is done."""
        self.last = Moment(share, self.work())
        self.first = self.first or self.last
        now = self.clock()
        if now >= self.due:
            self.due = now + SECONDS
            self.tell(share)

    @property
    def seconds(self) -> float:
        """Estimated processor seconds of the whole training; 0 if it was too short.

        Extrapolated from what followed the first piece, as engines compile in it.
        """
        if self.first is None or self.last is None or self.first == self.last:
            return 0.0
        spent, done = self.last.work - self.first.work, self.last.share
        return spent / (done - self.first.share) if done > self.first.share else 0.0
