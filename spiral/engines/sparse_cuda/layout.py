"""Packs in the memory of a device, and what a network needs of a multiprocessor."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int, Int32, UInt32
from numba import cuda

from spiral.engines.sparse.lists import LANES
from spiral.engines.sparse.lists import Lists as Host
from spiral.engines.sparse_cuda.kernel import SLOT_BITS
from spiral.engines.sparse_cuda.rows import BOX
from spiral.errors import UnsupportedJob
from spiral.protocol.job import TrainJob, TrainState
from spiral.tasks.task import Task

MOST_BYTES = 48 * 1024
"""Shared memory of a block on every device; more would need a launch attribute that
differs between architectures."""

RESERVED = 1024
"""Bytes of shared memory that the system takes for each block."""

PER_MULTIPROCESSOR = 228 * 1024
"""Shared memory of a multiprocessor of compute capability 9.0. Only the sizes of
launches depend on it."""

MOST_BLOCKS = 32
"""Resident blocks of a multiprocessor."""


class Lists(NamedTuple):
    """The lists of a pack as kernels read them, on the device."""

    sizes: UInt32[Any, "N 6"]
    """Nodes, slots and edges of every network, and where they begin."""
    lists: tuple[UInt32[Any, " nodes"], UInt32[Any, " slots"], Any, Any]
    """First slots of nodes, sources of slots, first outgoing edges of nodes, outgoing
    edges."""


def words(lists: Host) -> Int[np.ndarray, " N"]:
    """Return the 4-byte words of shared memory that each network needs."""
    slots, edges = np.diff(lists.slot_at), np.diff(lists.edge_at)
    return lists.nodes * LANES + BOX + 4 * slots + edges + 2 * (lists.nodes + 1)


def check_fits(lists: Host) -> None:
    """Check that every network fits into shared memory.

    Raises:
        UnsupportedJob: One does not.
    """
    needed = 4 * int(words(lists).max())
    if needed > MOST_BYTES:
        n = int(words(lists).argmax())
        slots = int((lists.flat[lists.slot_at[n] : lists.slot_at[n + 1]] >= 0).sum())
        raise UnsupportedJob(
            f"engine sparse:cuda: expected networks that fit into {MOST_BYTES // 1024} "
            f"KiB of shared memory, got one with {int(lists.nodes[n]) - 3} live units "
            f"and {slots} parameters, which takes {-(-needed // 1024)} KiB; use "
            "--engine vmap:cuda"
        )


def residents(lists: Host) -> Int[np.ndarray, " N"]:
    """Return how many networks of each one's size share a multiprocessor."""
    fit = PER_MULTIPROCESSOR // (4 * words(lists) + RESERVED)
    return np.minimum(fit, MOST_BLOCKS)


def launches(lists: Host) -> Iterator[tuple[Int32[np.ndarray, " M"], int]]:
    """Yield networks to launch together, largest first, and the bytes of a block.

    All blocks of a launch take as much shared memory as the largest one, so only
    networks of which equally many share a multiprocessor go together.
    """
    size, together = words(lists), residents(lists)
    for count in np.unique(together):
        members = np.flatnonzero(together == count)
        members = members[np.argsort(-size[members], kind="stable")]
        yield members.astype(np.int32), 4 * int(size[members[0]])


def lists_to_device(lists: Host, stream: Any) -> Lists:
    """Copy the lists of a pack, in the words that kernels read."""
    ends = (lists.node_at, lists.slot_at, lists.edge_at)
    counts = lists.nodes, *(np.diff(end) for end in ends[1:])
    sizes = np.stack([*counts, *(end[:-1] for end in ends)], axis=1)
    out = (lists.out_row * LANES << SLOT_BITS) | lists.out_slot
    each = (lists.first, lists.source * LANES, lists.out_first, out)
    return Lists(
        cuda.to_device(sizes.astype(np.uint32), stream),
        tuple(cuda.to_device(_some(v), stream) for v in each),
    )


def _some(values: np.ndarray) -> UInt32[np.ndarray, " size"]:
    """Return unsigned words; at least one, as a device allocates no empty array."""
    return np.resize(values, max(1, len(values))).astype(np.uint32)


def points_to_device(task: Task, stream: Any) -> tuple[Any, Any, Any]:
    """Copy the coordinates and labels of all points."""
    each = (*task.x.T, task.y)
    x0, x1, y = (np.ascontiguousarray(v, np.float32) for v in each)
    return tuple(cuda.to_device(v, stream) for v in (x0, x1, y))


def distinct_rates(
    job: TrainJob, state: TrainState, start: int, stop: int
) -> tuple[Float32[np.ndarray, "S R"], Int[np.ndarray, " N"]]:
    """Return the different curves of learning rates, and which one a network has."""
    scale = np.ones(job.networks) if state.lr_scale is None else state.lr_scale
    settings = zip(job.schedule, job.lr, scale, strict=True)
    numbers: dict[tuple[str, float, float], int] = {}
    which = np.array([numbers.setdefault(found, len(numbers)) for found in settings])
    some = np.unique(which, return_index=True)[1]
    return job.take(some).rates(state.take(some), start, stop), which
