"""Fault points: each of the store's operations on files fails once, in each way.

A turn is one point of :data:`CASES` with one deed of :data:`DEEDS`: killed before it,
killed after it (or in the midst of a write), an error of the device, a full disk.
"""

from errno import EIO, ENOSPC
from os import strerror
from pathlib import Path
from random import Random

from tests.soak.faults import KILL, KILL_AFTER, Fault, Wire
from tests.soak.stage import EXTENDED, Stage, check, check_message

DEEDS = (KILL, KILL_AFTER, "EIO", "ENOSPC")
STEPS = ("create", "write", "flush", "fsync", "unlink")
FIRST = (
    *("mkdir top folder", "mkdir folder _spiral", "mkdir folder tmp"),
    *(f"{step} manifest" for step in (*STEPS, "link")),
    *(f"{step} folder _spiral" for step in ("open", "fsync", "close")),
    "mkdir folder results",
    *(f"{step} pack" for step in (*STEPS, "read", "replace")),
    *(f"{step} folder results" for step in ("open", "fsync", "close")),
    "unlink record",
)
"""Points of a first launch."""

AGAIN = (
    *("replace manifest", "read manifest", "read record", "unlink record"),
    *(f"{step} manifest" for step in STEPS),
)
"""Points at which an extended grid changes the manifest, and a failure is mended."""

RECORD = (
    "mkdir folder failed",
    *(f"{step} record" for step in (*STEPS, "replace")),
    *(f"{step} folder failed" for step in ("open", "fsync", "close")),
)
"""Points at which a failed pack is recorded."""

CASES = [
    (name, point, deed)
    for name, points in (("first", FIRST), ("again", AGAIN), ("record", RECORD))
    for point in points
    for deed in DEEDS
]
WANTED = len(CASES)
SAID = {"EIO": strerror(EIO), "ENOSPC": strerror(ENOSPC)}


def turn(stage: Stage, chance: Random) -> int:
    """Strike at the next point; return 1."""
    number = stage.turns
    stage.turns += 1
    one(stage, *CASES[number % WANTED])
    return 1


def one(stage: Stage, name: str, point: str, deed: str) -> None:
    """Strike at one point, look, and launch again."""
    out, record = stage.fresh("out"), stage.folder / "passed"
    record.unlink(missing_ok=True)
    args = EXTENDED if name == "again" else ()
    failing = Wire(str(out), (Fault("fsync pack", "EIO"),))
    if name == "again":
        check(stage.launch(out, harm=failing).wait() == 3, "no pack failed")
    faults = [Fault(point, deed)]
    if name == "record":  # a pack must fail first
        faults += failing.faults
    wire = Wire(str(out), tuple(faults), str(record))
    child = stage.launch(out, *args, harm=wire)
    code, place = child.wait(), f"{deed} at {point}"
    check(point in record.read_text().splitlines(), f"{point} was never passed")
    if deed in (KILL, KILL_AFTER):
        check(code == -9, f"{place}: exit code {code}: {child.said}")
    else:
        codes = (0, 1, 3, 4) if point == "read manifest" else (0, 1, 3)
        check(code in codes, f"{place}: exit code {code}")
        spoken = code == 0 or point.startswith("unlink") or SAID[deed] in child.said
        check(spoken, f"{place}: {child.said}")  # what cannot be removed does no harm
        if code:
            check_message(child.said)
    stage.check(out)
    stage.finish(out, *args)
    left = {path.name for path in out.iterdir()}
    check(left == {"results", "_spiral"}, f"{place}: left behind {left}")


def passed(stage: Stage) -> set[str]:
    """Return every point that launches pass, as recorded; for the test of the lists."""
    out, record = stage.fresh("out"), Path(stage.folder / "passed")
    record.unlink(missing_ok=True)
    for args, faults in (((), (Fault("fsync pack", "EIO"),)), (EXTENDED, ())):
        stage.launch(out, *args, harm=Wire(str(out), faults, str(record))).wait()
    return {*record.read_text().splitlines()}
