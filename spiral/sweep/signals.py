"""End the process on a signal: with a message, the right exit code, and at once.

The handler never raises. The code it interrupts (an import, a compiler, torch, a user's
method) could swallow the exception, which loses the signal, or crash on it. Instead it
writes a message, cleans up what would outlive the process, and calls ``os._exit``.
Result files need no cleanup: each is complete or absent at any moment.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from spiral.results import atomic

CODES = {
    signal.Signals[name]: code
    for name, code in {
        "SIGINT": 130,
        "SIGTERM": 143,
        "SIGUSR1": 143,  # batch systems send it as a warning before SIGTERM
        "SIGHUP": 143,  # the terminal was closed
    }.items()
    if hasattr(signal, name)  # Windows has the first two
}
"""Exit code of each signal that ends a command."""

OF_GROUPS = tuple(number for number in CODES if number != signal.SIGTERM)
"""Signals that a terminal or batch system sends to the whole process group."""


def on_closed_pipe(handler: signal.Handlers) -> None:
    """Set what happens when the reader of a pipe is gone, where that is a signal."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, handler)


Undo = Callable[[], None]
_undo: list[Undo] = [atomic.discard_unfinished]


@contextmanager
def undoing(undo: Undo) -> Iterator[None]:
    """Call ``undo`` after a block, and also if a signal ends the process within it.

    A signal may arrive while ``undo`` runs, which then is called again from within
    itself; so it must be reentrant and take no lock.
    """
    _undo.append(undo)
    try:
        yield
    finally:
        undo()
        _undo.remove(undo)


@contextmanager
def ending(message: Callable[[str], str], *, last: bool = False) -> Iterator[None]:
    """Let signals end the process during a block.

    SIGINT is handled even if the shell set it to ignored, as shells do for background
    jobs: whoever sends it means this process. An ignored SIGHUP (``nohup``) stays
    ignored.

    Args:
        message: Returns the text for stderr, given the name of the signal.
        last: The process ends after the block: ignore signals from then on, so that
            the exit code is that of the work.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python allows signal handlers in the main thread only
        return
    stop = _stopper(message)
    before = {number: signal.getsignal(number) for number in CODES}
    hangup = getattr(signal, "SIGHUP", None)
    if hangup and before[hangup] == signal.SIG_IGN:
        del before[hangup]
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if last else handler)


def _stopper(message: Callable[[str], str]) -> Callable[[int, FrameType | None], None]:
    """Return a handler; a further signal after its message ends the process at once."""
    calls: list[bool] = []

    def stop(number: int, frame: FrameType | None) -> None:
        code = CODES[signal.Signals(number)]
        calls.append(False)
        if len(calls) > 1:
            # `timeout` and some shells send a signal twice: let the message finish
            if calls[0] or len(calls) > 2:
                os._exit(code)
            return
        with suppress(Exception):  # stderr may be closed
            _write(message(signal.Signals(number).name))
        calls[0] = True
        for undo in reversed(_undo):
            with suppress(Exception):
                undo()
        os._exit(code)

    return stop


def _write(text: str) -> None:
    """Write to stderr without Python's buffer, whose lock this thread may hold."""
    # erase the progress bar, and show the cursor that it hides
    clean = "\r\x1b[2K\x1b[?25h" if os.isatty(2) else ""
    os.write(2, f"{clean}{text}\n".encode(errors="backslashreplace"))
