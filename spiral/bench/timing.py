"""Times of the contenders on one case, within a time that is given."""

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from spiral.bench.cases import Case, Contender, Pack, packs

SHORT = 20
"""Steps of a warm-up."""


class Pace(NamedTuple):
    """How long the contenders of one case are measured."""

    repeats: int
    """Measurements of each at most; at least one is made, however slow the machine."""
    seconds: float
    """For all of them, packs and warm-ups included."""


def times(
    case: Case, field: Sequence[Contender], pace: Pace, say: Callable[[str], None]
) -> list[list[float]]:
    """Return for each contender how long its steps take, once a repeat.

    What is too slow for its share of the time trains fewer steps; the rest is
    extrapolated.
    """
    end = time.perf_counter() + pace.seconds
    say(f"{case.name}: drawing masks")
    jobs = packs(case, field)
    runs = []
    for one in field:
        # each has a share of what is left; to find the steps takes about two of them
        share = (end - time.perf_counter()) / (len(field) * (pace.repeats + 2))
        say(f"{case.name}: warming up {one.name}")
        pack = jobs[one.networks]
        runs.append(_Run(one, pack, *_reach(one, pack, share)))
    found: list[list[float]] = [[] for _ in field]
    for repeat in range(pace.repeats):
        began = time.perf_counter()
        for run, taken in zip(runs, found, strict=True):
            say(f"{case.name}: {run.one.name}, {repeat + 1} of {pace.repeats}")
            taken.append(run.seconds())
        now = time.perf_counter()
        if now + (now - began) > end:
            break
    return found


class _Run(NamedTuple):
    """A contender with its pack, and how many steps it can afford."""

    one: Contender
    pack: Pack
    steps: int
    short: float
    """Seconds that ``SHORT`` steps took."""

    def seconds(self) -> float:
        """Measure the affordable steps, return the time of all."""
        taken = self.one.seconds(*self.pack, self.steps)
        return whole(taken, self.steps, self.short, self.one.steps)


def whole(taken: float, steps: int, short: float, wanted: int) -> float:
    """Return how long the steps that are wanted would take, from those that were made.

    Each call has a cost beside its steps (wide packs are copied), which the short one
    shows. So it is a line through two points, not a multiple.
    """
    if steps >= wanted:
        return taken
    short = min(short, taken / 2)  # the machine may have been busy for a moment
    return short + (taken - short) * (wanted - SHORT) / (steps - SHORT)


def _reach(one: Contender, pack: Pack, seconds: float) -> tuple[int, float]:
    """Return how many steps a contender trains in some seconds, and the short time.

    Warms it up: what is compiled is compiled in the first call. The steps must cost
    more than the call itself, or else they could not be told from it.
    """
    steps = min(SHORT, one.steps)
    short = taken = one.seconds(*pack, steps)
    if math.isinf(seconds):
        return one.steps, short
    while steps < one.steps and taken < max(seconds / 2, 3 * short):
        steps = min(one.steps, 4 * steps)
        taken = one.seconds(*pack, steps)
        short = min(short, taken)
    return steps, short
