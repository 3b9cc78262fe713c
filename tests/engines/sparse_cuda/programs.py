"""The kernels compiled without a card: PTX, and what ``ptxas`` says of it."""

import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

KERNELS = ("train", "evaluate", "gather")


class Resources(NamedTuple):
    """What a kernel takes of a multiprocessor."""

    registers: int
    """Of each thread."""
    spilled: int
    """Bytes that did not fit into registers."""


def signatures() -> dict[str, tuple[Any, ...]]:
    """Return the types of the arguments of each kernel."""
    from numba.cuda import types as t

    def array(kind: Any, axes: int = 1) -> Any:
        return t.Array(kind, axes, "C")

    real, words = array(t.float32), array(t.uint32)
    three, lists = t.UniTuple(real, 3), t.UniTuple(words, 4)
    common = (array(t.int32), array(t.uint32, 2), lists)
    numbers = array(t.float32, 2)
    how = t.Tuple((t.int64, t.float32, t.float32, t.float32, t.int64))
    train = (
        t.Tuple((real, real, real, array(t.float64))),
        t.Tuple((numbers, numbers, array(t.int32, 2), t.int64)),
        t.Tuple((three, how)),
        t.int64,
    )
    return {
        "train": (*common, *train),
        "evaluate": (*common, real, three, array(t.float64, 3)),
        "gather": (array(t.int32), three, three),
    }


def described(kind: Any) -> Any:
    """Return a type as ``simulated.described`` does."""
    if hasattr(kind, "types"):
        return [described(item) for item in kind.types]
    return f"{kind.dtype} {kind.ndim}d" if hasattr(kind, "ndim") else str(kind)


def ptx(name: str, architecture: tuple[int, int]) -> str:
    """Return the PTX of a kernel for a compute capability."""
    from numba import cuda

    from spiral.engines.sparse_cuda import kernel

    function = getattr(kernel, name).py_func
    text, _ = cuda.compile_ptx(function, signatures()[name], cc=architecture)
    return text


def resources(text: str, architecture: tuple[int, int], folder: Path) -> Resources:
    """Assemble PTX and return what it takes.

    Raises:
        RuntimeError: ``ptxas`` refuses it, as one does that is older than the PTX.
    """
    source, target = folder / "kernel.ptx", "sm_{}{}".format(*architecture)
    source.write_text(text)
    command = ["ptxas", "-v", f"-arch={target}", source, "-o", folder / "kernel.cubin"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    (registers,) = re.findall(r"Used (\d+) registers", ran.stderr)
    spilled = re.findall(r"(\d+) bytes spill (?:stores|loads)", ran.stderr)
    return Resources(int(registers), sum(map(int, spilled)))
