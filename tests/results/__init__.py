"""Result files."""

from spiral.results import packed, store


def write_pack(out, pack, rows, facts):
    """Commit the rows of one pack, as a launch does with what a worker returns."""
    store.commit_pack(out, pack, packed.to_bytes(pack, rows, facts))
