"""Evolution on islands: generation after generation, each a set of packs.

A pack is one generation of one island. It follows from the settings and the archives of
the generation before, which are files, so the result does not depend on workers,
executor or interruptions. Each island receives the leaders of its neighbour.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Self

import pandas as pd

from spiral.errors import ConfigError, CorruptPack, LaunchIncomplete, StoreError
from spiral.results import atomic
from spiral.search import best_known, frontier_file
from spiral.search.candidate import compiled, to_network
from spiral.search.evolve import archive as archives
from spiral.search.evolve import island as islands
from spiral.search.evolve.archive import Member
from spiral.sweep.evolve_files import Search, begin, missing, path, tidy
from spiral.sweep.work import Outcome, Report, Tell, Training, Work

MIGRATION = 2
"""Every n-th generation leaders immigrate; in between islands develop apart."""


@dataclass(frozen=True)
class Generation:
    """The work of one generation; a pack is an island."""

    out: Path
    search: Search
    number: int
    before: tuple[bytes, ...] = field(repr=False)
    """The archives of all islands after the generation before; none at first."""

    @classmethod
    def of(cls, search: Search, out: Path, number: int) -> Self:
        """Return a generation; all that its workers need is read here.

        Raises:
            StoreError: An archive of the generation before cannot be read.
        """
        known = range(search.islands) if number > 1 else ()
        before = tuple(archives.read(path(out, number - 1, each)) for each in known)
        return cls(out.resolve(), search, number, before)

    def do(self, pack: str, tell: Tell) -> Outcome:
        """Compute the archive of an island.

        Raises:
            StoreError: An archive of the generation before is damaged.
        """
        began, island = time.perf_counter(), int(pack)
        sources = [island]
        if self.number % MIGRATION == 0 and self.search.islands > 1:
            sources.append((island + 1) % self.search.islands)
        settings = self.search.settings
        before = [self._archive(source) for source in sources if self.before]
        found = islands.generation(settings, self.number, island, before)
        seconds = time.perf_counter() - began
        return Outcome(pack, settings.tries, seconds, data=archives.to_bytes(found))

    def _archive(self, island: int) -> archives.Archive:
        """Return the archive of an island after the generation before."""
        file = path(self.out, self.number - 1, island)
        one_mask = bool(self.search.settings.mask)
        return archives.from_bytes(self.before[island], file, one_mask)

    def save(self, outcome: Outcome) -> None:
        """Save the archive of an island."""
        file = path(self.out, self.number, int(outcome.pack))
        try:
            archives.table_of(outcome.data, file)
        except StoreError as error:
            raise CorruptPack(f"result of island {outcome.pack}: {error}") from None
        atomic.replace_atomically(file, outcome.data, file.parent)


@dataclass(frozen=True)
class Limits:
    """When a search ends: at the first of these, None never."""

    generations: int | None = None
    minutes: float | None = None
    """Begin no generation after these."""
    patience: float | None = None
    """Minutes without a better network of any size."""
    goals: tuple[tuple[int, float], ...] = ()
    """End when there are networks of at most so many weights with these accuracies."""


@dataclass(frozen=True)
class Progress:
    """What a generation has brought."""

    generation: int
    rate: float
    """Tries per second, all islands together."""
    better: dict[int, float]
    """Accuracies of the numbers of weights at which it improved."""


Executor = Callable[[Work, Sequence[str], int, Report], None]


def run(
    search: Search,
    out: Path,
    limits: Limits,
    executor: tuple[Executor, int],
    report: Callable[[Progress], None],
) -> pd.DataFrame:
    """Evolve until a limit is reached; return the frontier of the search.

    Args:
        search: What to do.
        out: Its directory; a search begun there goes on.
        limits: When to end.
        executor: Runs packs, and on how many workers.
        report: Called after each generation.

    Raises:
        ConfigError: The directory belongs to something else, or the limits leave
            nothing to do.
        StoreError: It cannot be read or written.
        LaunchIncomplete: An island failed.
    """
    number, leaders = begin(search, out), Leaders(search, out)
    table = leaders.frontier(number) if number else None
    began, improved = time.monotonic(), inf  # patience begins with a generation
    while not _ends(limits, number, time.monotonic() - began, improved) and (
        table is None or not reached(table, limits.goals)
    ):
        number += 1
        now = time.monotonic()
        advance(search, out, number, *executor)
        before, table = table, leaders.frontier(number)
        better = _better(before, table)
        if better or improved == inf:
            improved = time.monotonic()
        tries = search.islands * search.settings.tries
        report(Progress(number, tries / (time.monotonic() - now), better))
    if table is None or table.empty:
        raise ConfigError(
            "expected some network, got none; allow more time, other numbers of "
            "weights, or more units"
        )
    return table


def _ends(limits: Limits, number: int, spent: float, improved: float) -> bool:
    """Return whether a search has reached a limit."""
    stale = time.monotonic() - improved
    return (
        (limits.generations is not None and number >= limits.generations)
        or (limits.minutes is not None and spent >= 60 * limits.minutes)
        or (limits.patience is not None and stale >= 60 * limits.patience)
    )


def reached(table: pd.DataFrame, goals: Sequence[tuple[int, float]]) -> bool:
    """Return whether a frontier reaches all goals, if there are any."""
    return bool(goals) and all(
        (table[table["nnz"] <= size]["accuracy"] >= accuracy).any()
        for size, accuracy in goals
    )


def _better(before: pd.DataFrame | None, after: pd.DataFrame) -> dict[int, float]:
    """Return the best accuracies at the numbers of weights that have improved."""
    old = {} if before is None else best_known.best(before).to_dict()
    new = best_known.best(after).to_dict()
    return {size: best for size, best in new.items() if best > old.get(size, 0.0)}


def advance(
    search: Search, out: Path, number: int, executor: Executor, workers: int
) -> None:
    """Compute the missing archives of a generation.

    Raises:
        LaunchIncomplete: An island failed.
    """
    packs = [*map(str, missing(out, number, search.islands))]
    failed: list[Outcome] = []

    def report(said: Outcome | Training) -> None:
        if isinstance(said, Outcome) and said.error is not None:
            failed.append(said)

    executor(Generation.of(search, out, number), packs, workers, report)
    if failed:
        texts = "\n".join(f"  island {each.pack}: {each.error}" for each in failed)
        raise LaunchIncomplete(
            f"generation {number} failed; earlier ones are saved. Run the same command "
            f"to continue:\n{texts}"
        )
    tidy(out, number)


class Leaders:
    """The frontier of a search: entries of its leaders, each evaluated once."""

    def __init__(self, search: Search, out: Path) -> None:
        self._search, self._out = search, out
        self._entries: dict[bytes, dict[str, Any]] = {}

    def frontier(self, generation: int) -> pd.DataFrame:
        """Return and save the frontier of a generation's archives."""
        found = [
            self._entry(leader)
            for island in range(self._search.islands)
            for leader in archives.leaders(path(self._out, generation, island))
        ]
        entries = [entry for entry in found if entry]
        table = pd.DataFrame(entries, columns=frontier_file.SCHEMA.names)
        table = best_known.merge([table])
        settings = self._search.settings
        best_known.save(table, self._out / best_known.NAME, settings.task)
        return table

    def _entry(self, leader: Member) -> dict[str, Any]:
        """Return the entry of a leader; empty if float32 makes it constant."""
        key = leader.mask.encode() + compiled(leader.candidate)[1].tobytes()
        if key not in self._entries:
            network, task = to_network(leader.candidate), self._search.settings.data
            start, moves, generation, island = leader.origin
            found = (
                f"evolve, seed {self._search.settings.seed}, generation {generation}, "
                f"island {island}, {moves} moves from {start}"
            )
            self._entries[key] = (
                {}
                if network is None
                else best_known.entry(network, "any", "", found, task)
            )
        return self._entries[key]
