"""A network in shared memory, and its forward pass.

Shared memory is one array of words, ``f`` as float32 and ``u`` as uint32. ``at`` are
the places of its parts: the box (``kernel``), parameters, velocity, gradients, sources
of slots, outgoing edges, first slots and first outgoing edges of nodes; rows of 128
activations come first. ``t`` is the number of the thread: the simulator answers
``cuda.threadIdx`` in the module of the kernel alone.
"""

import numpy as np
from numba import cuda

from spiral.engines.sparse.lists import LANES
from spiral.engines.sparse_cuda.points import ZERO, relu

THREADS = 32
"""Threads of a block: a warp."""

PITCH = THREADS + 1
"""Words of a row of the box: odd, so that a column lies in 32 banks."""

BOX = THREADS * PITCH


@cuda.jit(device=True, inline="always")
def places(nodes, slots, edges):
    """Return where the parts of a network begin in shared memory."""
    box = np.uint32(nodes * LANES)
    params = np.uint32(box + BOX)
    velocity = np.uint32(params + slots)
    gradients = np.uint32(velocity + slots)
    source = np.uint32(gradients + slots)
    out = np.uint32(source + slots)
    first = np.uint32(out + edges)
    end = np.uint32(first + nodes + 1)
    return box, params, velocity, gradients, source, out, first, end


@cuda.jit(device=True, inline="always")
def load(n, t, sizes, lists, params, f, u):
    """Copy the weights and lists of network ``n`` into shared memory."""
    nodes, slots, edges = sizes[n, 0], sizes[n, 1], sizes[n, 2]
    node_at, slot_at, edge_at = sizes[n, 3], sizes[n, 4], sizes[n, 5]
    at = places(nodes, slots, edges)
    first, source, out_first, out = lists
    for s in range(t, slots, THREADS):
        f[at[1] + s] = params[slot_at + s]
        f[at[3] + s] = ZERO
        u[at[4] + s] = source[slot_at + s]
    for e in range(t, edges, THREADS):
        u[at[5] + e] = out[edge_at + e]
    for q in range(t, nodes + 1, THREADS):
        u[at[6] + q] = first[node_at + q]
        u[at[7] + q] = out_first[node_at + q]
    return nodes, slots, slot_at, at


@cuda.jit(device=True, inline="always")
def enter(points, at, inside, f, row, below):
    """Write a point into the rows of the inputs, and return its label.

    Outside of the batch, points are 0.
    """
    x0, x1, label = points
    if inside:
        f[row] = x0[at]
        f[below] = x1[at]
        return label[at]
    f[row] = ZERO
    f[below] = ZERO
    return ZERO


@cuda.jit(device=True, inline="always")
def pull(q, t, at, f, u):
    """Return the bias of a node plus its weighted inputs, for this thread's points."""
    s, end = u[at[6] + q], u[at[6] + q + 1]
    a = b = c = d = f[at[1] + s]
    s = np.uint32(s + 1)
    while s < end:
        row, w = u[at[4] + s] + t, f[at[1] + s]
        a += w * f[row]
        b += w * f[row + 32]
        c += w * f[row + 64]
        d += w * f[row + 96]
        s = np.uint32(s + 1)
    return a, b, c, d


@cuda.jit(device=True, inline="always")
def forward(nodes, t, at, f, u):
    """Fill the rows of the hidden nodes and return the logits."""
    q = np.uint32(nodes - 3)
    while q > 0:
        a, b, c, d = pull(q, t, at, f, u)
        row = np.uint32(q * LANES + t)
        f[row] = relu(a)
        f[row + 32] = relu(b)
        f[row + 64] = relu(c)
        f[row + 96] = relu(d)
        q = np.uint32(q - 1)
    return pull(q, t, at, f, u)


@cuda.jit(device=True, inline="always")
def row_sum(f, row):
    """Return the sum of the 32 words of a row of the box, in four chains."""
    a, b, c, d = f[row], f[row + 1], f[row + 2], f[row + 3]
    for i in range(4, THREADS, 4):
        a += f[row + i]
        b += f[row + i + 1]
        c += f[row + i + 2]
        d += f[row + i + 3]
    return (a + b) + (c + d)
