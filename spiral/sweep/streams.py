"""Standard streams that survive a closed pipe: ``launch | head`` trains to the end."""

import errno
import io
import os
import signal
import sys
import threading
from typing import Any

from spiral.sweep import signals

GONE = (errno.EPIPE, errno.EIO)
"""Errors of writing to a closed pipe, or to a closed terminal."""


class _Lasting(io.FileIO):
    """A file whose writes succeed, without effect, after the reader has closed it."""

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        """Write; discard the data if the reader is gone."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in GONE:
                raise
            return memoryview(data).nbytes


def outlast_readers() -> None:
    """Make stdout and stderr survive the loss of their reader.

    Streams that were replaced before (by a notebook or a test) are left alone.
    """
    if threading.current_thread() is threading.main_thread():
        signals.on_closed_pipe(signal.SIG_IGN)
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is not None and stream is getattr(sys, f"__{name}__"):
            stream.flush()
            setattr(sys, name, _lasting(number, stream))


def _lasting(number: int, like: Any) -> io.TextIOWrapper:
    """Return a text stream on a descriptor, with the encoding of another stream."""
    raw = _Lasting(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=like.encoding,
        errors=like.errors,
        line_buffering=True,
    )


def fill_gaps() -> None:
    """Open standard streams that the shell closed (``2>&-``) on ``/dev/null``.

    Otherwise the first result file opened would get descriptor 2, and messages for
    stderr would be written into it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        name = ("stdin", "stdout", "stderr")[number]
        stream = open(number, "r" if number == 0 else "w", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.close(number)
