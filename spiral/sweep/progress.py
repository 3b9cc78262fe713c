"""Progress of a launch on stderr: a bar on a terminal, else a line now and then."""

import sys
import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from spiral.sweep.launch import Launch
from spiral.sweep.work import Outcome

LINE_SECONDS = 10.0

PATIENCE_SECONDS = 600.0
"""Without a pack done after which something may hang, if packs are not that long."""

PATIENCE_PACKS = 20
"""How many times the time of the longest pack that must be, too."""


class Meter:
    """Counts outcomes and shows them; a context manager and a ``Report``."""

    def __init__(self, launch: Launch, workers: int):
        chosen = launch.packs.set_index("pack").loc[launch.missing]
        self.cost = chosen["seconds"].to_dict()
        self.size = chosen["networks"].to_dict()
        self.workers = min(workers, max(1, len(self.cost)))
        self.configs = self.packs = self.failed = 0
        self.cost_done = 0.0
        self.began = self.spoke = self.heard = time.monotonic()
        self.over = threading.Event()
        self.console = Console(stderr=True)
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task(self.line(), total=sum(self.cost.values()) or 1)

    def __enter__(self) -> Self:
        self.bar.start()
        self.say()
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over.set()
        self.bar.stop()
        if self.packs:
            self.say()

    def __call__(self, outcome: Outcome) -> None:
        """Take in what became of one pack."""
        self.heard = time.monotonic()
        self.packs += 1
        self.failed += outcome.error is not None
        self.configs += outcome.networks
        self.cost_done += self.cost[outcome.pack]
        self.bar.update(self.task, completed=self.cost_done, description=self.line())
        if outcome.error is not None:
            self.console.print(
                f"pack {outcome.pack} failed: {outcome.error}", markup=False
            )
        if time.monotonic() - self.spoke > LINE_SECONDS:
            self.say()

    def _watch(self) -> None:
        """Tell, once in a while, that nothing was done for far too long."""
        longest = max(self.cost.values(), default=0.0)
        patience = max(PATIENCE_SECONDS, PATIENCE_PACKS * longest)
        told = 0.0
        while not self.over.wait(patience / 10):
            silence = time.monotonic() - self.heard
            if silence < told:
                told = 0.0  # a pack was done
            if silence > told + patience:
                told = silence
                self.console.print(
                    f"no pack was done for {duration(silence)}, one takes about "
                    f"{duration(longest)}: a method may hang, or the machine swap. "
                    "Ctrl-C ends the launch and keeps what is done; --executor local "
                    "--workers 1 trains in one process, where a debugger can look",
                    markup=False,
                    soft_wrap=True,
                )

    def say(self) -> None:
        """Print the line where no bar can be drawn."""
        if self.bar.disable:
            self.spoke = time.monotonic()
            print(self.line(), file=sys.stderr, flush=True)  # noqa: T201

    def line(self) -> str:
        """Return packs, configs, speed and the time left."""
        elapsed = time.monotonic() - self.began
        failed = f", {self.failed} failed" if self.failed else ""
        speed = f"{self.configs / elapsed:.1f} networks/s, " if self.configs else ""
        return (
            f"packs {self.packs}/{len(self.cost)}{failed}, "
            f"configs {self.configs:,}/{sum(self.size.values()):,}, "
            f"{speed}about {duration(self.remaining(elapsed))} left"
        )

    def remaining(self, elapsed: float) -> float:
        """Estimate the seconds left, by cost model until a pack is done."""
        left = sum(self.cost.values()) - self.cost_done
        pace = elapsed / self.cost_done if self.cost_done else 1 / self.workers
        return left * pace


def duration(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
