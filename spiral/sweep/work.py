"""What executors run: packs of work, each done by one worker, retried if it fails.

Light to import, as every worker process imports it before it knows its work.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from spiral.errors import SpiralError

ATTEMPTS = 3
"""Attempts before a pack counts as failed: the worker repeats a pack that raises, the
executor one whose worker died."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a pack."""

    pack: str
    networks: int = 0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    error: str | None = None
    work: float = 0.0
    """Processor seconds of its training, 0 if unknown (``pack_progress.Recorder``)."""


Report = Callable[[Outcome], None]
"""Called by an executor once per pack, when it is done or has failed."""


class Work(Protocol):
    """Some work, cut into packs; sent to worker processes, so it can be pickled."""

    @property
    def out(self) -> Path:
        """The directory of its results; on a cluster, every node must see it."""

    def do(self, pack: str) -> Outcome:
        """Do one pack and save its results.

        Raises:
            SpiralError: It cannot be done; trying again would not help.
        """


def attempt(work: Work, pack: str) -> Outcome:
    """Do a pack and retry if it raises; report the first error if all attempts fail.

    Later errors may be consequences of the first, such as those of a module whose
    import failed half-way.
    """
    first: str | None = None
    for _ in range(ATTEMPTS):
        try:
            return work.do(pack)
        except SpiralError as error:  # a broken method or a full disk: not transient
            return Outcome(pack, error=str(error))
        except (Exception, SystemExit) as error:  # a method may call sys.exit
            first = first or describe(error)
    return Outcome(pack, error=first)


def describe(error: BaseException) -> str:
    """Return an error with the file and line that raised it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
    if "No usable temporary directory" in text:  # raised by tempfile, in any library
        text += "; set TMPDIR to a writable folder"
    return text
