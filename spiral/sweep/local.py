"""The local executor: packs in processes of this machine, without Ray.

With one worker, packs train in the calling process, where a debugger can follow them.
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
from spiral.sweep.worker import ATTEMPTS, Outcome, Report, Site, attempt

SPAWN = multiprocessing.get_context("spawn")

SILENT = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
"""Signals that a terminal or a batch system sends to all processes of a launch."""


def run(site: Site, packs: Sequence[str], workers: int, report: Report) -> None:
    """Train packs and report what became of each.

    Args:
        site: Where the packs come from and go.
        packs: Ids, in the order to start them.
        workers: Processes; each trains one pack at a time on one thread.
        report: Called once per pack, when it is done or given up.
    """
    if workers == 1:
        for pack in packs:
            report(attempt(site, pack))
        return
    queue = deque((pack, 1) for pack in packs)
    crew: list[_Worker] = []
    with signals.undoing(partial(_dismiss, crew)):
        for _ in range(min(workers, len(packs))):
            crew.append(_Worker.hire(site))
        _direct(crew, queue, site, report)


@dataclass
class _Worker:
    """A process that trains the packs it is sent."""

    process: BaseProcess
    pipe: Connection
    pack: str = ""
    tries: int = 0

    @classmethod
    def hire(cls, site: Site) -> "_Worker":
        """Start a process."""
        ours, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=_serve, args=(site, theirs), daemon=True)
        # Ctrl-C reaches it as well, perhaps before it has begun to ignore that
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SILENT)
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

    def collect(self) -> Outcome | None:
        """Return the outcome of the present pack, or None if the process died."""
        try:
            outcome: Outcome = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return None
        self.pack = ""
        return outcome


def _dismiss(crew: list[_Worker]) -> None:
    """End all workers."""
    for worker in crew:
        worker.process.kill()
        worker.process.join()


def _direct(
    crew: list[_Worker], queue: deque[tuple[str, int]], site: Site, report: Report
) -> None:
    """Keep every worker busy until no pack is left; replace workers that die."""
    while queue or any(worker.pack for worker in crew):
        for worker in crew:
            if queue and not worker.pack:
                worker.give(*queue.popleft())
        busy = {worker.pipe: worker for worker in crew if worker.pack}
        for pipe in wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]
            outcome = worker.collect()
            if outcome is not None:
                report(outcome)
                continue
            crew.remove(worker)
            if worker.tries < ATTEMPTS:
                queue.append((worker.pack, worker.tries + 1))
            else:
                text = f"its worker died (exit code {worker.process.exitcode})"
                report(Outcome(worker.pack, error=text))
            if queue:
                crew.append(_Worker.hire(site))


def _serve(site: Site, pipe: Connection) -> None:
    """Train packs as they come in; the body of a worker process."""
    for number in SILENT:
        signal.signal(number, signal.SIG_IGN)  # the launcher decides when to stop
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SILENT)
    streams.outlast_readers()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            pack = pipe.recv()
        except EOFError:
            return
        pipe.send(attempt(site, pack))


def _die_with_parent() -> None:
    """End this process as soon as the launcher is gone, even if it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
