"""The kernels: one network per block, a block of one warp, four points per thread.

Everything that a network needs for a piece of an epoch lies in the shared memory of its
block (``layout.words``): a row of 128 activations per node, its slots (weights and
biases in the order of ``sparse.lists``), their velocity and gradients, and the lists.
Thread t computes points t, t + 32, t + 64 and t + 96 of each row and no others, so
passes need no barrier. One warp, and not four with a point per thread: a weight and its
place are loaded once for 128 points, and loads from shared memory are what a step waits
for (``benchmarks/sparse_cuda.md``).

Gradients are sums over points, which lie in different threads. Each thread adds up its
own four and writes the sum into a box of 32 rows, one per slot, each a word longer
than a warp. When 32 rows are full, thread t adds up row t: neither direction has a
conflict of memory banks, and the box stays small for networks of any size. Then each
thread takes the step of every 32nd slot, as ``torch.optim.SGD`` does.

Numbers are float32; only the sums of losses are float64. Places are uint32: of a
signed index the compiler asks at each load whether it counts from the end, and loops
over ``range`` count twice. The code runs in Numba's simulator too, hence barriers of
the block instead of the warp, and no shuffles.
"""

import numpy as np
from numba import cuda, float32, uint32

from spiral.engines.sparse.lists import LANES
from spiral.engines.sparse_cuda.points import (
    ZERO,
    delta,
    gate,
    judge,
    softplus,
    weight,
)
from spiral.engines.sparse_cuda.rows import (
    PITCH,
    THREADS,
    enter,
    forward,
    load,
    row_sum,
)

SLOT_BITS = 12
"""Bits of the slot in an outgoing edge; the rest is the row of its target."""


@cuda.jit(device=True, inline="always")
def _thread():
    """Return the number of this thread."""
    return np.uint32(cuda.threadIdx.x)


@cuda.jit(device=True, inline="always")
def _empty(full, mine, chunk, at, f):
    """Add up the first rows of the box; ``mine`` is the slot of this thread's row."""
    t = _thread()
    cuda.syncthreads()
    if t < full:
        total = row_sum(f, at[0] + t * PITCH)
        place = at[3] + mine
        f[place] = total + f[place] if chunk > 0 else total
    cuda.syncthreads()


@cuda.jit(device=True, inline="always")
def _put(value, slot, full, mine, chunk, at, f):
    """Put this thread's part of a gradient into the box, and empty a full one."""
    t = _thread()
    f[at[0] + full * PITCH + t] = value
    mine = slot if full == t else mine
    full = np.uint32(full + 1)
    if full == THREADS:
        _empty(full, mine, chunk, at, f)
        full = np.uint32(0)
    return full, mine


@cuda.jit(device=True, inline="always")
def _backward(errors, nodes, chunk, at, f, u):
    """Turn activations into deltas, from that of the output, and sum up gradients."""
    t = _thread()
    a, b, c, d = errors
    f[t], f[t + 32], f[t + 64], f[t + 96] = a, b, c, d
    full = mine = np.uint32(0)
    full, mine = _put((a + b) + (c + d), mine, full, mine, chunk, at, f)
    q = np.uint32(1)
    while q < nodes:
        row = np.uint32(q * LANES + t)
        h0, h1, h2, h3 = f[row], f[row + 32], f[row + 64], f[row + 96]
        a = b = c = d = ZERO
        e, end = u[at[7] + q], u[at[7] + q + 1]
        while e < end:
            edge = u[at[5] + e]
            slot = np.uint32(edge & ((1 << SLOT_BITS) - 1))
            above = np.uint32((edge >> SLOT_BITS) + t)
            w = f[at[1] + slot]
            d0, d1, d2, d3 = f[above], f[above + 32], f[above + 64], f[above + 96]
            a += w * d0
            b += w * d1
            c += w * d2
            d += w * d3
            part = d0 * h0 + d1 * h1 + d2 * h2 + d3 * h3
            full, mine = _put(part, slot, full, mine, chunk, at, f)
            e = np.uint32(e + 1)
        if q < nodes - 2:  # inputs have no delta and no bias
            # h > 0 exactly where the ReLU passed
            a, b, c, d = gate(h0, a), gate(h1, b), gate(h2, c), gate(h3, d)
            f[row], f[row + 32], f[row + 64], f[row + 96] = a, b, c, d
            bias = u[at[6] + q]
            full, mine = _put((a + b) + (c + d), bias, full, mine, chunk, at, f)
        q = np.uint32(q + 1)
    _empty(full, mine, chunk, at, f)


@cuda.jit(device=True, inline="always")
def _update(slots, rate, hyper, trains, slot_at, at, f):
    """Take one SGD step of every 32nd slot."""
    momentum, decay, nesterov = hyper
    s = _thread()
    while s < slots:
        p = f[at[1] + s]
        # A select, not a product: NaN times 0 would be NaN in a masked weight
        g = f[at[3] + s] + decay * p if trains[slot_at + s] > 0 else ZERO
        v = momentum * f[at[2] + s] + g
        f[at[2] + s] = v
        along = g + momentum * v if nesterov > 0 else v
        f[at[1] + s] = p - rate * along
        s = np.uint32(s + THREADS)


@cuda.jit(device=True, inline="always")
def _total(value, at, f):
    """Return the sum of a number of every thread, in float64 and in their order."""
    cuda.syncthreads()
    f[at[0] + _thread()] = value
    cuda.syncthreads()
    total = np.float64(0)
    for i in range(THREADS):
        total += np.float64(f[at[0] + i])
    cuda.syncthreads()
    return total


