"""The paper's 485,838 configs, with packs that train in no time."""

import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pyarrow as pa

from spiral import experiment
from spiral.methods.registry import options
from spiral.model import mlp
from spiral.results import columns
from spiral.sweep import local
from spiral.sweep.grid import shipped
from spiral.sweep.work import Tell
from spiral.sweep.worker import Site
from tests.soak.stage import Stage, check

WANTED = 1
STATUS_SECONDS = 1.0
RESUME_SECONDS = 10.0
GROWTH = 100 * 2**20
MORE = """
  rest: {method: random, width: 3, keep: 10..15, seed: 1..2687}
"""
"""As many configs as the paper's other two grids have."""

CONFIGS = 485_838


def turn(stage: Stage, chance: Random) -> int:
    """Launch, look and resume; note what it takes."""
    grid, out, ledger = (
        stage.folder / "all.yaml",
        stage.fresh("out"),
        stage.fresh("ram"),
    )
    grid.write_text((shipped.folder() / "paper/random_init.yaml").read_text() + MORE)
    words = ["launch", str(grid), "--out", str(out), "--executor", "local"]
    words += ["--workers", "1"]
    child = stage.start(*words, harm=Instant(str(ledger)))
    check(child.wait(900) == 0, child.said)
    memory = [*map(int, ledger.read_text().split())]
    grown = memory[-1] - memory[len(memory) // 10]
    looked, said = timed("status", str(out))
    check(f"{CONFIGS:,} of {CONFIGS:,} done" in said, said)
    resumed, said = timed(*words)
    check("trained 0 configs" in said, said)
    stage.notes |= {
        "scale: packs": len(memory),
        "scale: driver grew by MB": round(grown / 2**20, 1),
        "scale: status, s of CPU": round(looked, 2),
        "scale: resume, s of CPU": round(resumed, 2),
    }
    check(grown < GROWTH, f"the driver grew by {grown:,} bytes")
    check(looked < STATUS_SECONDS, f"status took {looked:.2f} s")
    check(resumed < RESUME_SECONDS, f"to resume took {resumed:.2f} s")
    return 1


def timed(*words: str) -> tuple[float, str]:
    """Return CPU seconds and output of a command line in an interpreter of its own."""
    code = "from spiral.cli import main; main()"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    check(ran.returncode == 0, ran.stderr)
    user = after.ru_utime - before.ru_utime
    return user + after.ru_stime - before.ru_stime, ran.stdout


def synthetic(configs: pd.DataFrame, on_progress: object = None) -> pa.Table:
    """Return rows for configs, as of networks that keep 12 weights; no training."""
    count = len(configs)
    size = mlp.param_count(int(configs["width"].iloc[0]))
    mask = np.packbits(np.arange(size) < 12).tobytes()
    values = {
        "status": ["ok"] * count,
        "connected": [True] * count,
        "mask": [mask] * count,
        "weights": [np.full(12, 0.5, np.float32)] * count,
        "engine_used": ["none"] * count,
    }
    kinds = {name: result.type for name, result in columns.RESULTS.items()}
    for name, kind in kinds.items():
        zero = 0.5 if pa.types.is_floating(kind) else 12
        values.setdefault(name, [zero] * count)
    return columns.assemble(configs, values, options())


@dataclass(frozen=True)
class Instant:
    """Lets packs train in no time, and notes memory; call it to begin."""

    path: str

    def __call__(self) -> None:
        """Replace the training of a pack."""
        experiment.run = synthetic
        real = local.attempt

        def attempt(site: Site, pack: str, tell: Tell) -> object:
            outcome = real(site, pack, tell)
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            with Path(self.path).open("a") as file:
                file.write(f"{pages * 4096}\n")
            return outcome

        local.attempt = attempt  # type: ignore[assignment]
