"""Thousands of packs in one launch: nothing grows, and ``status`` looks on."""

import os
from dataclasses import dataclass
from pathlib import Path
from random import Random

from spiral.results import store
from spiral.sweep import local
from spiral.sweep.work import Tell
from spiral.sweep.worker import Site
from tests.soak.stage import Stage, check, until

WANTED = 2000
GRID = "{method: gmp, keep: 12, width: 3, epochs: 1, batch: 2000, interval: 1..%d}"
"""One config a pack, as ``interval`` is shared by a pack."""

GROWTH = 30 * 2**20
"""Bytes that a launch may grow by between its first tenth and its end."""


@dataclass(frozen=True)
class Ledger:
    """Notes memory, handles and threads after every pack; call it to begin."""

    path: str
    half: int
    """Waits after so many packs until somebody has looked at the launch."""

    def __call__(self) -> None:
        """Wrap what runs a pack."""
        real = local.attempt

        def attempt(site: Site, pack: str, tell: Tell) -> object:
            outcome = real(site, pack, tell)
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            handles = len(os.listdir("/proc/self/fd"))
            threads = len(os.listdir("/proc/self/task"))
            waste = len([*store.scratch(site.out).iterdir()])
            with Path(self.path).open("a") as file:
                file.write(f"{pages * 4096} {handles} {threads} {waste}\n")
            if len(Path(self.path).read_text().splitlines()) == self.half:
                until(Path(f"{self.path}-seen").exists, "a look at the launch")
            return outcome

        local.attempt = attempt  # type: ignore[assignment]


def turn(stage: Stage, chance: Random) -> int:
    """Launch 2,000 packs, and look at them from another process."""
    return packs(stage, WANTED)


def packs(stage: Stage, count: int) -> int:
    """Launch so many packs; return how many there were."""
    out, ledger = stage.fresh("out"), stage.folder / "ledger"
    seen = stage.folder / "ledger-seen"
    for path in (ledger, seen):
        path.unlink(missing_ok=True)
    grid = stage.folder / "many.yaml"
    grid.write_text(GRID % count)
    local_ = ("--executor", "local", "--workers", 1)
    harm = Ledger(str(ledger), count // 2)
    child = stage.start("launch", grid, "--out", out, *local_, harm=harm)
    looks = 0
    while child.process.exitcode is None:
        look = stage.start("status", out)
        check(look.wait() in (0, 1), look.said)
        check("Traceback" not in look.said, look.said)
        if look.process.exitcode == 0:
            looks += 1
            seen.touch()
        child.process.join(1 if count < 500 else 10)
    check(child.wait() == 0, child.said[-2000:])
    check(looks > 0, "status never saw the launch")
    lines = [[*map(int, line.split())] for line in ledger.read_text().splitlines()]
    check(len(lines) == count, f"{len(lines)} packs")
    early, last = lines[count // 10], lines[-1]
    check(last[0] - early[0] < GROWTH, f"memory grew from {early[0]:,} to {last[0]:,}")
    check(last[1:3] == early[1:3], f"handles and threads: {early[1:]}, then {last[1:]}")
    check(max(line[3] for line in lines) == 0, "unfinished files remain")
    check(len(child.said) < 200 * 100, f"{len(child.said)} characters of log")
    return count
