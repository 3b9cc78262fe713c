"""One generation of one island: a fixed number of moves on an archive.

A pure function of the archives before it, the seed, the generation and the island, so
that a generation that was lost is computed again, with the same result.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from numpy.random import Generator

from spiral.model import seeds
from spiral.search import polish as polishing
from spiral.search.candidate import (
    Candidate,
    from_mask,
    mask_of,
    nnz_of,
    shape_of,
)
from spiral.search.evolve import moves, one_unit, random_start
from spiral.search.evolve.archive import Archive, Member, Origin
from spiral.search.evolve.endgame import finish
from spiral.search.evolve.unit_moves import EVERY
from spiral.search.polish import FINAL, QUICK, polish, spaced, through
from spiral.search.shape import Shape
from spiral.tasks import catalogue
from spiral.tasks.task import Task

Start = Callable[[Generator, Shape, tuple[int, int], Task], Candidate]

STARTS: dict[str, Start] = {
    "random": random_start.start,
    "one-unit": one_unit.start,
}
"""Generators of new networks."""

ON_MASK: dict[str, Callable[[Generator, Candidate, Task], Candidate | None]] = {
    "random": random_start.on_mask,
    "one-unit": one_unit.on_mask,
}
"""Generators of new weights for a mask."""

FRESH = 0.1
"""Share of new networks among all tries; without them an island keeps its first lines
of ancestors."""


MARGIN = 0.98
"""A fine polish needs a loss below this multiple of the best: it takes as long as ten
quick ones."""


NEARLY = 0.99
"""Leaders with this share of the points right go through the last stages, on all
points, which take a third of a second."""


FINISHED, STEPS = 2, 40
"""Leaders that enter the endgame after a generation, and its tries: 2 s each. Of one
mask, any members: which basin ends best shows only then."""

FLOOR = 0.5
"""Share of the way from chance to all points right that a leader has gone before its
endgame is worth trying. It helps long before the last points: in 2 s one took a network
of 16 weights from 0.9785 to 0.9884, where eight minutes of hops with ordinary polishes
had led."""


@dataclass(frozen=True)
class Settings:
    """What a search does; the same for all its generations."""

    seed: int
    starts: tuple[str, ...]
    """Names in ``STARTS``."""
    largest: Shape
    """Most units of each hidden layer."""
    sizes: tuple[int, int]
    """Fewest and most weights of networks that are kept."""
    tries: int
    """Moves and new networks in a generation of an island."""
    mask: str = ""
    """The only mask to search, in canonical numbering; empty for all masks."""
    task: str = catalogue.DEFAULT
    """Canonical name of what the networks are for."""

    @property
    def data(self) -> Task:
        """The task itself."""
        return catalogue.load(self.task)


def generation(
    settings: Settings, number: int, island: int, before: Sequence[Archive]
) -> Archive:
    """Return the archive of an island after one more generation.

    Args:
        settings: The search.
        number: The generation, 1 for the first.
        island: The island, 0 for the first.
        before: The archives to start from: the island's own, and those whose leaders
            immigrate. They are used up.
    """
    archive = _merged(before) if before else Archive(basins=bool(settings.mask))
    random = seeds.stream("evolve", settings.seed, number, island)
    for _ in range(settings.tries):
        found = _next(archive, settings, random)
        if found is not None:
            candidate, start, steps = found
            origin = Origin(start, steps, number, island)
            _enter(archive, candidate, origin, settings.data)
    _finish(archive, Origin("", 0, number, island), random, settings.data)
    return archive


def _merged(archives: Sequence[Archive]) -> Archive:
    """Return the first archive with the leaders of the others."""
    own, *others = archives
    for other in others:
        for _, leader in sorted(other.leaders.items()):
            own.offer(leader)
            own.lead(leader)
    return own


def _next(
    archive: Archive, settings: Settings, random: Generator
) -> tuple[Candidate, str, int] | None:
    """Return an unpolished network, what its line began with, and its moves since."""
    if not archive.cells or random.random() < FRESH:
        name = settings.starts[random.integers(len(settings.starts))]
        candidate = _new(name, settings, random)
        if candidate is None or not _fits(candidate, settings):
            return None
        return candidate, name, 0
    parent = archive.draw(random)
    move = moves.draw(random, moves.HOPS) if settings.mask else moves.draw(random)
    seen = spaced(settings.data, EVERY)[0]
    moved = moves.apply(move, parent.candidate, random, settings.largest, seen)
    if moved is None or not _fits(moved, settings):
        return None
    return moved, parent.origin.start, parent.origin.moves + 1


def _new(name: str, settings: Settings, random: Generator) -> Candidate | None:
    """Return a new network from a generator, None if that has no such mask."""
    if settings.mask:
        return ON_MASK[name](random, from_mask(settings.mask), settings.data)
    return STARTS[name](random, settings.largest, settings.sizes, settings.data)


def _fits(candidate: Candidate, settings: Settings) -> bool:
    """Return whether a network has a number of weights that is searched."""
    low, high = settings.sizes
    return low <= nnz_of(candidate) <= high


def _enter(archive: Archive, candidate: Candidate, origin: Origin, task: Task) -> None:
    """Polish a network and offer it; polish it finely if it may lead."""
    quick = polish(candidate, task, QUICK)
    if quick is None:
        return
    member = _member(quick, origin, task)
    if not archive.offer(member) or not _promising(archive, member):
        return
    for stages in (FINAL[:1], FINAL[1:]):
        final = through(stages, member.candidate, task)
        if final is None:
            return
        member = _member(final, origin, task, polishing.right(final, task))
        archive.offer(member)
        if not archive.lead(member) or member.right < NEARLY * task.points:
            return


def _member(
    candidate: Candidate, origin: Origin, task: Task, right: int = -1
) -> Member:
    """Return a polished network as a member."""
    loss = polishing.loss_of(candidate, task)
    return Member(candidate, mask_of(candidate), loss, origin, right)


def _finish(archive: Archive, now: Origin, random: Generator, task: Task) -> None:
    """Take the best weights of some leaders further."""
    waiting = [*archive.members()] if archive.basins else _unfinished(archive, task)
    for place in random.permutation(len(waiting))[:FINISHED]:
        chosen = waiting[place].candidate
        scored = polishing.right(chosen, task), chosen
        right, found = finish(scored, STEPS, random, task)
        start, steps, *_ = waiting[place].origin
        origin = now._replace(start=start, moves=steps + 1)
        member = _member(found, origin, task, right)
        archive.offer(member)
        archive.lead(member)


def _unfinished(archive: Archive, task: Task) -> list[Member]:
    """Return leaders that are better than all that are no larger."""
    ordered = sorted(
        archive.leaders.values(),
        key=lambda leader: (nnz_of(leader.candidate), -leader.right, leader.mask),
    )
    floor = task.chance + FLOOR * (1 - task.chance)
    found, best = [], ceil(floor * task.points) - 1
    for leader in ordered:
        if leader.right > best:
            best = leader.right
            found.append(leader)
    return [leader for leader in found if leader.right < task.points]


def _promising(archive: Archive, member: Member) -> bool:
    """Return whether a network may lead its niche at its size, once finely polished.

    Compared with the finely polished networks of its niche that are not larger.
    """
    _, second, third = shape_of(member.candidate)
    known = [
        other.loss
        for size, cell in archive.cells[second, third].items()
        for other in cell.values()
        if other.right >= 0 and size <= nnz_of(member.candidate)
    ]
    return not known or member.loss < MARGIN * min(known)
