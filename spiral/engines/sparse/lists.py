"""Convert masks to edge lists: the ragged layout that the kernels walk.

The nodes of a network are in reverse topological order: the output, then the units of
hidden layers 3, 2, 1 that reach it, then input 1, input 0. Parameters are *slots*: a
block per node, its bias and then one slot per incoming edge; after the blocks come kept
parameters that cannot reach the output (their gradient is zero, but they decay). Slots
are padded to a multiple of 16 per network, the vector of the optimiser step. Kernels
have no notion of layers and widths, so units that are masked completely cost nothing.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from spiral.engines.compiled import njit
from spiral.model import mlp

LANES = 128
"""Floats of one row of activations: a batch, or a part of one."""

WIDE = 8_000
"""Slots from which on networks train in ``wide``."""

LEAST_UNITS = 64
"""Units on both sides of a layer from which on it may be a product of matrices."""

DENSE = 0.6
"""Share of its weights from which on such a layer is faster with all of them. Only
speed depends on it: a weight of 0 changes no sum."""


class Lists(NamedTuple):
    """Edge lists of a pack; all arrays concatenated over networks.

    ``nodes[n]`` counts a network's nodes; ``node_at``, ``slot_at`` and ``edge_at``
    [N+1] are where its parts begin.
    """

    nodes: Int[np.ndarray, " N"]
    node_at: Int[np.ndarray, " N1"]
    slot_at: Int[np.ndarray, " N1"]
    edge_at: Int[np.ndarray, " N1"]
    first: Int[np.ndarray, " nodes"]
    """First slot of each node's block, and the end; nodes + 1 entries a network."""
    source: Int[np.ndarray, " slots"]
    """The node from which a slot's edge comes (unused for biases)."""
    out_first: Int[np.ndarray, " nodes"]
    """First outgoing edge of each node, and the end."""
    out_row: Int[np.ndarray, " edges"]
    """The node to which an outgoing edge goes."""
    out_slot: Int[np.ndarray, " edges"]
    """The slot of an outgoing edge."""
    layers: Int[np.ndarray, "N 6"]
    """The first node of each layer, from the output to the inputs, and the end."""
    flat: Int[np.ndarray, " slots"]
    """Which of the P parameters a slot is; -1 for padding."""


def fill(masks: Bool[np.ndarray, "N P"], width: int) -> Bool[np.ndarray, "N P"]:
    """Add the masked weights between live units to layers that keep most of them."""
    if width < LEAST_UNITS:
        return masks
    filled = masks.copy()
    _fill_layers(filled.view(np.uint8), width, _starts(width))
    return filled


def _starts(width: int) -> Int[np.ndarray, "4 2"]:
    """Return where the weights and the biases of each layer begin."""
    stack = mlp.layers(width)
    return np.array([(x.weights.start, x.biases.start) for x in stack], np.int64)


def build(masks: Bool[np.ndarray, "N P"], width: int) -> Lists:
    """Return the edge lists of a pack (about 5 µs per small network)."""
    kept = np.ascontiguousarray(masks).view(np.uint8)
    starts = _starts(width)
    counts = _count(kept, width, starts)
    # In one memory layout, also in a pack of one: kernels are compiled for it
    nodes, slots, edges = counts.T.copy()
    ends = [np.concatenate([[0], np.cumsum(c)]) for c in (nodes + 1, slots, edges)]
    node_at, slot_at, edge_at = ends
    lists = Lists(
        nodes=nodes,
        node_at=node_at,
        slot_at=slot_at,
        edge_at=edge_at,
        first=np.zeros(node_at[-1], np.int32),
        source=np.zeros(slot_at[-1], np.int32),
        out_first=np.zeros(node_at[-1], np.int32),
        out_row=np.zeros(edge_at[-1], np.int32),
        out_slot=np.zeros(edge_at[-1], np.int32),
        layers=np.zeros((len(kept), 6), np.int64),
        flat=np.full(slot_at[-1], -1, np.int32),
    )
    _fill(kept, width, starts, *lists[1:])
    return lists


@njit(cache=True)
def _mark_live(kept, width, starts, live):
    """Mark the hidden units [3, w] with a path to the output."""
    # A unit without inputs is live, too: it is constant, but its bias reaches the
    # output
    live[:] = 0
    for j in range(width):
        live[2, j] = kept[starts[3, 0] + j]
    for layer in (2, 1):
        for j in range(width):
            if live[layer, j]:
                for i in range(width):
                    if kept[starts[layer, 0] + j * width + i]:
                        live[layer - 1, i] = 1


