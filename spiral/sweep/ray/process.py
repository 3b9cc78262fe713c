"""Run Ray in a separate process, which isolates the launcher from it.

Ray replaces signal handlers, writes to stderr from C++, converts exceptions raised by a
signal handler, and may end its process: with an abort when the head of a cluster is
gone, with a segmentation fault when it is interrupted. In its own process none of that
reaches the launcher, which in the end kills that process and all its children: they
form one session.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from spiral.errors import ConfigError, LaunchIncomplete
from spiral.sweep import signals
from spiral.sweep.ray import main, parcels, session, tune
from spiral.sweep.work import ATTEMPTS, Outcome, Report, Work

START = (
    "import sys; sys.path[:] = {path!r}; from spiral.sweep.ray import main; "
    "main.serve({handle})"
)

SOCKET = "ray-12345678/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store"
"""The longest path that Ray creates below its folder for temporary files."""

SOCKET_BYTES = 103 if sys.platform == "darwin" else 107
"""Longest path of a Unix socket, by the operating system."""

SHORT = Path("/tmp")
"""Used if the path of TMPDIR is too long for sockets."""

LAST_WORDS = 200
"""Characters of Ray's log quoted in a message."""


def run(
    work: Work,
    packs: Sequence[str],
    workers: int,
    report: Report,
    *,
    address: str | None = None,
    gpu: float = 0.0,
) -> None:
    """Train packs on Ray, save their results, and report the outcome of each.

    Args:
        work: What a pack is.
        packs: Ids, in the order to start them.
        workers: Packs trained at the same time.
        report: Called with progress and outcomes.
        address: Connect to this cluster; None starts Ray on this machine.
        gpu: GPUs that each pack needs, as 0.25.

    Raises:
        SpiralError: Ray could not start, or ended before all packs were done.
    """
    refused = dict.fromkeys(packs, "")
    for _ in range(ATTEMPTS):
        job = tune.Job(work, list(refused), workers, address, gpu)
        receiver = parcels.Receiver(work, report)
        _do(partial(tune.run, job), receiver)
        refused = receiver.refused
        if not refused:
            return
    for pack, error in refused.items():
        report(Outcome(pack, error=error))


def check_address(address: str) -> None:
    """Raise ConfigError unless a Ray cluster answers there within seconds."""
    _do(partial(tune.check_address, address), print)


def _do(work: Callable[..., None], report: Callable[[Any], None]) -> None:
    """Run some work in Ray's process, and forward its reports."""
    with _folder(short_folder()) as folder, _process(folder) as (process, line):
        with suppress(BrokenPipeError):  # it has died already: recv reports that
            line.send((work, folder))
        while True:
            try:
                kind, what = line.recv()
            except (EOFError, OSError):
                raise LaunchIncomplete(_end_of(process, folder)) from None
            if kind == "done":
                return
            if kind == "error":
                raise what
            report(what)


@contextmanager
def _process(folder: str) -> Iterator[tuple["subprocess.Popen[bytes]", Connection]]:
    """Start Ray's process in a new session; kill the session after the block.

    A session rather than a list of children: Ray's daemons belong to it even after the
    process that started them has died.
    """
    ours, theirs = Pipe()
    code = START.format(path=sys.path, handle=theirs.fileno())
    with ours, Path(folder, main.LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**tune.SETTINGS, **os.environ},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        try:
            with signals.undoing(partial(session.kill, process.pid)):
                theirs.close()
                yield process, ours
        finally:
            process.wait()


@contextmanager
def _folder(parent: Path | str) -> Iterator[str]:
    """Make a folder that is removed after the block, and on a signal."""
    folder = tempfile.mkdtemp(prefix="ray-", dir=parent)
    with signals.undoing(partial(session.remove, folder)):
        yield folder


def _end_of(process: "subprocess.Popen[bytes]", folder: str) -> str:
    """Return the message for a process that ended before its work was done."""
    session.kill(process.pid)  # it is dead or dying: its exit code stays
    code = process.wait()
    how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
    said = main.log(folder).split("\n")
    last = [f": {line[-LAST_WORDS:]}" for line in said if line.strip()][-1:]
    return (
        f"Ray ended unexpectedly ({how}{''.join(last)}). Finished packs are saved: run "
        "the same command to continue, or use --executor local"
    )


def short_folder() -> Path:
    """Return a folder for temporary files whose path leaves room for Ray's sockets.

    Raises:
        ConfigError: No folder qualifies.
    """
    try:
        wanted = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()).resolve()
    except FileNotFoundError:
        raise ConfigError(
            "expected a writable folder for temporary files (Ray's sockets and logs), "
            "got none; set TMPDIR to one, or use --executor local"
        ) from None
    room = SOCKET_BYTES - len(f"/{SOCKET}")
    for folder in (wanted, SHORT):
        if len(os.fsencode(folder)) <= room and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise ConfigError(
        f"expected a folder for temporary files with a path of at most {room} bytes, "
        f"as Ray creates sockets in it, got {len(os.fsencode(wanted))} ({wanted}), and "
        f"{SHORT} is not writable; set TMPDIR to a shorter path, or use --executor "
        "local"
    )
