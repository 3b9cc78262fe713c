"""The endgame: the last hundreds of wrong points of a network that is nearly right.

They lie beside the boundary and inside cliffs (see ``moves.narrow``), where an ordinary
move with its quick polish undoes more than it gains. Here moves are tiny, cliffs get
narrower, and the polish is sharp from the start. A pool of a few networks climbs by the
number of all points right.

From a network of 17 weights with 102 points wrong, 43 tries in 2.2 s of processor time
led to one with every point right; narrowing alone stopped at 66, polishing alone at 78.
"""

from numpy.random import Generator

from spiral.search import polish as polishing
from spiral.search.candidate import Candidate, copied
from spiral.search.evolve.moves import narrow
from spiral.search.evolve.unit_moves import EVERY
from spiral.search.polish import Stage, spaced, through
from spiral.tasks.task import Task

POOL = 6

SHARP: tuple[tuple[Stage, ...], ...] = (
    (),
    (Stage(4, (60.0, 200.0, 600.0), 100),),
    (Stage(16, (20.0, 60.0, 200.0), 150), Stage(1, (200.0, 600.0), 100)),
    (Stage(2, (20.0, 60.0, 200.0, 600.0), 100),),
    (Stage(8, (200.0, 600.0, 2000.0), 100),),
)
"""Polishes to choose from; none is one of them, as a narrowed cliff may be right at
once. Each of them made at least one step of the run above."""

Scored = tuple[int, Candidate]
"""A network after the number of all points it gets right."""


def finish(start: Scored, tries: int, random: Generator, task: Task) -> Scored:
    """Return the best network found by tiny steps, the start itself at worst.

    Args:
        start: A network with few points wrong.
        tries: Steps; it ends earlier when every point is right.
        random: The random stream.
        task: What the network is for.
    """
    pool = [start]
    for _ in range(tries):
        if pool[0][0] == task.points:
            break
        parent = pool[int(len(pool) * random.random() ** 2)][1]
        found = _step(parent, random, task)
        if found is not None:
            pool.append((polishing.right(found, task), found))
            pool = sorted(pool, key=lambda scored: -scored[0])[:POOL]
    return pool[0]


def _step(candidate: Candidate, random: Generator, task: Task) -> Candidate | None:
    """Shake a network, narrow a cliff of it, or both; then polish it sharply."""
    kind, seen = random.integers(3), spaced(task, EVERY)[0]
    shaken = candidate if kind == 0 else _shaken(candidate, random)
    found = shaken if kind == 1 else narrow(shaken, random, seen)
    if found is None:
        return None
    return through(SHARP[random.integers(len(SHARP))], found, task)


def _shaken(candidate: Candidate, random: Generator) -> Candidate:
    """Multiply all parameters by 1 ± noise of one size, 0.03 % to 10 %."""
    found, size = copied(candidate), 10 ** random.uniform(-3.5, -1.0)
    for layer in found:
        layer.weights[:] *= 1 + size * random.normal(size=layer.weights.shape)
        layer.biases[:] *= 1 + size * random.normal(size=len(layer.biases))
    return found
