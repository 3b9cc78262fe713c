"""The archive: several networks for each number of weights in each niche.

A niche is the pair (units of layer 2, units of layer 3). Without niches the search gets
stuck: shapes that are easy at first (one unit in layer 3) fill an archive that only
counts weights, and after 120 s of processor time its best network of 16 weights had
0.849; with niches two of two runs passed 0.95 within 112 s.

Besides its members an archive keeps *leaders*: the networks with the most of all points
right, for each shape and number of weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.random import Generator

from spiral import formats
from spiral.errors import StoreError
from spiral.search.candidate import (
    Candidate,
    compiled,
    from_mask,
    mask_of,
    nnz_of,
    shape_of,
    spelled,
    with_params,
)
from spiral.search.shape import Shape

SIZE = 6
"""Members of a niche per number of weights."""

BASINS = 16
"""Members of an archive of one mask."""

Niche = tuple[int, int]
"""Units of layer 2 and of layer 3."""


class Origin(NamedTuple):
    """How a network was found."""

    start: str
    """What its line of ancestors begins with: random, one-unit or frontier."""
    moves: int
    """Ancestors since then."""
    generation: int
    """In which it was found."""
    island: int
    """On which it was found."""


@dataclass
class Member:
    """A network of an archive."""

    candidate: Candidate
    mask: str
    """Canonical; identifies the mask."""
    loss: float
    origin: Origin
    right: int = -1
    """Of all points; -1 until counted."""

    @property
    def order(self) -> tuple[float, str]:
        """Sort key: the best first, with no ties."""
        return self.loss, self.mask


Cell = dict[str, Member]
"""Networks of one niche and one number of weights, by mask or by basin."""


@dataclass
class Archive:
    """Members by niche and number of weights, and leaders."""

    cells: dict[Niche, dict[int, Cell]] = field(default_factory=dict)
    leaders: dict[tuple[Shape, int], Member] = field(default_factory=dict)
    basins: bool = False
    """Whether members differ by their loss: they may all have the same mask."""

    def offer(self, member: Member) -> bool:
        """Add a network if it is the best of its mask, or better than the worst."""
        _, *niche = shape_of(member.candidate)
        sizes = self.cells.setdefault((niche[0], niche[1]), {})
        cell = sizes.setdefault(nnz_of(member.candidate), {})
        known = cell.get(self._name(member))
        if known is None and len(cell) >= (BASINS if self.basins else SIZE):
            known = max(cell.values(), key=lambda each: each.order)
        if known is not None:
            if known.loss <= member.loss:
                return False
            del cell[self._name(known)]
        cell[self._name(member)] = member
        return True

    def _name(self, member: Member) -> str:
        """Return what members of a cell differ by."""
        # Finer steps fill the archive with one basin, as polishes stop at different
        # heights in it: with four decimals 16 members were one after 3,000 tries
        return f"{member.loss:.3f}" if self.basins else member.mask

    def lead(self, member: Member) -> bool:
        """Record a counted network if it has the most points right of its kind."""
        key = (shape_of(member.candidate), nnz_of(member.candidate))
        known = self.leaders.get(key)
        # Ties go to the lower loss, then to the mask: not to who came first
        if known is not None and (-known.right, *known.order) <= (
            -member.right,
            *member.order,
        ):
            return False
        self.leaders[key] = member
        return True

    def draw(self, random: Generator) -> Member:
        """Return a random member: niche, then size, then one of the better ones."""
        sizes = self.cells[_any(sorted(self.cells), random)]
        cell = sizes[_any(sorted(sizes), random)]
        ranked = sorted(cell.values(), key=lambda member: member.order)
        return ranked[int(len(ranked) * random.random() ** 1.5)]

    def members(self) -> Iterator[Member]:
        """Yield all members in a fixed order."""
        for _, sizes in sorted(self.cells.items()):
            for _, cell in sorted(sizes.items()):
                yield from sorted(cell.values(), key=lambda member: member.order)


def _any(choices: list[Any], random: Generator) -> Any:
    """Return one of the choices."""
    return choices[random.integers(len(choices))]


SCHEMA = pa.schema(
    [
        ("leader", pa.bool_()),
        ("mask", pa.string()),  # as the parameters are ordered, not canonical
        ("params", pa.list_(pa.float64())),
        ("loss", pa.float64()),
        ("right", pa.int64()),
        ("start", pa.string()),
        ("moves", pa.int64()),
        ("generation", pa.int64()),
        ("island", pa.int64()),
    ]
)


def to_bytes(archive: Archive) -> bytes:
    """Return the file of an archive; equal archives make equal bytes."""
    leaders = [member for _, member in sorted(archive.leaders.items())]
    rows = [_row(member, False) for member in archive.members()]
    rows += [_row(member, True) for member in leaders]
    buffer = pa.BufferOutputStream()
    table = pa.Table.from_pylist(rows, SCHEMA)
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    found: bytes = buffer.getvalue().to_pybytes()
    return found


def _row(member: Member, leader: bool) -> dict[str, Any]:
    """Return a network as a row of the file."""
    return {
        "leader": leader,
        "mask": spelled(member.candidate),
        "params": compiled(member.candidate)[1],
        "loss": member.loss,
        "right": member.right,
        **member.origin._asdict(),
    }


def from_bytes(data: bytes, path: Path, basins: bool = False) -> Archive:
    """Read an archive from the bytes of its file.

    Args:
        data: The bytes.
        path: Its file, for messages.
        basins: Whether it is of one mask.

    Raises:
        StoreError: They are not an archive.
    """
    found = Archive(basins=basins)
    for row in table_of(data, path).to_pylist():
        member = _member(row)
        if row["leader"]:
            found.lead(member)
        else:
            found.offer(member)
    return found


def leaders(path: Path) -> list[Member]:
    """Return the leaders of a saved archive: a fifth of its networks.

    Raises:
        StoreError: The file is missing or is not an archive.
    """
    table = table_of(read(path), path)
    return [_member(row) for row in table.filter(table["leader"]).to_pylist()]


def read(path: Path) -> bytes:
    """Return the bytes of an archive's file.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"{path}: expected an archive of `spiral-sweep search evolve`, got "
            f"{formats.broken(path)}; delete it to compute it again"
        ) from error


def table_of(data: bytes, path: Path) -> pa.Table:
    """Return the rows of an archive's file.

    Raises:
        StoreError: The bytes are not those of an archive.
    """
    try:
        table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"{path}: expected an archive of `spiral-sweep search evolve`, got "
            f"{formats.broken(path)}; delete it to compute it again"
        ) from error
    if table.schema != SCHEMA:
        raise StoreError(
            f"{path}: expected the columns {', '.join(SCHEMA.names)}, got "
            f"{', '.join(table.schema.names)}; it was written by another version: "
            "start the search in another directory"
        )
    return table


def _member(row: dict[str, Any]) -> Member:
    """Return the network in a row of the file."""
    blank = from_mask(row["mask"])
    candidate = with_params(blank, np.array(row["params"]))
    origin = Origin(*(row[name] for name in Origin._fields))
    return Member(candidate, mask_of(candidate), row["loss"], origin, row["right"])
