"""Output that outlasts its reader: a launch does not end because ``head`` did."""

import errno
import io
import os
import signal
import sys
import threading
from typing import Any

GONE = (errno.EPIPE, errno.EIO)
"""The reader of a pipe has left; the terminal is closed."""


class _Lasting(io.FileIO):
    """A file descriptor to which writing goes on, into nothing, when nobody reads."""

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        """Write; what nobody can read counts as written."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in GONE:
                raise
            return memoryview(data).nbytes


def outlast_readers() -> None:
    """Let this process go on when nobody reads its stdout or stderr any more.

    Streams that something else put in place (a notebook, a test) stay as they are.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is not None and stream is getattr(sys, f"__{name}__"):
            stream.flush()
            setattr(sys, name, _lasting(number, stream))


def _lasting(number: int, like: Any) -> io.TextIOWrapper:
    """Return a text stream to a descriptor, with the encoding of another."""
    raw = _Lasting(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=like.encoding,
        errors=like.errors,
        line_buffering=True,
    )


def fill_gaps() -> None:
    """Open what a shell closed (``2>&-``): a result file must not become stderr."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        name = ("stdin", "stdout", "stderr")[number]
        stream = open(number, "r" if number == 0 else "w", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.close(number)
