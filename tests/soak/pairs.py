"""Two or three launches into one directory at once; some are killed; some look on."""

import signal
from random import Random

from tests.soak.kills import send
from tests.soak.stage import Stage, check

WANTED = 50


def turn(stage: Stage, chance: Random) -> int:
    """Start several launches of one grid at once, and status beside them."""
    out = stage.fresh("out")
    ways = ([], ["--shard", "0/2"], ["--shard", "1/2"], ["--limit", "5"])
    crowd = []
    for _ in range(chance.randint(2, 3)):
        crowd.append(stage.launch(out, *chance.choice(ways)))
        crowd[-1].process.join(chance.uniform(0, stage.seconds / 2))
    victim = chance.choice([*crowd, None, None])
    if victim is not None:
        send(victim.process.pid, signal.SIGKILL)
    look = stage.start("status", out)
    check(look.wait() in (0, 1), look.said)
    for child in crowd:
        expected = (0, -9) if child is victim else (0,)
        code = child.wait()
        check(code in expected, f"exit code {code}: {child.said}")
    stage.finish(out)
    return 1
