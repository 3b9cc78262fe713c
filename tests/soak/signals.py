"""Signals to a launch on Ray, at random moments of its start, training and end.

From the moment the program listens, a signal ends it with the code of that signal and a
message that says how to go on; or it came after the end, and the launch is complete and
says so. Nothing is left running, and no folder is left behind.
"""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random

from spiral.sweep.signals import CODES
from tests.soak.kills import send
from tests.soak.stage import PATIENCE, TRACEBACK, Stage, check, until
from tests.sweep.conftest import alive, descendants

WANTED = 100
ROOT = Path(__file__).parents[2]
MOMENTS = ("start", "training", "end")

BACKGROUND = 'log=$1; shift; "$@" >"$log" 2>&1 & echo $!; wait $!'
"""Starts a job with SIGINT ignored, as shells without a terminal do."""

START, FEW = 20.0, 0.5
"""Seconds within which a strike comes: after the start, after a pack."""


def turn(stage: Stage, chance: Random) -> int:
    """Strike a launch at each moment; they go on with one directory."""
    out = stage.fresh("out")
    for moment in MOMENTS:
        if len(stage.packs(out)) == len(stage.expected):
            out = stage.fresh("out")
        one(stage, chance, out, moment)
    stage.finish(out)
    return len(MOMENTS)


def one(stage: Stage, chance: Random, out: Path, moment: str) -> int:
    """Launch, strike once at a moment, and check what is left; return the exit code."""
    number = chance.choice([*CODES])
    background = chance.random() < 0.5
    with tempfile.TemporaryDirectory(prefix="sig-", dir="/tmp") as folder:
        child, pid, log = _launch(stage, out, folder, background)
        until(lambda: _listens(pid) or _over(child), "a handler")
        _await(stage, chance, child, out, moment)
        family = descendants(pid)
        send(pid, number)
        code = _wait(child, log)
        until(lambda: not alive(family), "death of all processes")
        said = log.read_text(errors="replace")
        left = [str(path) for path in Path(folder).rglob("*")][:9]
        check(not left, f"{number.name} at the {moment} left {left}: {code}, {said}")
    _check(stage, out, number, code, said)
    ended = f"signals: exit code {code} at the {moment}"
    stage.notes[ended] = 1 + stage.notes.get(ended, 0)
    return code


def _launch(
    stage: Stage, out: Path, folder: str, background: bool
) -> tuple["subprocess.Popen[bytes]", int, Path]:
    """Start a launch, by itself or as a job in the background of a shell."""
    log = stage.folder / "launch.log"
    words = [sys.executable, "-m", "spiral", "launch", stage.grid, "--out", out]
    command = [*map(str, words), "--workers", "2"]
    with log.open("wb") as file:
        child = subprocess.Popen(
            ["sh", "-c", BACKGROUND, "sh", log, *command] if background else command,
            stdout=subprocess.PIPE if background else file,
            stderr=file,
            env={**os.environ, "RAY_TMPDIR": folder},
            cwd=ROOT,
            preexec_fn=_defaults,  # noqa: PLW1509 - this process has one thread
        )
    pid = int(child.stdout.readline()) if child.stdout else child.pid
    return child, pid, log


def _defaults() -> None:
    """Undo what this process may have inherited, as from ``nohup``."""
    for number in CODES:
        signal.signal(number, signal.SIG_DFL)


def _listens(pid: int) -> bool:
    """Return whether a process handles SIGTERM: Python by itself does not."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next(line for line in lines if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def _await(
    stage: Stage,
    chance: Random,
    child: "subprocess.Popen[bytes]",
    out: Path,
    moment: str,
) -> None:
    """Wait for a random time within some moment of a launch."""
    had, span = len(stage.packs(out)), FEW
    if moment == "start":
        span = START
    else:
        wanted = had + 1 if moment == "training" else len(stage.expected)
        until(lambda: len(stage.packs(out)) >= wanted or _over(child), "packs")
    with suppress(subprocess.TimeoutExpired):
        child.wait(chance.uniform(0, span))


def _over(child: "subprocess.Popen[bytes]") -> bool:
    return child.poll() is not None


def _wait(child: "subprocess.Popen[bytes]", log: Path) -> int:
    """Return the exit code of a launch, as a shell gives it."""
    try:
        code = child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        raise AssertionError(f"the signal was ignored: {log.read_text()}") from None
    finally:
        if child.stdout:
            child.stdout.close()
    return code


def _check(
    stage: Stage, out: Path, number: signal.Signals, code: int, said: str
) -> None:
    """Compare how a launch ended with what it said and what is on the disk."""
    check(code in (0, CODES[number]), f"{number.name}: exit code {code}: {said}")
    check(TRACEBACK not in said, f"a traceback:\n{said}")
    stage.check(out)
    if code:
        check(f"stopped by {number.name}" in said, f"no cause in:\n{said}")
        check(
            "Continue with" in said or "to continue" in said, f"no remedy in:\n{said}"
        )
        return
    missing = stage.expected.keys() - stage.packs(out).keys()
    check("trained" in said and not missing, f"0, but {len(missing)} missing: {said}")
