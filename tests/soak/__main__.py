"""Run the campaign: ``python -m tests.soak --minutes 20 --seed 7``."""

import argparse
import importlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak import figures
from tests.soak.stage import Stage

KINDS = (
    *("kills", "points", "files", "disk", "pairs", "clock"),
    *("networks", "methods", "memory", "fuzz", "hygiene", "scale", "cluster"),
    "signals",
)
"""Modules of this folder: each has ``WANTED`` faults and ``turn(stage, chance)``."""


@dataclass
class Campaign:
    """Turns of all kinds until the time is up, the one that lags most first."""

    seed: int
    folder: Path
    kinds: dict[str, Any]
    goal: dict[str, int]
    stages: dict[str, Stage] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    turns: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def run(self, minutes: float) -> None:
        """Do turns until every goal is reached or the time is up."""
        ends = time.monotonic() + 60 * minutes
        while (name := self.next()) and time.monotonic() < ends:
            self.turn(name, self.turns[name])

    def next(self) -> str | None:
        """Return the kind that has the smallest part of its faults behind it."""
        shares = {
            name: self.faults[name] / goal
            for name, goal in self.goal.items()
            if self.faults[name] < goal and name not in self.skipped
        }
        return min(shares, key=shares.__getitem__, default=None)

    def turn(self, name: str, number: int) -> None:
        """Do one turn; note what it survived, or how to see it fail again."""
        began = time.monotonic()
        chance = random.Random(f"{self.seed}:{name}:{number}")
        stage = self.stages.setdefault(name, Stage(self.folder / name))
        self.turns[name] += 1
        try:
            survived = self.kinds[name].turn(stage, chance)
        except AssertionError as error:
            self.failures.append(f"{name}:{number}")
            say(
                f"FAILED {name}:{number}: {error}\nreplay: make soak "
                f"SOAK='--seed {self.seed} --turn {name}:{number}'"
            )
            survived = 0
        except NotImplementedError as reason:  # this machine cannot
            self.skipped[name] = str(reason)
            say(f"skipped {name}: {reason}")
            return
        self.faults[name] += survived
        seconds = time.monotonic() - began
        say(
            f"{name}:{number} survived {survived} faults in {seconds:.0f} s "
            f"({self.faults[name]}/{self.goal.get(name, 0)})"
        )


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Read the arguments, run, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", action="append", choices=KINDS)
    parser.add_argument("--turn", help="KIND:NUMBER, to replay one turn")
    parser.add_argument("--figures", type=Path, help="add the figures to this JSON")
    parser.add_argument("--publish", type=Path, help="only put it in RELIABILITY.md")
    given = parser.parse_args()
    if given.publish:
        figures.publish(given.publish)
        return 0
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    say(f"seed {seed}")
    names = given.only or KINDS
    if given.turn:
        names = [given.turn.partition(":")[0]]
    kinds = {name: importlib.import_module(f"tests.soak.{name}") for name in names}
    goal = {name: kind.WANTED for name, kind in kinds.items()}
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        campaign = Campaign(seed, Path(folder), kinds, goal)
        if given.turn:
            campaign.turn(names[0], int(given.turn.partition(":")[2]))
        else:
            campaign.run(given.minutes)
    found = figures.of(campaign, seed)
    say(json.dumps(found, indent=1))
    if given.figures:
        figures.add(found, given.figures)
    return 1 if campaign.failures else 0


if __name__ == "__main__":
    sys.exit(main())
