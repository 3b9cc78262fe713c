"""Progress of a launch on stderr: a bar on a terminal, else a line at intervals.

It shows the progress of the packs in training every two seconds, so that the display
and the estimated time left are useful long before the first pack is done.
"""

import sys
import threading
import time
from types import TracebackType
from typing import NamedTuple, Self

from rich import progress as bars
from rich.console import Console

from spiral.sweep.launch import Launch
from spiral.sweep.work import Outcome, Training

SHOW_SECONDS = 2.0
"""Interval at which the progress of packs in training is shown."""

LINE_SECONDS = (2.0, 60.0)
"""First and longest interval between lines where no bar can be drawn. It doubles with
every line: quick feedback at the start, and one line per minute in the log of a
night."""

PATIENCE_SECONDS = 600.0
"""Time without any progress after which a warning appears, for short packs."""

PATIENCE_PACKS = 2
"""The warning also waits for this multiple of the longest pack's estimate, so that long
packs and slow decisions of a method do not trigger it."""


class Snapshot(NamedTuple):
    """The progress of a launch at one moment."""

    time: float
    cost: float
    """Trained part of the packs, in seconds of the cost model."""
    networks: float


class Meter:
    """Counts outcomes and displays them; a context manager and a ``Report``."""

    def __init__(self, launch: Launch, workers: int):
        chosen = launch.packs.set_index("pack").loc[launch.missing]
        self.cost = chosen["seconds"].to_dict()
        self.size = chosen["networks"].to_dict()
        self.all = Snapshot(0.0, sum(self.cost.values()), sum(self.size.values()))
        self.workers = min(workers, max(1, len(self.cost)))
        self.packs = self.failed = 0
        self.done = Snapshot(0.0, 0.0, 0)
        self.training: dict[str, float] = {}
        self.printed = self.progressed = time.monotonic()
        self.pause = LINE_SECONDS[0]
        self.first = self.latest = Snapshot(self.printed, 0.0, 0)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.console = Console(stderr=True)
        self.bar = bars.Progress(
            bars.SpinnerColumn(),
            bars.TextColumn("{task.description}"),
            bars.BarColumn(bar_width=24),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task(self.line(), total=self.all.cost or 1)

    def __enter__(self) -> Self:
        if self.size:
            self.bar.start()
            self.print_line()
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self.thread.join()
        self.bar.stop()
        if self.packs:
            self.update()
            self.print_line()

    def __call__(self, said: Outcome | Training) -> None:
        """Record the progress or the outcome of one pack."""
        if isinstance(said, Outcome):
            self.count(said)
        elif said.pack in self.cost:
            self.training[said.pack] = said.share

    def count(self, outcome: Outcome) -> None:
        """Record the outcome of one pack."""
        self.progressed = time.monotonic()
        self.packs += 1
        self.training.pop(outcome.pack, None)
        self.failed += outcome.error is not None
        cost = self.done.cost + self.cost.pop(outcome.pack, 0.0)
        self.done = Snapshot(
            self.progressed, cost, self.done.networks + outcome.networks
        )
        if outcome.error is not None:
            self.print(f"pack {outcome.pack} failed: {outcome.error}")

    def refresh(self) -> None:
        """Display the progress of the packs in training."""
        self.update()
        self.bar.update(self.task, completed=self.latest.cost, description=self.line())
        rested = time.monotonic() - self.printed >= self.pause
        if rested and self.latest.time > self.printed:
            self.pause = min(2 * self.pause, LINE_SECONDS[1])
            self.print_line()

    def update(self) -> None:
        """Update the snapshot if there was progress."""
        done, left = self.done, dict(self.cost)  # a copy: outcomes may arrive meanwhile
        cost, networks = done.cost, float(done.networks)
        for pack, share in dict(self.training).items():
            cost += share * left.get(pack, 0.0)
            networks += share * self.size[pack]
        if cost != self.latest.cost:
            self.progressed = time.monotonic()
            self.latest = Snapshot(self.progressed, cost, networks)
            # Speed counts from the first progress: Ray, imports and compilers came
            # before it
            if not self.first.cost:
                self.first = self.latest

    def _watch(self) -> None:
        """Show progress at intervals; warn if there was none for far too long."""
        longest = max(self.cost.values(), default=0.0)
        patience = max(PATIENCE_SECONDS, PATIENCE_PACKS * longest)
        warned = 0.0
        while not self.stopping.wait(SHOW_SECONDS):
            self.refresh()
            silence = time.monotonic() - self.progressed
            if silence < warned:
                warned = 0.0  # there was progress
            if silence > warned + patience:
                warned = silence
                self.print(
                    f"no progress for {duration(silence)}, while the longest pack "
                    f"should take about {duration(longest)}: a method may hang, or the "
                    "machine may be swapping. Ctrl-C ends the launch and keeps "
                    "finished packs; --executor local --workers 1 trains in one "
                    "process, for a debugger"
                )

    def print_line(self) -> None:
        """Print the progress line if no bar can be drawn."""
        if self.bar.disable:
            self.printed = time.monotonic()
            self.print(self.line())

    def print(self, text: str) -> None:
        """Print a message, above the bar if there is one."""
        if self.bar.disable:
            print(text, file=sys.stderr, flush=True)  # noqa: T201
        else:
            self.console.print(text, markup=False, soft_wrap=True)

    def line(self) -> str:
        """Return packs, configs, share trained, speed and time left as one line."""
        failed = f", {self.failed} failed" if self.failed else ""
        trained = 100 * self.latest.cost / (self.all.cost or 1)
        took = self.latest.time - self.first.time
        rate = (self.latest.networks - self.first.networks) / took if took else 0.0
        return (
            f"packs {self.packs}/{len(self.size)}{failed}, "
            f"configs {self.done.networks:,}/{self.all.networks:,}, "
            + (f"{trained:.3g}% trained, " if trained else "")
            + (f"{rate:.3g} networks/s, " if rate > 0 else "")
            + f"about {duration(self.remaining())} left"
        )

    def remaining(self) -> float:
        """Estimate the seconds left, by the cost model until a speed is known."""
        took = self.latest.time - self.first.time
        done = self.latest.cost - self.first.cost
        pace = took / done if done > 0 and took > 0 else 1 / self.workers
        left = dict(self.cost)
        rest = [cost * (1 - self.training.get(p, 0.0)) for p, cost in left.items()]
        # At the end the longest pack trains alone while the other workers are idle
        return max(sum(rest), self.workers * max(rest, default=0.0)) * pace


def duration(seconds: float) -> str:
    """Return a duration in a readable unit."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
