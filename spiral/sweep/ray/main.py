"""The main function of Ray's process, which a launcher starts (``ray.process``).

The process does one piece of work (a function of ``ray.tune``), reports to the
launcher, and is killed by it with all its children.
"""

import os
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from spiral.errors import LaunchIncomplete, SpiralError
from spiral.sweep import signals
from spiral.sweep.ray import session

LOG = "log"
"""File in Ray's folder with the output of its process."""


def serve(handle: int) -> None:
    """Do the work that a launcher sends; the main function of Ray's process.

    Sends back ("report", message) for each report, then ("done", None) or ("error", a
    SpiralError). A launcher that does not read holds up whoever reports.
    """
    for number in signals.OF_GROUPS:
        signal.signal(number, signal.SIG_IGN)  # the launcher decides when to stop
    os.set_inheritable(handle, False)
    line, lock = Connection(handle), threading.Lock()
    work, folder = line.recv()
    threading.Thread(target=_end_with, args=(line, folder), daemon=True).start()

    def send(kind: str, what: object) -> None:
        with lock, suppress(OSError):  # _end_with handles a launcher that is gone
            line.send((kind, what))

    try:
        work(
            lambda what: send("report", what),
            lambda text: send("error", LaunchIncomplete(text)),
            folder,
        )
        send("done", None)
    except SpiralError as error:
        send("error", error)
    threading.Event().wait()  # until the launcher kills this process


def _end_with(line: Connection, folder: str) -> None:
    """Kill all processes of this session once the launcher is gone."""
    with suppress(EOFError, OSError):
        line.recv()
    session.kill(os.getpid())
    session.remove(folder)
    os._exit(1)


def log(folder: str) -> str:
    """Return the output of this process and of Ray."""
    try:
        return Path(folder, LOG).read_text(errors="replace")
    except FileNotFoundError:
        return ""
