"""How far the packs in training are: a small file of each, whoever trains them.

What workers and launcher share, whatever executor starts them and on whichever machine,
is the folder of results. Files of progress are only for people: one that is lost, late
or half-written costs a number on the screen and nothing else.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from spiral.results import store

SECONDS = 1.0
"""Between two writes of a pack's file."""

NAMES = "progress-{}.tmp"
"""``store.tidy`` removes what ends like that, should a killed worker leave it."""


class Moment(NamedTuple):
    """A look at a training."""

    share: float
    """Of it that is done."""
    work: float
    """Processor seconds of the thread that trains."""


@dataclass
class Pulse:
    """Notes how far one pack is; what an experiment calls while it trains."""

    file: Path
    clock: Callable[[], float] = time.monotonic
    work: Callable[[], float] = time.thread_time
    first: Moment | None = None
    last: Moment | None = None
    due: float = float("-inf")

    def __call__(self, share: float) -> None:
        """Take in the share of the training that is done."""
        self.last = Moment(share, self.work())
        self.first = self.first or self.last
        now = self.clock()
        if now >= self.due:
            self.due = now + SECONDS
            # A full disk or a folder that went away will stop the launch when rows are
            # written, with a message; a number for the screen must not
            with suppress(OSError):
                self.file.write_text(repr(share))

    @property
    def seconds(self) -> float:
        """Processor seconds of the whole training; 0 where it was too short to say.

        By what followed the first piece, in which engines compile what they need.
        """
        if self.first is None or self.last is None or self.first == self.last:
            return 0.0
        spent, done = self.last.work - self.first.work, self.last.share
        return spent / (done - self.first.share) if done > self.first.share else 0.0


def path(out: Path, pack: str) -> Path:
    """Return the file of one pack's progress."""
    return store.scratch(out) / NAMES.format(pack)


@contextmanager
def kept(out: Path, pack: str) -> Iterator[Pulse]:
    """Keep the file of a pack while it trains."""
    # A pack that is done within a second needs no file
    pulse = Pulse(path(out, pack), due=time.monotonic() + SECONDS)
    try:
        yield pulse
    finally:
        with suppress(OSError):
            pulse.file.unlink()


def read(out: Path) -> dict[str, float]:
    """Return pack → share done, of all that train into a folder of results."""
    found = {}
    for pack, file in _files(out):
        with suppress(OSError, ValueError):  # gone meanwhile, or just being written
            share = float(file.read_text())
            if 0 <= share <= 1:
                found[pack] = share
    return found


def forget(out: Path, packs: Collection[str]) -> None:
    """Remove what workers that were killed have left of some packs."""
    known = set(packs)
    for pack, file in _files(out):
        if pack in known:
            with suppress(OSError):
                file.unlink()


def _files(out: Path) -> Iterator[tuple[str, Path]]:
    """Yield packs and their files; none where the folder cannot be listed."""
    before, _, after = NAMES.partition("{}")
    with suppress(OSError):
        for file in store.scratch(out).glob(NAMES.format("*")):
            yield file.name.removeprefix(before).removesuffix(after), file
