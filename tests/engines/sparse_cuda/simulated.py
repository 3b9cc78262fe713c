"""Run the cases in the simulator, in a process of its own.

Writes the arrays of each case, the refusals of networks that do not fit, and the types
of what the kernels are launched with.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.engines import begin, make_job
from tests.engines.sparse_cuda.cases import CASES, Arrays

ROOT = Path(__file__).parents[3]


def run(folder: Path) -> None:
    """Run all cases in a process with the simulator."""
    env = os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}
    command = [sys.executable, "-m", __name__, str(folder)]
    ran = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def results(folder: Path, name: str) -> Arrays:
    """Return what a case yielded in the simulator."""
    return dict(np.load(folder / f"{name}.npz"))


def described(value: Any) -> Any:
    """Return the type of an argument, arrays as ``float32 2d``."""
    if isinstance(value, tuple):
        return [described(item) for item in value]
    if getattr(value, "ndim", 0):
        return f"{value.dtype} {value.ndim}d"
    return "int64" if isinstance(value, int) else str(value.dtype)


class Noting:
    """A kernel that notes the types of its arguments."""

    def __init__(self, kernel: Any, noted: dict[str, Any]) -> None:
        self.kernel, self.noted = kernel, noted

    def __getitem__(self, how: Any) -> Any:
        def launch(*args: Any) -> None:
            self.noted[self.kernel.__name__] = described(args)
            self.kernel[how](*args)

        return launch


def refusals(engine: Any) -> list[str]:
    """Return what is said of dense networks of width 32."""
    job, said = make_job((1, 2), width=32), []
    for act in (engine.advance, engine.evaluate):
        try:
            act(job, begin(job), *([1] if act == engine.advance else []))
        except Exception as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


def main(folder: Path) -> None:
    from spiral import engines
    from spiral.engines.sparse_cuda import kernel

    types: dict[str, Any] = {}
    for name in ("train", "evaluate", "gather"):
        setattr(kernel, name, Noting(getattr(kernel, name), types))
    engine = engines.build("sparse:cuda")
    for name, case in CASES.items():
        np.savez(folder / name, **case(engine))
    facts = {"name": engine.name, "types": types, "refusals": refusals(engine)}
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
