"""Bad input that is code: files that `--method` names.

Only what a typist might do to a sound file, and a list of worse: no case may do harm
when it runs.
"""

from pathlib import Path
from random import Random

from tests.soak.texts import Case

SOUND = '''"""A pruner of one's own."""

import numpy as np

from spiral import masks
from spiral.protocol.config import Options
from spiral.protocol.job import Change, Plan


class Mine:
    """Largest initial weights."""

    class Options(Options):
        power: float = 1.0

    def __init__(self, power):
        self.power = power

    def plan(self, budget):
        return Plan.simple(budget, 0)

    def start(self, view):
        return None

    def act(self, view, state):
        scores = np.abs(masks.of_weights(view.params, view.width)) ** self.power
        kept = masks.keep_top(scores, view.keep)
        return Change(masks=masks.with_biases(kept, view.width)), state
'''
WORSE = (
    *(b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbfclass Mine: pass", b"import nothing_here"),
    *(b"raise SystemExit(0)", b"raise SystemExit('bye')"),
    *(b"raise BaseException('odd')", b"raise ExceptionGroup('e', [ValueError()])"),
    *(b"def f(): return f()\nf()", b"(" * 500, b"-" * 100_000 + b"1", b"x = " * 9999),
    *(b"Mine = 3", b"Mine = None", b"Mine = lambda: 1", b"def Mine(): pass"),
    *(b"class Mine: plan = start = act = 3", b"class Mine:\n __slots__ = 1"),
    *(b"class Mine(type): pass", b"from spiral.protocol.job import Method as Mine"),
    b"import spiral as Mine",
    b"class Mine:\n def __getattr__(self, name): raise OSError(name)",
    b"# -*- coding: nonsense -*-\nclass Mine: pass",
)
TAIL = (
    *("Mine.Options = 3", "Mine.plan = 3", "Mine.start = None", "del Mine", "Mine()"),
    *("Mine.__init__ = None", "Mine.act = lambda *_: None", "Mine.plan = lambda *_: 3"),
    *("Mine.plan = lambda *_: Plan.simple(None, 0)", "Mine = Mine(2)"),
    *("Mine.act = lambda *_: 1 / 0", "Mine.start = lambda *_: exit(0)"),
    *("Mine.plan = lambda *_: exit(0)", "Mine.act = lambda *_: exit(0)"),
    "Mine.plan = lambda self, b: Plan.simple(b, -5)",
    "Mine.plan = lambda self, b: Plan.simple(b, 10 ** 30)",
)
"""Lines after which the sound class is no method."""

ODD = (
    *("Mine.__doc__ = 3", "Mine.__doc__ = '  '", "Mine.__name__ = '../../out'"),
    *("Mine.Options.power = 'x'", "Mine.__name__ = 'a' * 5000", "Mine.__name__ = ''"),
)
"""Lines that leave it one, perhaps."""


def method_files(chance: Random, room: Path, sound: Path) -> Case:
    """Train a tiny grid with a file that is mostly no method."""
    file, grid, out = room / "own.py", room / "g.yaml", room / "out"
    grid.write_text("{method: random, keep: 12, width: 3, epochs: 1, seed: 0..1}")
    kind = chance.choice(["worse", "tail", "odd", "typed", "typed"])
    if kind == "worse":
        file.write_bytes(chance.choice(WORSE))
    elif kind == "typed":
        file.write_text(_typed(chance))
    else:
        tail = chance.choice(TAIL if kind == "tail" else ODD)
        file.write_text("\n".join([SOUND, tail]))
    name = chance.choice(["Mine"] * 8 + ["", "Yours", "Mine.act", "é", "__doc__"])
    words = ["launch", str(grid), "--method", f"{file}:{name}", "--out", str(out)]
    garbage = kind in ("worse", "tail") or name != "Mine"
    return Case([*words, "--executor", "local", "--workers", "1"], garbage)


def _typed(chance: Random) -> str:
    """Return the sound file with some slips: lines, words or signs go astray."""
    lines = SOUND.split("\n")
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(lines))
        slip = chance.choice(["drop", "repeat", "exchange", "indent", "word", "sign"])
        line = lines[place]
        words = line.split(" ")
        if slip == "drop":
            lines[place] = ""
        elif slip == "repeat":
            lines.insert(place, line)
        elif slip == "exchange":
            other = chance.randrange(len(lines))
            lines[place], lines[other] = lines[other], line
        elif slip == "indent":
            lines[place] = "  " + line
        elif slip == "word":
            words[chance.randrange(len(words))] = chance.choice(
                ["self", "None", "0", "-1"]
            )
            lines[place] = " ".join(words)
        elif line:
            at = chance.randrange(len(line))
            lines[place] = line[:at] + chance.choice("()[]:.,=x0") + line[at + 1 :]
    return "\n".join(lines)
