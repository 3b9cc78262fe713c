"""Faults below the store: the operations of the system that it rests on.

A :class:`Wire` is laid in a process of its own, under ``io.open`` and the functions of
``os``; the product knows nothing of it. Every operation on a results directory passes
it and has a name, such as ``fsync pack`` or ``link manifest``: a *fault point*.
"""

import errno
import io
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KILL, KILL_AFTER = "kill", "kill after"
SIGNALS = {"SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}


@dataclass(frozen=True)
class Fault:
    """What happens at one fault point."""

    point: str
    """Name of the operation; "" is any."""
    deed: str
    """KILL, KILL_AFTER, a signal, or the name of an errno."""
    number: int = 1
    """At which occurrence, from 1; 0 is at every one."""


@dataclass
class Wire:
    """Watches the operations on one folder and strikes; call it to lay it."""

    out: str
    faults: tuple[Fault, ...] = ()
    record: str | None = None
    """Where to note every point that is passed."""
    counts: Counter[str] = field(default_factory=Counter)

    def __call__(self) -> None:
        """Replace the operations in this process."""
        real_open = io.open

        def open_file(file: Any, mode: str = "r", *args: Any, **more: Any) -> Any:
            if not self.watches(file):
                return real_open(file, mode, *args, **more)
            word = "read" if "r" in mode else "create"
            opened = self.strike(
                word, file, lambda: real_open(file, mode, *args, **more)
            )
            return _File(opened, file, self) if word == "create" else opened

        io.open = open_file  # type: ignore[assignment]
        for name in ("mkdir", "open", "unlink", "fsync", "close", "replace", "link"):
            setattr(os, name, self.wrapped(name, getattr(os, name)))

    def wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return an operation of ``os`` that passes the wire."""

        def operation(first: Any, *args: Any, **more: Any) -> Any:
            path = first
            if isinstance(first, int):
                path = _path_of(first)
            if not self.watches(path):
                return real(first, *args, **more)
            return self.strike(name, path, lambda: real(first, *args, **more))

        return operation

    def watches(self, path: Any) -> bool:
        """Return whether a path lies in the folder."""
        return isinstance(path, str | os.PathLike) and str(path).startswith(self.out)

    def strike(self, operation: str, path: Any, act: Callable[[], Any]) -> Any:
        """Pass a point: do the operation, or what a fault says."""
        deed = self.deed_at(f"{operation} {_kind(Path(path))}")
        if deed is None:
            return act()
        if deed == KILL_AFTER:
            try:
                return act()
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
        if operation == "close":
            act()
        self.commit(str(deed))
        return act() if operation != "close" else None

    def deed_at(self, point: str) -> str | None:
        """Count a point and return what shall happen there."""
        self.counts.update([point, ""])
        if self.record:
            with os.fdopen(_os_open(self.record), "a") as file:
                file.write(f"{point}\n")
        for fault in self.faults:
            if fault.point in ("", point) and fault.number in (
                0,
                self.counts[fault.point],
            ):
                return fault.deed
        return None

    @staticmethod
    def commit(deed: str) -> None:
        """Kill this process, send it a signal, or raise the error."""
        if deed == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif deed in SIGNALS:
            os.kill(os.getpid(), SIGNALS[deed])
        else:
            number = getattr(errno, deed)
            raise OSError(number, os.strerror(number))


_real_open = os.open


def _os_open(path: str) -> int:
    return _real_open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)


class _File:
    """A new file whose writing and closing pass the wire."""

    def __init__(self, file: Any, path: Any, wire: Wire):
        self.file, self.path, self.wire = file, path, wire

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, data: bytes) -> Any:
        """Write; a fault strikes when half of it is written."""
        half = len(data) // 2
        self.file.write(data[:half])
        self.file.flush()
        return self.wire.strike(
            "write", self.path, lambda: self.file.write(data[half:])
        )

    def flush(self) -> None:
        """Flush."""
        self.wire.strike("flush", self.path, self.file.flush)


def _path_of(handle: int) -> str:
    """Return the file that a handle stands for."""
    try:
        return os.readlink(f"/proc/self/fd/{handle}")
    except OSError:
        return ""


def _kind(path: Path) -> str:
    """Return what a path is to the store."""
    if path.name.startswith("pack-"):
        return "pack"
    if path.name.startswith("manifest"):
        return "manifest"
    if ".json" in path.name:
        return "record"
    return f"folder {path.name}" if path.name in _FOLDERS else "top folder"


_FOLDERS = ("results", "_spiral", "tmp", "failed")
