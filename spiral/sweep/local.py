"""The local executor: trains packs in processes of this machine, without Ray.

With one worker, packs train in the calling process, so that a debugger can follow them.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from spiral.sweep import signals, streams
from spiral.sweep.work import ATTEMPTS, Outcome, Report, Training, Work, attempt

# Not fork: the launcher has threads (progress, Numba, torch), whose locks a forked
# child would inherit in whatever state they are
SPAWN = multiprocessing.get_context("spawn")

IGNORED = signals.OF_GROUPS
"""Workers ignore them: the launcher decides when to stop."""


def run(work: Work, packs: Sequence[str], workers: int, report: Report) -> None:
    """Train packs and report the outcome of each.

    Args:
        work: What a pack is.
        packs: Ids, in the order to start them.
        workers: Processes; each trains one pack at a time on one thread.
        report: Called with progress and outcomes.
    """
    if workers == 1:
        for pack in packs:
            report(attempt(work, pack, partial(_tell, report, pack)))
        return
    queue = deque((pack, 1) for pack in packs)
    crew: list[_Worker] = []
    with signals.undoing(partial(_dismiss, crew)):
        for _ in range(min(workers, len(packs))):
            crew.append(_Worker.hire(work))
        _dispatch(crew, queue, work, report)


@dataclass
class _Worker:
    """A worker process that trains the packs it is sent."""

    process: BaseProcess
    pipe: Connection
    pack: str = ""
    tries: int = 0

    @classmethod
    def hire(cls, work: Work) -> "_Worker":
        """Start a process."""
        ours, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=_serve, args=(work, theirs), daemon=True)
        # A Ctrl-C may reach the child before it can ignore the signal, so it starts
        # with these signals blocked (it inherits this thread's mask)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        return cls(process, ours)

    def give(self, pack: str, tries: int) -> None:
        """Send a pack."""
        self.pack, self.tries = pack, tries
        self.pipe.send(pack)

    def collect(self) -> Outcome | Training | None:
        """Return what the process says of its pack, or None if it died."""
        try:
            said: Outcome | Training = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return None
        if isinstance(said, Outcome):
            self.pack = ""
        return said


def _tell(report: Report, pack: str, share: float) -> None:
    """Report the progress of a pack."""
    report(Training(pack, share))


def _dismiss(crew: list[_Worker]) -> None:
    """Kill all workers; a kill is safe, as results are whole or absent."""
    for worker in crew:
        worker.process.kill()
        worker.process.join()


def _dispatch(
    crew: list[_Worker], queue: deque[tuple[str, int]], work: Work, report: Report
) -> None:
    """Give packs to idle workers until none is left; replace workers that die.

    One pack at a time, as packs differ in time; a batch per worker would leave some
    idle at the end.
    """
    while queue or any(worker.pack for worker in crew):
        for worker in crew:
            if queue and not worker.pack:
                worker.give(*queue.popleft())
        busy = {worker.pipe: worker for worker in crew if worker.pack}
        for pipe in wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]
            said = worker.collect()
            if said is not None:
                report(said)
                continue
            crew.remove(worker)
            if worker.tries < ATTEMPTS:
                # At the end: if it is the pack that kills, the others are trained first
                queue.append((worker.pack, worker.tries + 1))
            else:
                text = f"its worker died (exit code {worker.process.exitcode})"
                report(Outcome(worker.pack, error=text))
            if queue:
                crew.append(_Worker.hire(work))


def _serve(work: Work, pipe: Connection) -> None:
    """Train packs as they arrive; the main function of a worker process."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
    streams.outlast_readers()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            pack = pipe.recv()
        except EOFError:
            return
        pipe.send(attempt(work, pack, partial(_tell, pipe.send, pack)))


def _die_with_parent() -> None:
    """Exit as soon as the launcher is gone, even if it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
