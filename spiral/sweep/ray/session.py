"""Kill all processes of a session, and remove the folders they used."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")

TRIES, PAUSE = 20, 0.05  # seconds
"""Attempts to remove a folder: a killed process may still complete a system call."""


def kill(leader: int) -> None:
    """Kill the processes of a session, its leader first, except this process.

    The leader first, so that it starts no new ones. An orphan stays in its session, so
    none escapes; a process started meanwhile is found in the next round.
    """
    spared = {os.getpid()}
    while found := members(leader) - spared:
        for process in sorted(found, key=leader.__ne__):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        spared |= found  # a zombie stays listed until its parent waits for it


def members(leader: int) -> set[int]:
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
    """Remove a folder in which a killed process may still create a last file."""
    for _ in range(TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(PAUSE)
