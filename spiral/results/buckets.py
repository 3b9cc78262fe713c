"""Results directories in a bucket: paths such as ``s3://bucket/prefix``.

An :class:`InBucket` has the operations that the reading and writing of results need,
each of them one request to the server. Whatever else asks for a local file, as ``open``
does, is refused in one sentence. There are no folders in a bucket: one exists if the
name of an object continues its name.
"""

import errno
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PosixPath
from typing import Any, TypeVar

from spiral import paths
from spiral.errors import ConfigError, CorruptPack, StoreError
from spiral.results import bucket_server
from spiral.results.bucket_server import SIGN_IN, explained

THREADS = 32
"""Requests at the same time: an answer takes long to begin, and no work here."""
END = 2**16
"""Bytes to read of an object first for the facts at its end."""

URL = re.compile(r"(s3|gs|az)://([A-Za-z0-9._-]+)((?:/[A-Za-z0-9._=+-]*)*)")

T = TypeVar("T")
U = TypeVar("U")


def at(place: str | Path) -> Path:
    """Return the path of a results directory, given a path or a URL of a bucket.

    Raises:
        ConfigError: It is another URL, or one with credentials or a query in it.
    """
    text = str(place)
    if isinstance(place, InBucket) or not paths.URL.match(text):
        return place if isinstance(place, Path) else Path(text)
    scheme = text.partition(":")[0]
    if scheme not in SIGN_IN:
        paths.refuse_url(text)
    if not URL.fullmatch(text) or {".", ".."} & {*text.split("/")}:
        raise ConfigError(
            f"expected {scheme}://BUCKET/PREFIX of letters, digits and . _ - = +, got "
            "other characters; credentials are given in the environment: "
            f"{SIGN_IN[scheme]}"
        )
    return InBucket(text)


