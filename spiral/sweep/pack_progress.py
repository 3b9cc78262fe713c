"""Progress of the packs in training: one small file per pack.

Files, because the results directory is all that workers and launcher share under every
executor, on a cluster too; of one in a bucket, the user's cache folder. They only feed
the progress display: a file that is lost, late or half-written spoils one number on the
screen and nothing else.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from spiral.results import buckets, store

SECONDS = 1.0
"""Minimum time between two writes of a pack's file."""

NAMES = "progress-{}.tmp"
"""``store.tidy`` removes files with this ending, should a killed worker leave one."""


class Moment(NamedTuple):
    """The progress of a training at one moment."""

    share: float
    """Share of the training that is done."""
    work: float
    """Processor seconds of the training thread so far."""


@dataclass
class Recorder:
    """Records the progress of one pack; the experiment calls it while it trains."""

    file: Path
    clock: Callable[[], float] = time.monotonic
    work: Callable[[], float] = time.thread_time
    first: Moment | None = None
    last: Moment | None = None
    due: float = float("-inf")
    written: bool = False

    def __call__(self, share: float) -> None:
        """Record the share of the training that is done."""
        self.last = Moment(share, self.work())
        self.first = self.first or self.last
        now = self.clock()
        if now >= self.due:
            self.due, self.written = now + SECONDS, True
            # A full disk or a lost folder stops the pack when its rows are written,
            # with a proper message; a failed progress file must not stop it earlier
            with suppress(OSError):
                self.file.write_text(repr(share))

    @property
    def seconds(self) -> float:
        """Estimated processor seconds of the whole training; 0 if it was too short.

        Extrapolated from what followed the first piece, as engines compile in it.
        """
        if self.first is None or self.last is None or self.first == self.last:
            return 0.0
        spent, done = self.last.work - self.first.work, self.last.share
        return spent / (done - self.first.share) if done > self.first.share else 0.0


def path(out: Path, pack: str) -> Path:
    """Return the progress file of one pack."""
    return store.scratch(out) / NAMES.format(pack)


@contextmanager
def recorded(out: Path, pack: str) -> Iterator[Recorder]:
    """Record the progress of a pack while it trains; remove its file afterwards."""
    # The first write is due after a second: most packs of a quick grid need no file
    recorder = Recorder(path(out, pack), due=time.monotonic() + SECONDS)
    if isinstance(out, buckets.InBucket):
        with suppress(OSError):
            store.scratch(out).mkdir(parents=True, exist_ok=True)
    try:
        yield recorder
    finally:
        if recorder.written:
            with suppress(OSError):
                recorder.file.unlink()


def read(out: Path) -> dict[str, float]:
    """Return pack → share done for all packs that train into a results directory."""
    found = {}
    for pack, file in _files(out):
        with suppress(OSError, ValueError):  # removed or being written just now
            share = float(file.read_text())
            if 0 <= share <= 1:
                found[pack] = share
    return found


def clear(out: Path, packs: Collection[str]) -> None:
    """Remove the progress files that killed workers have left."""
    known = set(packs)
    for pack, file in _files(out):
        if pack in known:
            with suppress(OSError):
                file.unlink()
    if isinstance(out, buckets.InBucket):
        with suppress(OSError):  # another launch uses it
            store.scratch(out).rmdir()


def _files(out: Path) -> Iterator[tuple[str, Path]]:
    """Yield packs and their files; none if the folder cannot be listed."""
    before, _, after = NAMES.partition("{}")
    with suppress(OSError):
        for file in store.scratch(out).glob(NAMES.format("*")):
            yield file.name.removeprefix(before).removesuffix(after), file
