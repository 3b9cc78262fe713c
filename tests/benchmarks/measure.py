"""Processor time and memory of work, so that one can be compared with another.

Every bar is a ratio of two measurements of one run: of what the package does and of the
same done plainly, or of a smaller piece of it. A slow machine is slow at both.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
COMMAND = """
from spiral.cli import main
try:
    main(sys.argv[1:])
except SystemExit as stop:
    assert not stop.code
"""
"""Runs a command line."""

REPORT = """
lines = [line.split() for line in open("/proc/self/status")]
(peak,) = [line[1] for line in lines if line[0] == "VmHWM:"]
print(time.process_time(), peak, file=sys.stderr)
"""
"""Prints seconds and kilobytes at the peak. (`ru_maxrss` of a child begins at what its
parent holds.)"""


class Cost(NamedTuple):
    """What a piece of work took, in an interpreter of its own, and what it printed."""

    seconds: float
    kilobytes: float
    out: str


def cost(work: str, *args: object) -> Cost:
    """Run Python code that may use ``sys`` and find ``args`` in ``sys.argv``."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys, time\n{work}\n{REPORT}", *map(str, args)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    seconds, kilobytes = map(float, ran.stderr.splitlines()[-1].split())
    return Cost(seconds, kilobytes, ran.stdout)


def command(*args: object) -> Cost:
    """Run a command line of the package."""
    return cost(COMMAND, *args)


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the least processor time that work in this process takes."""
    found = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def at_most(ratio: float, what: str, taken: float, plain: float) -> None:
    """Print how many times as much one measurement is as another; fail if too many."""
    found = taken / plain
    sys.stdout.write(f"\n{what}: {found:.2g}, at most {ratio:g} ")
    assert found < ratio, f"{what}: {taken:.4g} is {found:.2f} times {plain:.4g}"
