"""Recognise the kind of a file by its first bytes, for messages about wrong files."""

import io
import pickletools
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

HEAD = 4096
"""Bytes to read."""
MOST = 2**20
"""Bytes of a pickle to read."""

PARQUET = "a Parquet file"
MAGIC = {
    b"PAR1": PARQUET,
    b"\x93NUMPY": "a single NumPy array (.npy)",
    b"\x89PNG": "a PNG picture",
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
}
SUFFIXES = {
    ".py": "Python source",
    ".ipynb": "a notebook",
    ".json": "JSON",
    ".yaml": "YAML",
    ".yml": "YAML",
    ".csv": "a CSV table",
}
"""Kinds of text files."""
PARTS = {b"data.pkl": "a PyTorch file", b".npy": "an .npz archive"}
"""Names of files in a zip archive → its kind."""


def kind(path: Path) -> str:
    """Return the kind of a file or folder, to complete "expected X, got"."""
    try:
        if path.is_dir():
            return "a folder"
        if not path.is_file():
            return "a special file"
        with path.open("rb") as file:
            return _of(file.read(HEAD), path.suffix.lower())
    except OSError as error:
        return f"a file that cannot be read ({error.strerror})"


def broken(path: Path) -> str:
    """Return the kind of a file that could not be read as Parquet."""
    found = kind(path)
    return f"{found} that is damaged or cut short" if found == PARQUET else found


def _of(head: bytes, suffix: str) -> str:
    """Return the kind of a file that begins with these bytes."""
    if not head:
        return "an empty file"
    if head.startswith(b"PK\x03\x04"):
        found = (name for part, name in PARTS.items() if part in head)
        return next(found, "a zip archive")
    for magic, name in MAGIC.items():
        if head.startswith(magic):
            return name
    if b"\0" in head or not _is_text(head):
        return "binary data of an unknown kind"
    if head.lstrip()[:1] in (b"{", b"[") and suffix not in SUFFIXES:
        return "JSON"
    return SUFFIXES.get(suffix, "text")


def _is_text(head: bytes) -> bool:
    """Return whether bytes are UTF-8; the last character may be cut off."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) == HEAD and error.start > HEAD - 4
    return True


PLAIN = re.compile(
    r"(torch|torch\._\w+|torch\.serialization|collections|numpy(\..*)?|_codecs"
    r"|builtins|__builtin__)\.\w+"
)
"""Names in pickles of tensors and arrays."""


def pickled(path: Path) -> list[str]:
    """Return the classes and functions that a pickle refers to, without loading it.

    Those of tensors and arrays are left out. A PyTorch file is a pickle in an archive,
    or (before 1.6) several in a row.
    """
    found: dict[str, None] = {}
    with suppress(Exception):  # a pickle may be broken in any way
        stream = io.BytesIO(_pickle(path))
        while True:
            found |= dict.fromkeys(_globals(stream))
    return [name for name in found if not PLAIN.fullmatch(name)]


def _pickle(path: Path) -> bytes:
    """Return the pickle in a file, of at most ``MOST`` bytes."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            return file.read(MOST)
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.endswith("data.pkl")]
        with archive.open(names[0]) as part:
            return part.read(MOST)


def _globals(stream: io.BytesIO) -> Iterator[str]:
    """Yield every ``module.name`` that the next pickle of a stream refers to."""
    words: list[str] = []
    memo: dict[int, str] = {}
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name == "GLOBAL":
            yield str(argument).replace(" ", ".")
        elif opcode.name == "STACK_GLOBAL":
            yield ".".join(words[-2:])
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = words[-1] if words else ""
        elif opcode.name in ("BINGET", "LONG_BINGET"):
            words.append(memo.get(int(argument or 0), ""))
        elif isinstance(argument, str):
            words.append(argument)
