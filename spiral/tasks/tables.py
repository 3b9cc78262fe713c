"""Read the three columns of a file of points; sizes are checked before allocation."""

import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Float64

from spiral import formats

COLUMNS = ("x1", "x2", "label")
MAX_POINTS = 10_000_000
MAX_BYTES = 2**30
"""Limit for a file and for its unpacked size: ten million points as 64-bit numbers
take a quarter of it, as text less than half."""
BLOCK = 2**20
"""Bytes of a CSV table to read at once."""

Column = Float64[np.ndarray, " D"]
NPY = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""Versions of .npy that hold plain numbers."""


class Refused(ValueError):
    """A file is well formed, but not points; the text completes "expected"."""


def read(path: Path) -> dict[str, Column]:
    """Return the columns of a file; executes no code.

    Raises:
        Refused: It is too large, or has other columns; the text completes "expected".
    """
    try:
        return READERS[path.suffix.lower()](path)
    except Refused:
        raise
    except Exception:  # errors of the libraries name their internals, not the file
        raise Refused(f"{WANTED[path.suffix.lower()]}, got {_got(path)}") from None


def _got(path: Path) -> str:
    """Describe a file that cannot be read."""
    found, suffix = formats.kind(path), path.suffix.lower()
    return f"{found} {FAULTS[suffix, found]}" if (suffix, found) in FAULTS else found


def _named(names: Collection[str]) -> None:
    """Raise Refused unless these are the names of the three columns."""
    if sorted(names) == sorted(COLUMNS):
        return
    more = " (tasks have two coordinates)" if {*COLUMNS} < {*names} else ""
    plain = [name if name.isprintable() else ascii(name) for name in names]
    raise Refused(
        f"the columns {', '.join(COLUMNS)} and no others{more}, got "
        f"{', '.join(plain[:8])[:80] or 'none'}; rename or remove columns"
    )


def _sized(points: int, size: int = 0) -> None:
    """Raise Refused if a file claims more points, or bytes, than a task can have."""
    if not 0 <= points <= MAX_POINTS:
        raise Refused(f"at most {MAX_POINTS:,} points, got {points:,}")
    if size > MAX_BYTES:
        raise Refused(f"at most {MAX_BYTES:,} bytes unpacked, got {size:,}")


def _npz(path: Path) -> dict[str, Column]:
    """Read an archive of arrays."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        _sized(0, sum(part.file_size for part in parts))
        names = [part.filename.removesuffix(".npy") for part in parts]
        _named(names)
        found = {}
        for name, part in zip(names, parts, strict=True):
            with archive.open(part) as stream:
                found[name] = _npy(name, stream)
    return found


def _npy(name: str, stream: IO[bytes]) -> Column:
    """Read one array; its header is checked before any number is read."""
    shape, _, kind = NPY[np.lib.format.read_magic(stream)](stream)
    if kind.kind not in "biuf" or len(shape) != 1:
        raise Refused(
            f"real numbers in one dimension as {name}, got {kind} of shape {shape}; "
            "save columns with numpy.savez(path, x1=…, x2=…, label=…)"
        )
    _sized(shape[0], shape[0] * kind.itemsize)
    data = stream.read(shape[0] * kind.itemsize)
    with np.errstate(over="ignore"):  # long doubles; infinite ones are refused
        return np.frombuffer(data, kind, count=shape[0]).astype(np.float64)


def _csv(path: Path) -> dict[str, Column]:
    """Read a table of text block by block, so that a long one is noticed in time."""
    from pyarrow import csv

    with csv.open_csv(
        path,
        read_options=csv.ReadOptions(use_threads=False, block_size=BLOCK),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(COLUMNS, "float64")
        ),
    ) as reader:
        _named(reader.schema.names)
        blocks, points = [], 0
        for block in reader:
            blocks.append(block)
            points += block.num_rows
            _sized(points)
    columns = {
        name: [block[name].to_numpy(False) for block in blocks] for name in COLUMNS
    }
    return {
        name: np.concatenate([np.empty(0), *parts]) for name, parts in columns.items()
    }


def _parquet(path: Path) -> dict[str, Column]:
    """Read a Parquet file; its footer is checked before any page is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema, facts = file.schema_arrow, file.metadata
        _named(schema.names)
        groups = map(facts.row_group, range(facts.num_row_groups))
        _sized(facts.num_rows, sum(group.total_byte_size for group in groups))
        for field in schema:
            kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
            if not any(is_kind(field.type) for is_kind in kinds):
                raise Refused(f"real numbers in {field.name}, got {field.type}")
        table = file.read(use_threads=False)
    return {name: _float64(table[name].to_numpy()) for name in COLUMNS}


def _float64(column: np.ndarray) -> Column:
    """Return numbers as float64; a missing one becomes NaN."""
    return np.asarray(column, np.float64)


READERS: Mapping[str, Callable[[Path], dict[str, Column]]] = {
    ".npz": _npz,
    ".csv": _csv,
    ".parquet": _parquet,
}
"""Ending of a name → how such a file is read."""

WANTED = {
    ".npz": "an .npz archive of the arrays x1, x2 and label",
    ".csv": "a CSV table with a header and numbers in x1, x2 and label",
    ".parquet": "a Parquet file of the columns x1, x2 and label",
}

FAULTS = {
    (".npz", "an .npz archive"): "that is damaged or cut short",
    (".parquet", formats.PARQUET): "that is damaged or cut short",
    (".csv", "a CSV table"): "with text in a cell or rows of different length",
}
"""What is wrong with a file of the right kind that cannot be read."""
