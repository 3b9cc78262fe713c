"""What a machine with a GPU is to find out: ``make gpu``, some minutes on one card."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import torch

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
KEPT = 20_000
"""Characters kept of what a step prints, the last ones."""

CASES = ("3-3-3", "16-16-16", "3-3-3 keep 18", "16-16-16 keep 30")


class Step(NamedTuple):
    """A command, and the seconds it may take."""

    name: str
    seconds: float
    command: Sequence[str]


def steps(folder: Path, scratch: Path) -> list[Step]:
    """Return what is done on a card; together they take under eight minutes.

    Args:
        folder: For the figures, which are to be committed.
        scratch: For rows.
    """
    python = sys.executable
    tests = [python, "-m", "pytest", "-q", "-m", "gpu", "tests/engines"]
    workers = ["-n", "4", "--dist", "loadfile"] if find_spec("xdist") else []
    launch = [python, "-m", "spiral", "launch", str(HERE / "slice.yaml")]
    launch += ["--executor", "local", "--workers", "1"]
    card, host = str(scratch / "cuda"), str(scratch / "cpu")
    cases = [word for case in CASES for word in ("--case", case)]
    bench = [python, "-m", "spiral", "bench", "--device", "cuda", *cases]
    compare = [python, "-m", "tests.gpu.compare", card, host]
    profile = [python, "-m", "tests.gpu.profile"]
    return [
        Step("laws", 170, [*tests, *workers]),
        Step("slice-cuda", 120, [*launch, "--engine", "vmap:cuda", "--out", card]),
        Step("slice-cpu", 45, [*launch, "--engine", "auto", "--out", host]),
        Step("compare", 15, [*compare, str(folder / "slice.json")]),
        Step("bench", 90, [*bench, "-o", str(folder / "bench.json")]),
        Step("profile", 35, [*profile, str(folder / "profile.json")]),
    ]


def run(
    todo: Sequence[Step], folder: Path, show: Callable[[str], None]
) -> dict[str, dict[str, object]]:
    """Run every step, whatever became of those before; record it in the folder.

    Returns:
        For each step its outcome (``passed``, ``failed`` or ``over time``), seconds and
        command.
    """
    found: dict[str, dict[str, object]] = {}
    for step in todo:
        began = time.monotonic()
        outcome, text = _tried(step)
        (folder / f"{step.name}.log").write_text(text[-KEPT:])
        taken = round(time.monotonic() - began, 1)
        found[step.name] = {"outcome": outcome, "seconds": taken}
        found[step.name]["command"] = ["python", *step.command[1:]]
        (folder / "outcomes.json").write_text(json.dumps(found, indent=1) + "\n")
        show(f"{step.name:<12}{outcome:<10}{taken:>7} s")
    return found


def _tried(step: Step) -> tuple[str, str]:
    """Run one step; return what became of it and what it printed."""
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        done = subprocess.run(
            step.command, check=False, cwd=ROOT, timeout=step.seconds, **both
        )
    except subprocess.TimeoutExpired as error:
        return "over time", (error.stdout or b"").decode(errors="replace")
    outcome = "passed" if done.returncode == 0 else "failed"
    return outcome, done.stdout.decode(errors="replace")


def folder_of(card: str) -> Path:
    """Return the folder for the figures of a card."""
    words = "".join(c if c.isalnum() else " " for c in card.lower()).split()
    return ROOT / "benchmarks" / "gpu" / "-".join(words)


def card() -> str | None:
    """Return the name of the GPU; None if there is none."""
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
