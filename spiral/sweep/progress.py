"""Progress of a launch on stderr: a bar on a terminal, else a line now and then.

A thread looks every two seconds at what the packs in training have done, so that the
line moves, and the time left follows the speed, long before a pack is done.
"""

import sys
import threading
import time
from types import TracebackType
from typing import NamedTuple, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from spiral.sweep import pack_progress
from spiral.sweep.launch import Launch
from spiral.sweep.worker import Outcome

LOOK_SECONDS = 2.0
"""Between two looks at the packs in training."""

LINE_SECONDS = (2.0, 60.0)
"""Between two lines where no bar can be drawn, at first and in the end. The pause
doubles with every line: who just began wants to see that it runs, and the log of a
night has a line a minute."""

PATIENCE_SECONDS = 600.0
"""Without any training after which something may hang, if packs are not that long."""

PATIENCE_PACKS = 2
"""How many times the time of the longest pack that must be, too: whole packs and
single decisions of a method are shorter."""


class Sight(NamedTuple):
    """How far a launch is at some time."""

    time: float
    cost: float
    """Seconds of the packs, by cost model, that are trained."""
    networks: float


class Meter:
    """Counts outcomes and shows them; a context manager and a ``Report``."""

    def __init__(self, launch: Launch, workers: int):
        chosen = launch.packs.set_index("pack").loc[launch.missing]
        self.out = launch.out
        self.cost = chosen["seconds"].to_dict()
        self.size = chosen["networks"].to_dict()
        self.all = Sight(0.0, sum(self.cost.values()), sum(self.size.values()))
        self.workers = min(workers, max(1, len(self.cost)))
        self.packs = self.failed = 0
        self.done = Sight(0.0, 0.0, 0)
        self.training: dict[str, float] = {}
        self.spoke = self.heard = time.monotonic()
        self.pause = LINE_SECONDS[0]
        self.first = self.seen = Sight(self.spoke, 0.0, 0)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.console = Console(stderr=True)
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task(self.line(), total=self.all.cost or 1)

    def __enter__(self) -> Self:
        self.bar.start()
        self.say()
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over.set()
        self.thread.join(LOOK_SECONDS)  # a folder that is out of reach may block it
        self.bar.stop()
        if self.packs:
            self.see()
            self.say()

    def __call__(self, outcome: Outcome) -> None:
        """Take in what became of one pack."""
        self.heard = time.monotonic()
        self.packs += 1
        self.failed += outcome.error is not None
        cost = self.done.cost + self.cost.pop(outcome.pack, 0.0)
        self.done = Sight(self.heard, cost, self.done.networks + outcome.networks)
        if outcome.error is not None:
            self.tell(f"pack {outcome.pack} failed: {outcome.error}")

    def look(self) -> None:
        """Take in what the packs in training have done, and show it."""
        self.training = pack_progress.read(self.out)
        self.see()
        self.bar.update(self.task, completed=self.seen.cost, description=self.line())
        rested = time.monotonic() - self.spoke >= self.pause
        if rested and self.seen.time > self.spoke:
            self.pause = min(2 * self.pause, LINE_SECONDS[1])
            self.say()

    def see(self) -> None:
        """Note how far the launch is, if that has changed."""
        done, left = self.done, dict(self.cost)  # outcomes may come in meanwhile
        cost, networks = done.cost, float(done.networks)
        for pack in left.keys() & self.training.keys():
            cost += self.training[pack] * left[pack]
            networks += self.training[pack] * self.size[pack]
        if cost != self.seen.cost:
            self.heard = time.monotonic()
            self.seen = Sight(self.heard, cost, networks)
            if not self.first.cost:  # Ray, imports and compilers were before this
                self.first = self.seen

    def _watch(self) -> None:
        """Look now and then; tell if nothing was done for far too long."""
        longest = max(self.cost.values(), default=0.0)
        patience = max(PATIENCE_SECONDS, PATIENCE_PACKS * longest)
        told = 0.0
        while not self.over.wait(LOOK_SECONDS):
            self.look()
            silence = time.monotonic() - self.heard
            if silence < told:
                told = 0.0  # something was done
            if silence > told + patience:
                told = silence
                self.tell(
                    f"no pack got any further for {duration(silence)}, a whole one "
                    f"takes about {duration(longest)}: a method may hang, or the "
                    "machine swap. Ctrl-C ends the launch and keeps what is done; "
                    "--executor local --workers 1 trains in one process, where a "
                    "debugger can look"
                )

    def say(self) -> None:
        """Print the line where no bar can be drawn."""
        if self.bar.disable:
            self.spoke = time.monotonic()
            self.tell(self.line())

    def tell(self, text: str) -> None:
        """Print something, above the bar if there is one."""
        if self.bar.disable:
            print(text, file=sys.stderr, flush=True)  # noqa: T201
        else:
            self.console.print(text, markup=False, soft_wrap=True)

    def line(self) -> str:
        """Return packs, configs, how much is trained, speed and the time left."""
        failed = f", {self.failed} failed" if self.failed else ""
        trained = 100 * self.seen.cost / (self.all.cost or 1)
        took = self.seen.time - self.first.time
        rate = (self.seen.networks - self.first.networks) / took if took else 0.0
        return (
            f"packs {self.packs}/{len(self.size)}{failed}, "
            f"configs {self.done.networks:,}/{self.all.networks:,}, "
            + (f"{trained:.3g}% trained, " if trained else "")
            + (f"{rate:.3g} networks/s, " if rate > 0 else "")
            + f"about {duration(self.remaining())} left"
        )

    def remaining(self) -> float:
        """Estimate the seconds left, by cost model until a speed is known."""
        took = self.seen.time - self.first.time
        done = self.seen.cost - self.first.cost
        pace = took / done if done > 0 and took > 0 else 1 / self.workers
        left = dict(self.cost)
        rest = [cost * (1 - self.training.get(p, 0.0)) for p, cost in left.items()]
        # When the last pack trains, the other workers have nothing to do
        return max(sum(rest), self.workers * max(rest, default=0.0)) * pace


def duration(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
