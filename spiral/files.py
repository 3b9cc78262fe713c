"""Writing files that are whole or absent, whatever happens in between."""

import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from spiral.errors import StoreError

UNFINISHED: set[Path] = set()
"""Files that this process is about to finish."""


def discard_unfinished() -> None:
    """Remove what this process has not finished; for one that ends at once."""
    for path in list(UNFINISHED):
        with suppress(OSError):
            path.unlink()


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, data: bytes) -> None:
    """Write a new file and force it to disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_atomically(
    path: Path,
    data: bytes,
    scratch: Path,
    check: Callable[[Path], object] | None = None,
    *,
    first: bool = False,
) -> None:
    """Put ``data`` at ``path``: write aside, verify, fsync, rename, fsync directory.

    Should only the last fsync fail, the new file may stand already; it is whole.

    Args:
        path: Where the file shall be; an existing one is replaced.
        data: Its whole content.
        scratch: Folder on the same file system for the unfinished file.
        check: Called on the unfinished file after it was written; raises to reject it.
        first: Only create the file; leave one that somebody else made meanwhile.

    Raises:
        FileExistsError: ``first``, and there is a file already.
        StoreError: The file cannot be written (disk full, read-only ...); ``path`` is
            as before.
    """
    unfinished = scratch / f"{path.name}.{os.getpid()}.{uuid.uuid4().hex}.tmp"
    UNFINISHED.add(unfinished)
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(unfinished, data)
        if check is not None:
            check(unfinished)
        (os.link if first else os.replace)(unfinished, path)
        sync_directory(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}; nothing half-written is "
            "left. Make room or make the folder writable, then run the command again"
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
        UNFINISHED.discard(unfinished)
