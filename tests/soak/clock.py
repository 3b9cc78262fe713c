"""Clocks that jump while a launch runs, and files from the future and the past."""

import os
import random
import time
from dataclasses import dataclass
from random import Random

from spiral.results import store
from tests.soak.stage import Stage, check

WANTED = 20
YEARS = 30 * 365 * 86_400.0


@dataclass(frozen=True)
class Jumps:
    """Lets the clock of a process jump at every look; call it to begin."""

    seed: int

    def __call__(self) -> None:
        """Replace the clock that can be set."""
        chance, real = random.Random(self.seed), time.time
        time.time = lambda: max(0.0, real() + chance.uniform(-YEARS, YEARS))


def turn(stage: Stage, chance: Random) -> int:
    """Launch in parts with a jumping clock; unfinished files have impossible dates."""
    out = stage.fresh("out")
    child = stage.launch(out, "--limit", "4", harm=Jumps(chance.getrandbits(32)))
    check(child.wait() == 0, child.said)
    for when in (0.0, time.time() - YEARS / 2, time.time() + YEARS / 2):
        for path in (store.scratch(out) / f"{when}.tmp", *store.pack_files(out)):
            path.touch()
            os.utime(path, (when, when))
    child = stage.launch(out, harm=Jumps(chance.getrandbits(32)))
    check(child.wait() == 0, child.said)
    stage.finish(out)
    return 1
