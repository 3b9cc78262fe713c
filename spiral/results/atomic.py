"""Write files that are complete or absent, whatever happens in between.

Some file systems lack an operation that this needs, and then the next best is done.
Without hard links, an empty file claims a new name before the complete one replaces it.
Where a folder cannot be synced, a power failure may undo the latest renames.
"""

import errno
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spiral.errors import CorruptPack, StoreError
from spiral.results import buckets

NOT_OFFERED = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM}
"""Errors of a file system that lacks an operation; a failing disk gives others."""
NO_LINKS = NOT_OFFERED | {errno.EMLINK}
NO_FOLDER_SYNC = NOT_OFFERED | {errno.EBADF, errno.EACCES, errno.EISDIR}

UNFINISHED: set[Path] = set()
"""Files that this process is writing."""


def discard_unfinished() -> None:
    """Remove the unfinished files of this process, which is about to end."""
    for path in list(UNFINISHED):
        with suppress(OSError):
            path.unlink()


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable, if its file system can."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise


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
    before: bytes | None = None,
) -> None:
    """Put ``data`` at ``path``: write aside, verify, fsync, rename, fsync directory.

    Args:
        path: The file; an existing one is replaced.
        data: Its content.
        scratch: Folder on the same file system for the unfinished file; a bucket needs
            none.
        check: Called on the unfinished file once it is written; raises to reject it.
        first: Only create the file; leave one that another process made meanwhile.
        before: The content that ``path`` has, if a bucket is to put it back where
            ``check`` rejects the new one: there it is read back from its place.

    Raises:
        FileExistsError: ``first``, and the file exists.
        StoreError: The file cannot be written (disk full, read-only ...); the message
            says what is on the disk.
        CorruptPack: ``check`` rejected it; ``path`` is as before, but in a bucket it is
            absent unless ``before`` is given.
    """
    if isinstance(path, buckets.InBucket):
        buckets.commit(path, data, check, before, first=first)
        return
    unfinished = scratch / f"{path.name}.{os.getpid()}.{uuid.uuid4().hex}.tmp"
    try:
        with _removed_afterwards(unfinished):
            for folder in (scratch, path.parent):
                folder.mkdir(parents=True, exist_ok=True)
            write_durably(unfinished, data)
            if check is not None:
                check(unfinished)
            (_create if first else os.replace)(unfinished, path)
            sync_directory(path.parent)
    except _Exists as error:
        raise FileExistsError(*error.args) from None
    except CorruptPack as error:
        raise CorruptPack(
            f"cannot write {path}: expected to read back what was written, got: "
            f"{error}; {_left(path, data, unfinished)}. Run the command again; if "
            "that fails, write to another disk"
        ) from None
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}; "
            f"{_left(path, data, unfinished)}. Make room or make the folder writable, "
            "then run the command again"
        ) from error


@contextmanager
def _removed_afterwards(unfinished: Path) -> Iterator[None]:
    """Remove a file after a block, or when a signal ends the process within it."""
    UNFINISHED.add(unfinished)
    try:
        yield
    finally:
        _remove(unfinished)
        UNFINISHED.discard(unfinished)


class _Exists(Exception):
    """The file to be created exists."""


def _create(unfinished: Path, path: Path) -> None:
    """Give the unfinished file its name, unless the name is taken.

    Raises:
        _Exists: The name is taken.
    """
    try:
        os.link(unfinished, path)
    except FileExistsError as error:
        raise _Exists(*error.args) from None
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        _claim(unfinished, path)


def _claim(unfinished: Path, path: Path) -> None:
    """Create an empty file of that name, and replace it by the complete one.

    A process that dies in between leaves the empty file, which counts as absent.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError as error:
        raise _Exists(*error.args) from None
    try:
        os.replace(unfinished, path)
    except OSError:
        _remove(path)
        raise


def _remove(path: Path) -> None:
    """Remove a file if it exists and the disk allows it."""
    with suppress(OSError):
        path.unlink()


def _left(path: Path, data: bytes, unfinished: Path) -> str:
    """Return what a failure has left on the disk, by looking there."""
    said = []
    with suppress(OSError):
        there = path.read_bytes()
        if there == data:
            said.append(f"{path.name} is complete, but a power failure may undo it")
        elif not there:
            said.append(f"an empty {path.name} is left, which counts as absent")
    if os.path.lexists(unfinished):
        said.append(
            f"{unfinished} could not be removed: delete it, as nothing reads it"
        )
    return "; ".join(said) or "no half-written file is left"
