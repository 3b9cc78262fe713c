"""Ends the process when a signal asks for it: in words, with its code, and at once.

The handler never raises. What it would interrupt (an import, a compiler, torch, a
method of the user's own) may swallow the exception, and then the signal is lost, or
crash on it. So it writes its message, undoes what would outlive the process, and leaves
by ``os._exit``. Results need nothing more: they are whole or absent at any moment.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from spiral.results import atomic

CODES = {
    signal.SIGINT: 130,
    signal.SIGTERM: 143,
    signal.SIGUSR1: 143,  # batch systems send it before they send SIGTERM
    signal.SIGHUP: 143,  # the terminal is gone
}
"""Exit code of each signal that ends a command."""

Undo = Callable[[], None]
_undo: list[Undo] = [atomic.discard_unfinished]


@contextmanager
def undoing(undo: Undo) -> Iterator[None]:
    """Call something after a block, and also when a signal ends the process within.

    A signal may come while it is at work: then it is called once more within itself, so
    it must take no lock.
    """
    _undo.append(undo)
    try:
        yield
    finally:
        undo()
        _undo.remove(undo)


@contextmanager
def ending(message: Callable[[str], str], *, last: bool = False) -> Iterator[None]:
    """Let signals end the process while a block runs.

    SIGINT counts even where a shell had it ignored, as it does for jobs in the
    background: who sends it means this process. An ignored SIGHUP (``nohup``) stays so.

    Args:
        message: Makes what is written to stderr of the signal's name.
        last: Nothing but the end of the process follows: ignore signals from then on,
            so that the exit code is that of the work.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets nobody else handle signals
        return
    stop = _stopper(message)
    before = {number: signal.getsignal(number) for number in CODES}
    if before[signal.SIGHUP] == signal.SIG_IGN:
        del before[signal.SIGHUP]
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if last else handler)


def _stopper(message: Callable[[str], str]) -> Callable[[int, FrameType | None], None]:
    """Return a handler; once it has written its message, one more call is the end."""
    calls: list[bool] = []

    def stop(number: int, frame: FrameType | None) -> None:
        code = CODES[signal.Signals(number)]
        calls.append(False)
        if len(calls) > 1:
            # `timeout` and some shells send a signal twice at once: keep the message
            if calls[0] or len(calls) > 2:
                os._exit(code)
            return
        with suppress(Exception):  # whoever reads it may be gone
            _write(message(signal.Signals(number).name))
        calls[0] = True
        for undo in reversed(_undo):
            with suppress(Exception):
                undo()
        os._exit(code)

    return stop


def _write(text: str) -> None:
    """Write to stderr below Python's buffer, whose lock this thread may hold."""
    # a progress bar hides the cursor, and its line is still there
    clean = "\r\x1b[2K\x1b[?25h" if os.isatty(2) else ""
    os.write(2, f"{clean}{text}\n".encode(errors="backslashreplace"))
