"""The processes of one session, which end together, and the folders they used."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")

TRIES, PAUSE = 20, 0.05  # seconds
"""How often a folder is removed: who was killed ends what it does in the kernel."""


def kill(leader: int) -> None:
    """Kill the processes of a session, its leader first, but not this process.

    A dead leader starts no others. A process whose parent died is still of its session,
    so none escapes; one that another has just started is found by the next look.
    """
    spared = {os.getpid()}
    while found := _members(leader) - spared:
        for process in sorted(found, key=leader.__ne__):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        spared |= found  # a dead one may stay in the list until its parent looks


def _members(leader: int) -> set[int]:
    """Return the processes of a session."""
    found: set[int] = set()
    for process in _everybody():
        with suppress(OSError):
            if os.getsid(process) == leader:
                found.add(process)
    return found


def _everybody() -> list[int]:
    """Return all processes of this machine."""
    if PROC.joinpath("self").exists():
        return [int(name) for name in os.listdir(PROC) if name.isdecimal()]
    listed = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, check=True)
    return [int(text) for text in listed.stdout.split()]


def remove(folder: str) -> None:
    """Remove a folder into which a killed process may still make a last file."""
    for _ in range(TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(PAUSE)
