"""The file of a pack as bytes, before it is on any disk: made, and checked."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from spiral import __version__
from spiral.errors import CorruptPack
from spiral.results import sealed

SCHEMA_VERSION = 1


def pack_id(config_ids: Iterable[str]) -> str:
    """Return the id of the pack of these configs in this order.

    A digest rather than a number: it stays when a grid grows, and shows which configs a
    file must contain.
    """
    text = "\n".join(config_ids)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def to_bytes(pack: str, rows: pa.Table, facts: Mapping[str, Any]) -> bytes:
    """Return the file of a pack.

    Args:
        pack: The pack's id.
        rows: One row per config, in the order of the manifest.
        facts: Further facts for the footer (machine, versions, seconds).
    """
    footer = {
        **facts,
        "schema": SCHEMA_VERSION,
        "version": __version__,
        "pyarrow": pa.__version__,
        "pack": pack,
        "rows": rows.num_rows,
    }
    return sealed.to_bytes(rows, footer)


def from_bytes(
    data: bytes, pack: str, name: str, **part: Any
) -> tuple[pa.Table, dict[str, Any]]:
    """Read the file of a pack, and check that its id is the digest of its configs.

    The seal alone would accept an intact file of another pack.

    Args:
        data: The file.
        pack: The pack's id.
        name: The file in messages.
        part: ``columns``, with ``config_id`` among them; all by default.

    Raises:
        CorruptPack: It is damaged, or another pack.
    """
    rows, footer = sealed.from_bytes(data, name, **part)
    for found in (footer.get("pack"), pack_id(rows["config_id"].to_pylist())):
        if found != pack:
            raise CorruptPack(f"{name}: expected pack {pack}, got {found}")
    return rows, footer
