"""The processor: what it is called, and which instructions compiled code may use."""

import os
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path

SETS = {
    "avx512f": "AVX-512",
    "avx2": "AVX2",
    "avx": "AVX",
    "sse2": "SSE2",
    "neon": "NEON",
}
"""LLVM's names of vector instructions, widest first, and how people call them."""


@cache
def facts() -> dict[str, str]:
    """Return what the system says about the first processor; empty if it does not."""
    found: dict[str, str] = {}
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            found.setdefault(name.strip(), value.strip())
    return found


def name() -> str:
    """Return the model name of the processor."""
    return facts().get("model name") or platform.processor() or "unknown"


def instructions() -> str:
    """Return the widest vector instructions that compiled code uses, as ``AVX2``.

    Those of this processor, unless ``NUMBA_CPU_FEATURES`` (as ``+avx2,+fma``) names
    others to compile for.
    """
    usable = _features()
    return next((told for name, told in SETS.items() if name in usable), "none")


def _features() -> set[str]:
    """Return LLVM's names of the features that code is compiled for."""
    forced = os.environ.get("NUMBA_CPU_FEATURES")
    if forced is not None:
        return {name[1:] for name in forced.split(",") if name.startswith("+")}
    from llvmlite import binding

    return {name for name, usable in binding.get_host_cpu_features().items() if usable}
