"""Kills: a launch dies at any moment, by any signal, again and again until it is done.

Half of the deaths come at a random time, from
outside; half at a random one of the store's operations on files, from below it.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.soak.faults import KILL, KILL_AFTER, Fault, Wire
from tests.soak.stage import Child, Stage, check, check_message, until
from tests.sweep.conftest import alive, descendants

WANTED = 1000
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
OPERATIONS = 120
"""About as many a launch of the grid does."""

DEATHS = 10
"""Kills of one turn."""


def turn(stage: Stage, chance: Random) -> int:
    """Kill launches until so many have died; complete a directory, begin another."""
    deaths, number = 0, 0
    out = stage.fresh("kills-0")
    while deaths < DEATHS:
        died = _one(stage, chance, out, crew=1 if chance.random() < 0.96 else 2)
        deaths += died
        stage.check(out)
        if not died or len(stage.packs(out)) == len(stage.expected):
            stage.finish(out)
            number += 1
            out = stage.fresh(f"kills-{number}")
    stage.finish(out)
    return deaths


def _one(stage: Stage, chance: Random, out: Path, crew: int) -> bool:
    """Launch once and strike; return whether it, or a worker, died of that."""
    left = 0.2 + 0.8 * (1 - len(stage.packs(out)) / len(stage.expected))
    if crew == 2:
        return _in_crew(stage, chance, out)
    if chance.random() < 0.5:
        deed = chance.choice([KILL, KILL_AFTER, "SIGTERM", "SIGINT"])
        fault = Fault("", deed, chance.randint(1, int(left * OPERATIONS)))
        child = stage.launch(out, harm=Wire(str(out), (fault,)))
        return _died(child)
    child = stage.launch(out)
    child.process.join(chance.uniform(0, left * stage.seconds))
    send(child.process.pid, chance.choice(SIGNALS))
    return _died(child)


def _in_crew(stage: Stage, chance: Random, out: Path) -> bool:
    """Kill the launcher of two workers, or one of its descendants."""
    child = stage.launch(out, "--workers", 2)
    child.process.join(chance.uniform(0, 5))
    below = sorted(descendants(child.process.pid))
    if below and chance.random() < 0.7:
        send(chance.choice(below), signal.SIGKILL)
        _died(child)
        return True
    family = {child.process.pid, *below}
    send(child.process.pid, chance.choice(SIGNALS))
    died = _died(child)
    until(lambda: not alive(family), "death of all workers")
    return died


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _died(child: Child) -> bool:
    """Check how a process ended, and return whether a signal ended it."""
    code = child.wait()
    if code in (130, 143):
        check_message(child.said, "stopped")
    if code == 1 and "Aborted!" in child.said:  # while click reads the command line
        return True
    expected = (0, 130, 143, *(-number for number in SIGNALS))
    check(code in expected, f"exit code {code}: {child.said}")
    return code != 0
