"""Ray in a process of its own, so that nothing it does reaches the launcher.

Ray replaces signal handlers, writes to stderr from C++, turns an exception that a
handler raises into other things, and may end the process it lives in: with an abort
when a cluster's head is gone, with a segmentation fault when it is interrupted. None of
that matters here: whatever happens, the launcher ends that process and all that it
started, which make up one session.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from spiral.errors import ConfigError, LaunchIncomplete
from spiral.results import store
from spiral.sweep import ray, ray_session, signals
from spiral.sweep.worker import Report, Site

START = (
    "import sys; sys.path[:] = {path!r}; from spiral.sweep import ray; "
    "ray.serve({handle})"
)

SOCKET = "ray-12345678/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store"
"""What Ray adds to the folder for temporary files."""

SOCKET_BYTES = 103 if sys.platform == "darwin" else 107
"""The longest path that a Unix socket may have."""

SHORT = Path("/tmp")
"""Where sockets have room, should TMPDIR have too long a path."""

LAST_WORDS = 200
"""Characters of Ray's log that a message quotes."""


def run(
    site: Site,
    packs: Sequence[str],
    workers: int,
    report: Report,
    *,
    address: str | None = None,
    gpu: bool = False,
) -> None:
    """Train packs on Ray and report what became of each.

    Args:
        site: Where the packs come from and go.
        packs: Ids, in the order to start them.
        workers: Packs that train at once.
        report: Called once per pack, when it is done or given up.
        address: Use this cluster; else start Ray on this machine, loopback only.
        gpu: Packs need a GPU each.

    Raises:
        SpiralError: Ray does not start, or ends before all packs are done.
    """
    site = replace(site, out=site.out.resolve())
    job = ray.Job(site, list(packs), workers, address, gpu)
    # Tune insists on a folder; on a cluster its nodes must share it
    _do(partial(ray.run, job), report, shared=address and store.scratch(site.out))


def check_address(address: str) -> None:
    """Raise ConfigError unless a Ray cluster answers there within seconds."""
    _do(partial(ray.check_address, address), print)


def _do(
    work: Callable[..., None],
    report: Callable[[Any], None],
    shared: Path | str | None = None,
) -> None:
    """Let a process of Ray's own do some work, and pass on what it reports."""
    with ExitStack() as stack:
        own = stack.enter_context(_folder(short_folder()))
        folders = ray.Folders(
            own, own if shared is None else stack.enter_context(_folder(shared))
        )
        process, line = stack.enter_context(_process(own))
        with suppress(BrokenPipeError):  # it is gone already: the next lines say so
            line.send((work, folders))
        while True:
            try:
                kind, what = line.recv()
            except (EOFError, OSError):
                raise LaunchIncomplete(_end_of(process, own)) from None
            if kind == "done":
                return
            if kind == "error":
                raise what
            report(what)


@contextmanager
def _process(folder: str) -> Iterator[tuple["subprocess.Popen[bytes]", Connection]]:
    """Start the process, in a session of its own; end the session with the block."""
    ours, theirs = Pipe()
    code = START.format(path=sys.path, handle=theirs.fileno())
    with ours, Path(folder, ray.LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**ray.SETTINGS, **os.environ},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        try:
            with signals.undoing(partial(ray_session.kill, process.pid)):
                theirs.close()
                yield process, ours
        finally:
            process.wait()


@contextmanager
def _folder(parent: Path | str) -> Iterator[str]:
    """Make a folder that is gone after the block, and after a signal."""
    folder = tempfile.mkdtemp(prefix="ray-", dir=parent)
    with signals.undoing(partial(ray_session.remove, folder)):
        yield folder


def _end_of(process: "subprocess.Popen[bytes]", folder: str) -> str:
    """Return a message about a process that ended before its job was done."""
    ray_session.kill(process.pid)  # it is dead or about to die; its exit code stands
    code = process.wait()
    how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
    said = ray.log(folder).split("\n")
    last = [f": {line[-LAST_WORDS:]}" for line in said if line.strip()][-1:]
    return (
        f"Ray ended unexpectedly ({how}{''.join(last)}). All packs that were done are "
        "saved: run the same command again, or train without Ray by --executor local"
    )


def short_folder() -> Path:
    """Return a folder for temporary files in which Ray's sockets have room.

    Raises:
        ConfigError: There is none.
    """
    try:
        wanted = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()).resolve()
    except FileNotFoundError:
        raise ConfigError(
            "there is no folder for temporary files, in which Ray keeps its sockets "
            "and logs: set TMPDIR to a folder that you may write, or train without Ray "
            "by --executor local"
        ) from None
    room = SOCKET_BYTES - len(f"/{SOCKET}")
    for folder in (wanted, SHORT):
        if len(os.fsencode(folder)) <= room and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise ConfigError(
        f"the folder for temporary files, {wanted}, has a path of "
        f"{len(os.fsencode(wanted))} bytes, expected at most {room}, as Ray makes "
        f"sockets in it, and {SHORT} cannot be used instead; set TMPDIR to a shorter "
        "one, or train without Ray by --executor local"
    )
