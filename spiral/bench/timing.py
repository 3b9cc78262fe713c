"""Time the contenders of one case within a time limit."""

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
    """Maximum measurements of each; at least one, however slow the machine is."""
    seconds: float
    """Time limit for all of them, including packs and warm-ups."""


def times(
    case: Case, field: Sequence[Contender], pace: Pace, on_start: Callable[[str], None]
) -> list[list[float]]:
    """Return the seconds of each contender's steps, one value per repeat.

    A contender too slow for its share of the time trains fewer steps, and its time is
    extrapolated.
    """
    end = time.perf_counter() + pace.seconds
    on_start(f"{case.name}: drawing masks")
    jobs = packs(case, field)
    runs = []
    for one in field:
        # An equal share of the time left; finding the number of steps takes about two
        share = (end - time.perf_counter()) / (len(field) * (pace.repeats + 2))
        on_start(f"{case.name}: warming up {one.name}")
        pack = jobs[one.networks]
        runs.append(_Run(one, pack, *_reach(one, pack, share)))
    found: list[list[float]] = [[] for _ in field]
    for repeat in range(pace.repeats):
        began = time.perf_counter()
        for run, taken in zip(runs, found, strict=True):
            on_start(f"{case.name}: {run.one.name}, {repeat + 1} of {pace.repeats}")
            taken.append(run.seconds())
        now = time.perf_counter()
        if now + (now - began) > end:
            break
    return found


class _Run(NamedTuple):
    """A contender with its pack and the steps it has time for."""

    one: Contender
    pack: Pack
    steps: int
    short: float
    """Seconds of ``SHORT`` steps."""

    def seconds(self) -> float:
        """Measure these steps and return the extrapolated time of all."""
        taken = self.one.seconds(*self.pack, self.steps)
        return whole(taken, self.steps, self.short, self.one.steps)


def whole(taken: float, steps: int, short: float, wanted: int) -> float:
    """Extrapolate the time of the wanted steps from that of fewer steps.

    A call has a fixed cost besides its steps (wide packs are copied), so the estimate
    is a line through two measurements rather than a proportion.
    """
    if steps >= wanted:
        return taken
    short = min(short, taken / 2)  # the machine may have been busy for a moment
    return short + (taken - short) * (wanted - SHORT) / (steps - SHORT)


def _reach(one: Contender, pack: Pack, seconds: float) -> tuple[int, float]:
    """Return how many steps a contender trains in a time, and the time of a short run.

    Also warms it up: the first call compiles. Steps grow until they cost clearly more
    than the call itself, as otherwise their cost could not be separated from it.
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
