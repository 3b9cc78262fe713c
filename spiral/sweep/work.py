"""What executors run: packs of work, each done by one worker, retried if it fails.

Light to import, as every worker process imports it before it knows its work.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from spiral.errors import CorruptPack, SpiralError

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
    data: bytes = field(default=b"", repr=False)
    """Its results, until they are saved."""


@dataclass(frozen=True)
class Training:
    """A pack in training."""

    pack: str
    share: float
    """Share of the training that is done."""


Report = Callable[[Outcome | Training], None]
"""Called by an executor with progress at intervals, and once per pack with the outcome,
when its results are saved or it has failed."""

Tell = Callable[[float], None]
"""Called with the share of a pack that is done."""


class Work(Protocol):
    """Some work, cut into packs.

    It is pickled and sent to workers, which may be on machines that see no folder of
    the launcher's: it carries whatever they need.
    """

    def do(self, pack: str, tell: Tell) -> Outcome:
        """Do one pack on any machine; return its results as ``data``.

        Raises:
            SpiralError: It cannot be done; trying again would not help.
        """

    def save(self, outcome: Outcome) -> None:
        """Check the results of a pack and save them, on the launcher's machine.

        Raises:
            CorruptPack: They are not what ``do`` returned, or could not be read back.
            StoreError: They cannot be written.
        """


def attempt(work: Work, pack: str, tell: Tell) -> Outcome:
    """Do a pack and save its results, on the launcher's machine; retry if it raises."""

    def do() -> Outcome:
        outcome = work.do(pack, tell)
        work.save(outcome)
        return replace(outcome, data=b"")

    return tried(do, pack)


def tried(do: Callable[[], Outcome], pack: str) -> Outcome:
    """Retry a pack if it raises; report the first error if all attempts fail.

    Later errors may be consequences of the first, such as those of a module whose
    import failed half-way.
    """
    first: str | None = None
    for _ in range(ATTEMPTS):
        try:
            return do()
        except CorruptPack as error:  # damaged on its way: another try may help
            first = first or str(error)
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
