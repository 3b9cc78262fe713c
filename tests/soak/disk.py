"""Disks that fill, and folders that may not be written."""

import os
import subprocess
from functools import partial
from random import Random

from spiral.results import store
from tests.soak.stage import Stage, check, check_message

WANTED = 12
NOBODY = 65534


def turn(stage: Stage, chance: Random) -> int:
    """Fill a small file system in the midst of a launch, or forbid writing."""
    stage.turns += 1
    (_full if stage.turns % 2 else _read_only)(stage, chance)
    return 1


def _full(stage: Stage, chance: Random) -> None:
    """Launch onto a tmpfs with little room; make room; launch again."""
    out = stage.folder / "small"
    out.mkdir(exist_ok=True)
    whole = stage.fresh("undisturbed")
    stage.finish(whole)
    needed = sum(p.stat().st_size for p in whole.rglob("*") if p.is_file()) >> 10
    size = chance.randrange(12, needed - 20)  # KB
    _mount("-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(out))
    try:
        child = stage.launch(out / "out")
        code = child.wait()
        check(code in (1, 3), f"{size} KB: exit code {code}: {child.said}")
        check_message(child.said, "No space left on device", "Make room")
        stage.check(out / "out")
        left = [*store.scratch(out / "out").glob("*")]
        check(not left, f"unfinished files remain: {left}")
        _mount("-o", "remount,size=64m", str(out))
        child = stage.launch(out / "out")
        check(child.wait() == 0, child.said)
    finally:
        subprocess.run(["umount", str(out)], check=True)


def _mount(*words: str) -> None:
    """Mount; without the right to, this machine cannot take the turn."""
    ran = subprocess.run(["mount", *words], capture_output=True, check=False)
    if ran.returncode:
        raise NotImplementedError(f"mount: {ran.stderr.decode().strip()}")


def _read_only(stage: Stage, chance: Random) -> None:
    """Launch as a user who may not write there."""
    if os.geteuid():
        raise NotImplementedError("needs root, to become another user")
    parent = stage.fresh("closed")
    out = parent / "out"
    if chance.random() < 0.5:
        stage.launch(out, "--limit", "3").wait()
    else:
        parent.mkdir()
    files = [*parent.rglob("*")]
    child = stage.launch(out, harm=partial(os.setuid, NOBODY))
    code = child.wait()
    check(code in (1, 3), f"exit code {code}: {child.said}")
    check_message(child.said, "Permission denied", "make ")
    check([*parent.rglob("*")] == files, "it changed a read-only folder")
    stage.finish(out)
