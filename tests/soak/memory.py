"""Workers without memory: the allocator refuses, or the system kills them."""

import resource
from dataclasses import dataclass
from pathlib import Path
from random import Random

from spiral import experiment
from tests.soak.stage import Stage, check, check_message

WANTED = 10
HEADROOM = 64 * 2**20


@dataclass(frozen=True)
class Leak:
    """Lets a pack of every so many take memory without end; call it to begin."""

    every: int

    def __call__(self) -> None:
        """Wrap the training of a pack, and bound the process."""
        real, count = experiment.run, [0]

        def run(configs: object, on_progress: object) -> object:
            count[0] += 1
            hoard: list[bytearray] = []
            while count[0] % self.every == 0:
                hoard.append(bytearray(2**20))
            return real(configs, on_progress)  # type: ignore[arg-type]

        experiment.run = run  # type: ignore[assignment]
        used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used + HEADROOM, used + HEADROOM))


def turn(stage: Stage, chance: Random) -> int:
    """Launch while some packs run out of memory; launch again."""
    out = stage.fresh("out")
    child = stage.launch(out, harm=Leak(chance.randint(3, 6)))
    code = child.wait()
    check(code in (0, 3), f"exit code {code}: {child.said}")  # 0: a retry had room
    if code:
        check_message(child.said, "emory")
    stage.check(out)
    stage.finish(out)
    return 1
