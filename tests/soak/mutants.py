"""Bad inputs, drawn from all kinds."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.soak.binaries import checkpoints, frontiers, results
from tests.soak.sources import method_files
from tests.soak.texts import (
    Case,
    absurd_values,
    broken_text,
    command_lines,
    hopeless,
    overrides,
)

KINDS: tuple[tuple[Callable[[Random, Path, Path], Case], int], ...] = (
    (broken_text, 25),
    (absurd_values, 20),
    (hopeless, 8),
    (overrides, 10),
    (results, 8),
    (checkpoints, 9),
    (frontiers, 6),
    (command_lines, 14),
    (method_files, 10),
)


def case(chance: Random, room: Path, sound: Path) -> Case:
    """Draw one case; its files lie in ``room``."""
    make = chance.choices([c for c, _ in KINDS], [w for _, w in KINDS])[0]
    return make(chance, room, sound)
