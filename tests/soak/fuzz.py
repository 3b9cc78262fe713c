"""Bad input: mutated grids, files and command lines, each answered in words.

Cases run in the process of a child, 250 a turn, each on a command line of its own. What
must hold of every one: an exit code the help names; no traceback; garbage never ends
with 0; a refused launch leaves no directory; what is refused takes at most 30 times the
processor time of a plan of the tiny grid and 500 MB (a sound grid may take what its
configs take).
"""

import io
import resource
import shutil
import sys
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from math import inf
from pathlib import Path
from random import Random

from spiral.methods.registry import METHODS
from tests.soak import mutants
from tests.soak.stage import Stage, check
from tests.soak.texts import Case

WANTED = 10_000
CASES = 250
TIMES = 30.0
BYTES = 500 * 2**20
CODES = {0, 1, 2, 3, 4}
MINUTES = 10.0
"""After which a turn counts as hanging, on a busy machine."""


def turn(
    stage: Stage, chance: Random, cases: int = CASES, measures: bool = True
) -> int:
    """Run cases in a child and read what it found, with or without time and memory."""
    seed = chance.getrandbits(64)
    sound = stage.folder / "sound"
    if not sound.exists():
        stage.finish(sound)
    report = stage.folder / "report"
    report.unlink(missing_ok=True)
    harm = partial(_work, str(stage.folder), seed, str(report), cases, measures)
    child = stage.start("--version", harm=harm)
    child.wait(60 * MINUTES)
    said = report.read_text() if report.exists() else ""
    check(said.startswith("done"), f"it died: {said[-3000:]}{child.said[-3000:]}")
    check(said == "done", said[:6000])
    return cases


def _work(folder: str, seed: int, report: str, cases: int, measures: bool) -> None:
    """Run the cases of a turn; the body of the child."""
    chance, room, wrong = Random(seed), Path(folder) / "room", []
    plan = ["plan", str(Path(folder) / "tiny.yaml")]
    run_words(plan)  # what is loaded once belongs to no case
    usual = _cost(plan)[2]
    most = (TIMES * usual, BYTES) if measures else (inf, inf)
    for number in range(cases):
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        Path(report).write_text(f"case {number} of seed {seed}")
        case = mutants.case(chance, room, Path(folder) / "sound")
        problem = run(case, *most)
        if problem:
            keep = Path(folder) / f"kept-{seed}-{number}"
            shutil.copytree(room, keep, dirs_exist_ok=True)
            wrong.append(f"case {number}, {case.words}: {problem}\ninput: {keep}")
    Path(report).write_text("\n".join(["done", *wrong]) if wrong else "done")


def _cost(words: list[str]) -> tuple[int, str, float, int]:
    """Run a command line; return code and output, processor time, bytes it grew by."""
    peak_reset()
    before, began = peak(), time.process_time()
    code, said = run_words(words)
    return code, said, time.process_time() - began, peak() - before


def run(case: Case, most_seconds: float, most_bytes: float) -> str:
    """Run one case and return what is wrong with the answer."""
    code, said, seconds, grown = _cost(case.words)
    if code not in CODES:
        return f"exit code {code}\n{said[-1500:]}"
    if "Traceback" in said:
        return f"a traceback\n{said[-1500:]}"
    if case.garbage and code == 0:
        return f"garbage was accepted\n{said[:500]}"
    if code and not said.strip():
        return "refused without a word"
    if code and case.absent is not None and case.absent.exists():
        return f"left {case.absent} behind\n{said[:500]}"
    if seconds > most_seconds and (code or case.garbage):
        return f"took {seconds:.1f} s\n{said[:300]}"
    if grown > most_bytes and (code or case.garbage):
        return f"took {grown >> 20} MB\n{said[:300]}"
    return ""


def run_words(words: list[str]) -> tuple[int, str]:
    """Run a command line here; a traceback is part of what it says."""
    from spiral.cli import main

    out, code = io.StringIO(), 0
    known, path = dict(METHODS), [*sys.path]
    try:
        with redirect_stdout(out), redirect_stderr(out):
            main(words, prog_name="spiral-sweep")
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1 if stop.code else 0
    except BaseException:
        return 1, out.getvalue() + traceback.format_exc()
    finally:  # a method of the case is not one of the next
        METHODS.clear()
        METHODS.update(known)
        sys.path[:] = path
    return code, out.getvalue()


def peak_reset() -> None:
    """Forget the highest memory use so far."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Return the highest memory use in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
