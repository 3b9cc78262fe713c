"""Damaged and foreign files in a finished directory: found, named, and redone."""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from spiral.results import store
from spiral.sweep import status
from tests.soak.stage import Stage, check, check_message, packs

WANTED = 500
EACH = 5
"""Files that one turn spoils."""


def flip(data: bytes, chance: Random) -> bytes:
    """Flip one bit."""
    place = chance.randrange(len(data))
    return _with(data, place, bytes([data[place] ^ 1 << chance.randrange(8)]))


def cut(data: bytes, chance: Random) -> bytes:
    """Truncate."""
    return data[: chance.randrange(len(data))]


def empty(data: bytes, chance: Random) -> bytes:
    """Leave nothing."""
    return b""


def zero_page(data: bytes, chance: Random) -> bytes:
    """Zero a block, as a disk does that lost one."""
    place = chance.randrange(len(data)) // 512 * 512
    length = min(512, len(data) - place)
    return _with(data, place, bytes(length))


def noise(data: bytes, chance: Random) -> bytes:
    """Replace it by random bytes of its length."""
    return chance.randbytes(len(data))


def grow(data: bytes, chance: Random) -> bytes:
    """Append to it."""
    return data + chance.choice([b"\0", data, b"PAR1"])


def swap(data: bytes, chance: Random) -> bytes:
    """Exchange two blocks."""
    a, b = sorted(chance.sample(range(len(data) // 64), 2))
    one, two = data[64 * a : 64 * a + 64], data[64 * b : 64 * b + 64]
    return _with(_with(data, 64 * a, two), 64 * b, one)


def _with(data: bytes, place: int, part: bytes) -> bytes:
    return data[:place] + part + data[place + len(part) :]


DAMAGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(flip, flip, flip, cut, empty, zero_page, noise, grow, swap),
)


def turn(stage: Stage, chance: Random) -> int:
    """Spoil packs, sometimes the manifest too; launch again."""
    out = stage.folder / "damaged"
    if not out.exists():
        stage.finish(out)
    shutil.rmtree(out / "_spiral" / "failed", ignore_errors=True)
    chosen = chance.sample([*store.pack_files(out)], EACH)
    spoilt = [path for path in chosen if _spoil(path, chance, chosen)]
    foreign = _add_foreign(out, chance)
    verdict = status.verify(out)
    check(
        {*verdict.reasons} == {f"results/{p.name}" for p in (*spoilt, *foreign)},
        f"verify names {verdict.reasons}, spoilt are {spoilt}",
    )
    manifest = _spoil_manifest(stage, out, chance)
    child = stage.launch(out)
    check(child.wait() == 0, child.said)
    check_message(
        child.said + "again", *(f"will be trained again: {path}" for path in spoilt)
    )
    for path in foreign:  # those are the user's: left alone, never counted
        path.unlink()
    stage.check(out)
    check(packs(out) == stage.expected, "the rows are not those of before")
    check(status.verify(out).missing == 0, "rows are missing")
    return len(spoilt) + len(foreign) + manifest


def _spoil(path: Path, chance: Random, others: list[Path]) -> bool:
    """Damage a pack; return whether a byte changed."""
    before = path.read_bytes()
    if chance.random() < 0.1:  # a whole pack under the name of another
        after = chance.choice(others).read_bytes()
    else:
        after = chance.choice(DAMAGES)(before, chance)
    path.write_bytes(after)
    return after != before


def _add_foreign(out: Path, chance: Random) -> list[Path]:
    """Sometimes put a file of somebody else's among the results."""
    if chance.random() < 0.7:
        return []
    some = next(store.pack_files(out))
    path = some.with_name(
        chance.choice(["notes.txt", "pack-.parquet", "pack-0.parquet", "x.parquet"])
    )
    path.write_bytes(chance.choice([b"", b"mine", chance.randbytes(999)]))
    return [path]


def _spoil_manifest(stage: Stage, out: Path, chance: Random) -> int:
    """Sometimes lose or damage the manifest; the message says how to go on."""
    path = store.manifest_path(out)
    draw = chance.random()
    if draw > 0.2:
        return 0
    if draw > 0.1:
        path.write_bytes(chance.choice(DAMAGES)(path.read_bytes(), chance))
        child = stage.launch(out)
        check(child.wait() in (0, 4), child.said)  # 0: an exchange of equal bytes
        if child.wait():
            check_message(child.said, str(path), "Remove it and launch the grid again")
    path.unlink()
    return 1
