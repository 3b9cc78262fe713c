"""Launches in processes of their own, which a campaign may harm, and what must hold."""

import hashlib
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from spiral.results import store
from spiral.sweep import status
from tests import VARYING
from tests.patience import PATIENCE, until

Harm = Callable[[], None]
"""What is done to a process before it begins; can be sent to another process."""

GRID = """
name: tiny
defaults: {width: 3, epochs: 1, batch: 2000, seed: 0..1}
blocks:
  gmp: {method: gmp, keep: [12, 20], interval: 3..10}
  random: {method: random, keep: [12, 15]}
"""
"""36 configs in 9 packs of about 20 ms, all on engine sparse."""

TRACEBACK = "Traceback (most recent call last)"
REMEDIES = (
    "again",
    "Continue with",
    "to continue",
    "give ",
    "Remove ",
    "start one",
    "run ",
    "Run ",
)


def check(holds: object, text: str) -> None:
    """Fail a turn unless something holds."""
    if not holds:
        raise AssertionError(text)


@dataclass
class Child:
    """A running command line."""

    process: Any
    log: Path

    @property
    def said(self) -> str:
        """All it has written."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait(self, seconds: float = PATIENCE) -> int:
        """Return its exit code; a negative one is the signal that ended it."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise AssertionError(f"still running after {seconds:.0f} s: {self.said}")
        return int(self.process.exitcode)


def _body(argv: Sequence[str], log: str, harm: Harm | None) -> None:
    """Run a command line; the body of a child."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # not yet the product's business
    handle = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    sys.argv = [*argv]
    if harm is not None:
        harm()
    from spiral.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Stage:
    """A folder for a campaign, a grid, and what its rows are when nothing happens."""

    folder: Path
    children: list[Child] = field(default_factory=list)
    turns: int = 0
    notes: dict[str, float] = field(default_factory=dict)
    """Measurements for the figures."""
    read: dict[tuple[object, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in (self.folder, *self.folder.parents[:1]):
            path.chmod(0o755)  # a turn may look at it as another user
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.soak.warm"])
        self.grid = self.folder / "tiny.yaml"
        self.grid.write_text(GRID)

    def fresh(self, name: str) -> Path:
        """Return a path in the folder with nothing there."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def start(self, *args: object, harm: Harm | None = None) -> Child:
        """Start a command line in a process of its own."""
        log = self.folder / "logs" / f"{len(self.children)}.log"
        log.parent.mkdir(exist_ok=True)
        log.unlink(missing_ok=True)
        argv = ["spiral-sweep", *map(str, args)]
        process = self.context.Process(target=_body, args=(argv, str(log), harm))
        process.start()
        child = Child(process, log)
        until(log.exists, "the start of a process")
        self.children = [c for c in self.children if c.process.is_alive()] + [child]
        return child

    def launch(self, out: Path, *args: object, harm: Harm | None = None) -> Child:
        """Start a launch of the grid with the local executor and one worker."""
        local = ("--executor", "local", "--workers", 1)
        return self.start("launch", self.grid, "--out", out, *local, *args, harm=harm)

    def finish(self, out: Path, *args: object) -> None:
        """Launch once more, undisturbed: it must complete, with the rows it must."""
        child = self.launch(out, *args)
        code = child.wait()
        check(code == 0, f"the next launch ended with {code}: {child.said}")
        self.read.clear()
        self.check(out)
        wanted = self.more if args else self.expected
        missing = wanted.keys() - self.packs(out).keys()
        check(not missing, f"{len(missing)} packs are missing")
        ids = pd.read_parquet(out)["config_id"]
        check(ids.is_unique, "a config has two rows")
        check(len(ids) == status.verify(out).rows, "readers see other rows")
        check(not store.failures(out), f"records remain: {store.failures(out)}")

    def check(self, out: Path) -> None:
        """What holds at any moment: readers see rows as they must be, and no more."""
        if store.manifest_path(out).exists():
            status.status(out)
        for name, digest in self.packs(out).items():
            expected = self.expected.get(name) or self.more.get(name)
            check(expected, f"{name}: readers see what is no pack")
            check(
                digest == expected, f"{name}: its values are not the undisturbed ones"
            )

    def packs(self, out: Path) -> dict[str, str]:
        """Return file → digest of its values; each file is read once."""
        found = {}
        for path in store.visible_files(out):
            facts = path.stat()
            key = (str(path), facts.st_ino, facts.st_mtime_ns, facts.st_size)
            if key not in self.read:
                self.read[key] = values(path)
            found[path.name] = self.read[key]
        return found

    @cached_property
    def expected(self) -> dict[str, str]:
        """File → digest of its values, of the grid that nothing happened to."""
        return self._undisturbed("undisturbed")

    @cached_property
    def more(self) -> dict[str, str]:
        """The same of the grid extended by a seed."""
        return self._undisturbed("extended", *EXTENDED)

    def _undisturbed(self, name: str, *args: object) -> dict[str, str]:
        out = self.fresh(name)
        for each in dict.fromkeys([(), args]):
            child = self.launch(out, *each)
            check(child.wait() == 0, f"an undisturbed launch failed: {child.said}")
        return packs(out)

    @cached_property
    def seconds(self) -> float:
        """How long an undisturbed launch takes here and now."""
        began = time.monotonic()
        self._undisturbed("timed")
        return time.monotonic() - began


EXTENDED = ("--set", "seed=0..2")


def packs(out: Path) -> dict[str, str]:
    """Return every file that readers see, with a digest of its values (exact text)."""
    return {path.name: values(path) for path in store.visible_files(out)}


def values(path: Path) -> str:
    """Return a digest of all values of a pack that do not measure the run."""
    table, _ = store.read_pack(path)
    exact = repr(table.drop_columns([*VARYING]).to_pylist())
    return hashlib.blake2b(exact.encode()).hexdigest()


def check_message(said: str, *causes: str) -> None:
    """A failure is told in words: no traceback, its cause, and what to do."""
    check(TRACEBACK not in said, f"a traceback:\n{said}")
    for cause in causes:
        check(cause in said, f"the message does not say {cause!r}:\n{said}")
    check(any(word in said for word in REMEDIES), f"no remedy in:\n{said}")
