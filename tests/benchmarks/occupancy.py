"""What engine ``sparse:cuda`` takes of a card, computed: ``python -m`` prints tables.

Registers are those that ``ptxas`` reports, shared memory is that of the layout. Steps
are counted by hand in the machine code of the training kernel for compute capability
9.0, disassembled with ``nvdisasm`` 13.5; they change with the kernel.
"""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spiral.engines.prices import STEPS
from spiral.engines.sparse.lists import Lists, build
from spiral.model import masks
from tests.engines.sparse_cuda import programs


class Card(NamedTuple):
    """A multiprocessor, and how many of them a card has at which clock."""

    name: str
    architecture: tuple[int, int]
    kilobytes: int
    """Shared memory of a multiprocessor."""
    multiprocessors: int
    gigahertz: float


CARDS = (
    Card("A100 (sm_80)", (8, 0), 164, 108, 1.41),
    Card("H100 SXM (sm_90)", (9, 0), 228, 132, 1.755),
)
SHAPES = {
    "3-3-3, 18 weights": ((3, 3, 3), 18),
    "3-3-3, all 27": ((3, 3, 3), None),
    "7-3-3, 30 weights": ((7, 3, 3), 30),
    "7-3-3, all 47": ((7, 3, 3), None),
    "8-8-8, all 152": ((8, 8, 8), None),
    "16-16-16, all 560": ((16, 16, 16), None),
}
"""Hidden units, and how many of their weights a random network keeps; units stay."""

REGISTERS, MOST_BLOCKS, RESERVED = 65_536, 32, 1024
"""Of a multiprocessor of both cards; bytes that the system takes for each block."""

SCHEDULERS = 4
"""Instructions that a multiprocessor issues in a cycle."""


class Steps(NamedTuple):
    """What a step of a network at batch 128 takes of a multiprocessor."""

    instructions: int
    """Of the warp."""
    wavefronts: int
    """Cycles in which shared memory serves a warp."""


def network(sizes: tuple[int, int, int], keep: int | None) -> Lists:
    """Return the lists of one network all of whose units reach the output."""
    width, random = max(sizes), np.random.default_rng(0)
    block = masks.block(width, np.array([sizes]))
    count = np.array([block.sum() if keep is None else keep])
    while True:
        scores = np.where(block, random.random(block.shape), -1)
        kept = masks.keep_top(scores, count)
        lists = build(masks.with_biases(kept, width), width)
        if lists.nodes[0] == 3 + sum(sizes):
            return lists


def steps(lists: Lists) -> Steps:
    """Count what a step executes; the last epoch, with its losses, takes more."""
    hidden, slots = int(lists.nodes[0]) - 3, len(lists.flat)
    edges = len(lists.out_row)
    full = (edges + hidden + 1) // 32
    passes = -(-slots // 32)
    instructions = INSTRUCTIONS + 92 * hidden + 50 * edges + 78 * full + 24 * passes
    wavefronts = 63 + 19 * hidden + 13 * edges + 34 * full + 5 * passes
    return Steps(instructions, wavefronts)


INSTRUCTIONS = 396
"""Of a step whatever the network: points, output, the last of the box, update."""


def resident(card: Card, lists: Lists, registers: int) -> int:
    """Return how many networks of one kind share a multiprocessor."""
    from spiral.engines.sparse_cuda import layout

    bytes_ = 4 * int(layout.words(lists)[0]) + RESERVED
    warps = REGISTERS // (-(-registers // 8) * 8 * 32)
    return min(MOST_BLOCKS, card.kilobytes * 1024 // bytes_, warps)


def resources() -> str:
    """Return a table of what the kernels take, by ``ptxas``."""
    lines = ["| kernel | " + " | ".join(c.name for c in CARDS) + " |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for name in programs.KERNELS:
            cells = []
            for card in CARDS:
                text = programs.ptx(name, card.architecture)
                found = programs.resources(text, card.architecture, Path(folder))
                cells.append(f"{found.registers}, {found.spilled} bytes spilled")
            lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def occupancy(registers: int = 64) -> str:
    """Return a table of shared memory, resident networks and speed."""
    from spiral.engines.sparse_cuda import layout

    names = " | ".join(f"resident on {c.name} | networks/s" for c in CARDS)
    head = f"| network | KiB | instructions | wavefronts | {names} |"
    lines = [head, "|---" * (head.count("|") - 1) + "|"]
    for name, shape in SHAPES.items():
        lists = network(*shape)
        taken = steps(lists)
        cycles = max(taken.instructions / SCHEDULERS, taken.wavefronts)
        size = 4 * int(layout.words(lists)[0])
        cells = [name, f"{size / 1024:.1f}", *map(str, taken)]
        for card in CARDS:
            rate = card.multiprocessors * card.gigahertz * 1e9 / cycles / STEPS
            cells += [str(resident(card, lists, registers)), f"{rate:,.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{resources()}\n\n{occupancy()}\n")