@cuda.jit(device=True, inline="always")
def _pass(k, start, nodes, data, how, at, f, u):
    """Add the gradients of 128 points of a batch, and return their loss.

    ``k`` counts the points of the batch before them, ``start`` those before the batch.
    """
    batch, share, low, high, watched = how
    t = _thread()
    here = np.uint32(k + t)
    place = np.uint32(start + here)
    row = np.uint32((nodes - 1) * LANES + t)
    below = np.uint32(row - LANES)
    l0 = enter(data, place, here < batch, f, row, below)
    l1 = enter(data, place + 32, here + 32 < batch, f, row + 32, below + 32)
    l2 = enter(data, place + 64, here + 64 < batch, f, row + 64, below + 64)
    l3 = enter(data, place + 96, here + 96 < batch, f, row + 96, below + 96)
    z0, z1, z2, z3 = forward(nodes, t, at, f, u)
    w0, w1 = weight(here, batch, share), weight(here + 32, batch, share)
    w2, w3 = weight(here + 64, batch, share), weight(here + 96, batch, share)
    loss = np.float64(0)
    if watched > 0:
        error = (softplus(z0) - z0 * l0) * w0 + (softplus(z1) - z1 * l1) * w1
        error += (softplus(z2) - z2 * l2) * w2 + (softplus(z3) - z3 * l3) * w3
        loss = _total(error, at, f)
    d0, d1 = delta(z0, l0, w0, low, high), delta(z1, l1, w1, low, high)
    d2, d3 = delta(z2, l2, w2, low, high), delta(z3, l3, w3, low, high)
    _backward((d0, d1, d2, d3), nodes, k, at, f, u)
    return loss


@cuda.jit(shared_memory_carveout="maxshared")
def train(order, sizes, lists, state, settings, data, steps):
    """Train a network through one piece of an epoch.

    Args:
        order: The network of each block.
        sizes: Nodes, slots and edges of every network, and where they begin [N, 6].
        lists: First slots of nodes, sources of slots, first outgoing edges of nodes,
            outgoing edges (``layout.Lists``).
        state: Parameters, velocity and what trains [slots], losses [N].
        settings: Momentum and decay [N, 2], learning rates [S, R], which of R and which
            batches a network has [N, 2], Nesterov's momentum or not.
        data: Coordinates and labels of the batches [K·S·B], and how they are used.
        steps: S.
    """
    f, u = cuda.shared.array(0, float32), cuda.shared.array(0, uint32)
    n, t = order[cuda.blockIdx.x], _thread()
    params, velocity, trains, losses = state
    numbers, rates, which, nesterov = settings
    points, how = data
    nodes, slots, slot_at, at = load(n, t, sizes, lists, params, f, u)
    for s in range(t, slots, THREADS):
        f[at[2] + s] = velocity[slot_at + s]
    hyper = numbers[n, 0], numbers[n, 1], nesterov
    mine, start, batch = which[n, 0], np.int64(which[n, 1]) * steps * how[0], how[0]
    total = losses[n]
    cuda.syncthreads()
    for step in range(steps):
        for k in range(0, batch, LANES):
            total += _pass(k, start, nodes, points, how, at, f, u)
        _update(slots, rates[step, mine], hyper, trains, slot_at, at, f)
        cuda.syncthreads()
        start += batch
    for s in range(t, slots, THREADS):
        params[slot_at + s] = f[at[1] + s]
        velocity[slot_at + s] = f[at[2] + s]
    if t == 0:
        losses[n] = total


@cuda.jit(shared_memory_carveout="maxshared")
def evaluate(order, sizes, lists, params, points, found):
    """Write the correct points of each thread of a network, their loss and entropy.

    Args:
        order: The network of each block.
        sizes: As of ``train``.
        lists: As of ``train``.
        params: Parameters [slots].
        points: Coordinates and labels [D].
        found: The result [N, 32, 3].
    """
    f, u = cuda.shared.array(0, float32), cuda.shared.array(0, uint32)
    n, t = order[cuda.blockIdx.x], _thread()
    nodes, _, _, at = load(n, t, sizes, lists, params, f, u)
    cuda.syncthreads()
    size, row = len(points[0]), np.uint32((nodes - 1) * LANES + t)
    correct = loss = entropy = np.float64(0)
    for start in range(t, size, LANES):
        for k in range(0, LANES, THREADS):
            enter(points, start + k, start + k < size, f, row + k, row + k - LANES)
        f[t], f[t + 32], f[t + 64], f[t + 96] = forward(nodes, t, at, f, u)
        for k in range(0, min(LANES, size - start), THREADS):
            right, error, doubt = judge(f[t + k], points[2][start + k])
            correct += np.float64(right)
            loss += np.float64(error)
            entropy += np.float64(doubt)
    found[n, t, 0], found[n, t, 1], found[n, t, 2] = correct, loss, entropy


@cuda.jit
def gather(orders, points, batches):
    """Copy points into the order of batches.

    Args:
        orders: Indices of points [K·S·B].
        points: Coordinates and labels [D] each.
        batches: The same in that order [K·S·B] each.
    """
    for i in range(cuda.grid(1), len(orders), cuda.gridsize(1)):
        p = orders[i]
        for k in range(3):
            batches[k][i] = points[k][p]