@njit(cache=True)
def _fill_layers(kept, width, starts):
    """Add masked weights to the dense layers of every network."""
    live = np.zeros((3, width), np.uint8)
    for n in range(len(kept)):
        _mark_live(kept[n], width, starts, live)
        for layer in (1, 2):
            start = starts[layer, 0]
            count = units = inputs = 0
            for j in range(width):
                units += live[layer, j]
                inputs += live[layer - 1, j]
                if live[layer, j]:
                    for i in range(width):
                        count += kept[n, start + j * width + i]
            small = min(units, inputs) < LEAST_UNITS
            if small or count < DENSE * units * inputs:
                continue
            for j in range(width):
                if live[layer, j]:
                    for i in range(width):
                        kept[n, start + j * width + i] |= live[layer - 1, i]


@njit(cache=True)
def _count(kept, width, starts):
    """Return nodes, slots (padded) and edges of every network."""
    networks, size = kept.shape
    counts = np.zeros((networks, 3), np.int64)
    live = np.zeros((3, width), np.uint8)
    for n in range(networks):
        _mark_live(kept[n], width, starts, live)
        # Every kept parameter is a slot, and so is a masked bias of a live node: a
        # block always starts with one
        slots = edges = 0
        for p in range(size):
            slots += kept[n, p]
        nodes = 3
        for layer in range(4):
            inputs = 2 if layer == 0 else width
            for j in range(1 if layer == 3 else width):
                if layer == 3 or live[layer, j]:
                    nodes += layer < 3
                    slots += 1 - kept[n, starts[layer, 1] + j]  # a masked bias
                    for i in range(inputs):
                        edges += kept[n, starts[layer, 0] + j * inputs + i]
        counts[n, 0] = nodes
        counts[n, 1] = (slots + 15) // 16 * 16
        counts[n, 2] = edges
    return counts


@njit(cache=True)
def _fill(
    kept,
    width,
    starts,
    node_at,
    slot_at,
    edge_at,
    first,
    source,
    out_first,
    out_row,
    out_slot,
    layers,
    flat,
):
    """Write the lists of every network."""
    networks, size = kept.shape
    live = np.zeros((3, width), np.uint8)
    node = np.zeros((4, max(width, 2)), np.int64)  # of layer l's inputs: node[l, i]
    degree = np.zeros(3 * width + 3, np.int64)
    placed = np.zeros(size, np.uint8)
    for n in range(networks):
        _mark_live(kept[n], width, starts, live)
        placed[:] = 0
        count = _number(live, width, node, layers[n])
        first_n, out_n = first[node_at[n] :], out_first[node_at[n] :]
        source_n, flat_n = source[slot_at[n] :], flat[slot_at[n] :]
        row_n, edge_slot_n = out_row[edge_at[n] :], out_slot[edge_at[n] :]
        blocks = _blocks(kept[n], live, starts, node, first_n, source_n, flat_n, placed)
        slot = first_n[blocks]
        first_n[blocks : count + 1] = slot
        _outgoing(blocks, count, first_n, source_n, degree, out_n, row_n, edge_slot_n)
        for p in range(size):
            if kept[n, p] and not placed[p]:
                flat_n[slot] = p
                slot += 1


@njit(cache=True)
def _blocks(kept, live, starts, node, first, source, flat, placed):
    """Write the blocks of the output and of live units, and return their number."""
    width = live.shape[1]
    slot = here = 0
    for layer in (3, 2, 1, 0):
        inputs = 2 if layer == 0 else width
        for j in range(1 if layer == 3 else width):
            if layer < 3 and not live[layer, j]:
                continue
            first[here] = slot
            bias = starts[layer, 1] + j
            flat[slot] = bias
            placed[bias] = 1
            slot += 1
            for i in range(inputs):
                weight = starts[layer, 0] + j * inputs + i
                if kept[weight]:
                    flat[slot] = weight
                    placed[weight] = 1
                    source[slot] = node[layer, i]
                    slot += 1
            here += 1
    first[here] = slot
    return here


@njit(cache=True)
def _outgoing(blocks, count, first, source, degree, out_first, out_row, out_slot):
    """Write the outgoing edges of all nodes, by counting sort."""
    degree[:count] = 0
    for q in range(blocks):
        for s in range(first[q] + 1, first[q + 1]):
            degree[source[s]] += 1
    # Degrees become starts, then write positions
    out_first[0] = 0
    for q in range(count):
        out_first[q + 1] = out_first[q] + degree[q]
        degree[q] = out_first[q]
    for q in range(blocks):
        for s in range(first[q] + 1, first[q + 1]):
            origin = source[s]
            out_row[degree[origin]] = q
            out_slot[degree[origin]] = s
            degree[origin] += 1


@njit(cache=True)
def _number(live, width, node, begin):
    """Number the nodes, and return how many there are.

    ``node[l, i]`` becomes the node of input i of layer l, and ``begin`` the first node
    of each layer.
    """
    number = begin[1] = 1
    for layer in (3, 2, 1):
        for i in range(width):
            if live[layer - 1, i]:
                node[layer, i] = number
                number += 1
        begin[5 - layer] = number
    node[0, 1] = number
    node[0, 0] = number + 1
    begin[5] = number + 2
    return number + 2