class InBucket(PosixPath):
    """A path in a bucket; made by :func:`at`."""

    def __str__(self) -> str:
        """Return the URL, or the part of one that ``relative_to`` returns."""
        return re.sub(r"^(s3|gs|az):/", r"\1://", super().__str__())

    def __fspath__(self) -> str:
        """Refuse to be a local path."""
        raise StoreError(
            f"{self}: expected a local path here, got one in a bucket; copy what it "
            "has to a local folder and give that"
        )

    @property
    def key(self) -> str:
        """The name of the object."""
        return "/".join(self.parts[2:])

    @property
    def server(self) -> Any:
        """The connection to its bucket."""
        return bucket_server.connected(self.parts[0].removesuffix(":"), self.parts[1])

    def _ask(self, what: str, request: Callable[[Any], T]) -> T:
        """Return what a request to the server returns, given the library.

        Args:
            what: What it does, for messages (see :func:`bucket_server.explained`).
            request: Makes it.
        """
        with explained(self, what):
            return bucket_server.answer(lambda: request(bucket_server.obstore()))

    def resolve(self, strict: bool = False) -> "InBucket":
        """Return the path: it is absolute."""
        return self

    def absolute(self) -> "InBucket":
        """Return the path: it is absolute."""
        return self

    # ---- what is there

    def exists(self) -> bool:
        """Return whether there is an object of this name, or below it."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Return whether there is an object of this name."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def is_dir(self) -> bool:
        """Return whether there is an object below this name."""
        return self._ask("list", lambda lib: any(lib.list(self.server, self.key)))

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return the size of the object; the other facts of a file are 0.

        Raises:
            FileNotFoundError: There is none.
        """
        if not self.key:
            raise FileNotFoundError(errno.ENOENT, "a bucket is no object", str(self))
        facts = self._ask("read", lambda lib: lib.head(self.server, self.key))
        return os.stat_result((0,) * 6 + (facts["size"],) + (0,) * 3)

    def iterdir(self) -> Iterator["InBucket"]:  # type: ignore[override]
        """Yield the objects and folders in this one."""
        found = self._ask(
            "list", lambda lib: lib.list_with_delimiter(self.server, self.key)
        )
        names = [*found["common_prefixes"], *(o["path"] for o in found["objects"])]
        for name in self._without_marker(names):
            yield self / name.rpartition("/")[2]

    def files(self) -> list["InBucket"]:
        """Return all objects below this name, sorted, from one listing."""

        def names(lib: Any) -> list[str]:
            pages = lib.list(self.server, self.key)
            return [each["path"] for page in pages for each in page]

        above = len(self.key) + 1 if self.key else 0
        found = self._without_marker(self._ask("list", names))
        return sorted(self / name[above:] for name in found)

    def _without_marker(self, names: list[str]) -> list[str]:
        """Leave out the empty object ``NAME/`` by which web consoles make a folder.

        The library lists it without its slash, so it has the name of the folder.
        """
        return [name for name in names if name not in (self.key, f"{self.key}/")]

    def glob(self, pattern: str, **_: Any) -> Iterator["InBucket"]:  # type: ignore[override]
        """Yield the objects whose names in this folder match a pattern."""
        return (path for path in self.iterdir() if path.match(pattern))

    def rglob(self, pattern: str, **_: Any) -> Iterator["InBucket"]:  # type: ignore[override]
        """Yield the objects below this name whose names match a pattern."""
        return (path for path in self.files() if path.match(pattern))

    # ---- contents

    def read_bytes(self) -> bytes:
        """Return the object.

        Raises:
            FileNotFoundError: There is none.
        """
        return self._ask(
            "read", lambda lib: bytes(lib.get(self.server, self.key).bytes())
        )

    def open(self, mode: str = "r", *_: Any, **__: Any) -> Any:
        """Open the object to read its bytes; refuse all else."""
        return io.BytesIO(self.read_bytes()) if mode == "rb" else os.fspath(self)

    def end(self) -> bytes:
        """Return the end of the object, with all facts of a Parquet file."""
        size = self.stat().st_size
        found = self._part(max(0, size - END), size)
        facts = int.from_bytes(found[-8:-4], "little") + 8
        wanted = min(facts, size)
        return found if wanted <= len(found) else self._part(size - wanted, size)

    def _part(self, start: int, stop: int) -> bytes:
        return self._ask(
            "read",
            lambda lib: bytes(
                lib.get_range(self.server, self.key, start=start, end=stop)
            ),
        )

    def put(self, data: bytes, *, first: bool = False) -> None:
        """Make this the object of the name, at once and whole.

        Args:
            data: The object.
            first: Only if there is none.

        Raises:
            FileExistsError: ``first``, and there is another one.
        """
        # In one request: at once and whole, whatever its size
        how = {"mode": "create" if first else "overwrite", "use_multipart": False}
        try:
            self._ask("write", lambda lib: lib.put(self.server, self.key, data, **how))
        except FileExistsError:
            if not self._is(data):  # equal: ours, and the answer was lost on its way
                raise

    def _is(self, data: bytes) -> bool:
        with suppress(FileNotFoundError):  # another is being written
            return self.read_bytes() == data
        return False

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object.

        Raises:
            FileNotFoundError: There is none, unless ``missing_ok``.
        """
        if not missing_ok:
            self.stat()  # servers do not tell
        self._ask("remove", lambda lib: lib.delete(self.server, self.key))


def commit(
    path: InBucket,
    data: bytes,
    check: Callable[[Path], object] | None,
    before: bytes | None,
    *,
    first: bool,
) -> None:
    """Put an object and verify what was stored, as ``atomic.replace_atomically`` does.

    Raises:
        FileExistsError: ``first``, and the object exists.
        StoreError: The server does not take it, or does not give it back.
        CorruptPack: ``check`` rejected what was read back, or nothing was; it is
            removed again, or replaced by ``before``.
    """
    path.put(data, first=first)
    try:
        if check is not None:
            check(path)
    except (CorruptPack, FileNotFoundError) as error:
        said = str(error) if isinstance(error, CorruptPack) else "no object"
        if before is None:
            path.unlink(missing_ok=True)
        else:
            path.put(before)
        raise CorruptPack(
            f"cannot write {path}: expected to read back what was written, got: "
            f"{said}; the object is {'removed' if before is None else 'as before'}. "
            "Run the command again"
        ) from None


def footed(path: Path) -> Any:
    """Return what of a Parquet file pyarrow needs for its schema and footer."""
    if not isinstance(path, InBucket):
        return path
    import pyarrow as pa

    return pa.BufferReader(path.end())


def threads(place: Path) -> int | None:
    """Return how many threads read from a place; None for Python's choice."""
    return THREADS if isinstance(place, InBucket) else None


def mapped(place: Path, work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """Yield the result of some work for each item, in their order.

    Args:
        place: Where the work reads and writes: in a bucket by many threads.
        work: Called once for each.
        items: What to work on.
    """
    if not isinstance(place, InBucket):
        yield from map(work, items)
        return
    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(work, items)
