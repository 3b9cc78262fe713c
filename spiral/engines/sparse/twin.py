"""Engine ``sparse-plain``: the kernel of plain loops, on request."""

from spiral.engines.sparse import SparseEngine, plain_kernel


def build(device: str) -> SparseEngine:
    """Return the engine; it has no device but the CPU."""
    return SparseEngine(loops=plain_kernel())
