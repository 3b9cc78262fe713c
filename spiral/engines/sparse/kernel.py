"""The fast kernel: vectors of 128 points, one network at a time in the L1 cache.

Vectors run over points, not over weights: sparse networks have too few and too
irregular weights for that, while every edge needs the same operation on all points of a
batch. They have 128 points on every processor: code for AVX2 and for AVX-512 gives the
same bits (vectors of 64 points: ``benchmarks/lanes.md``).

One step of one network:

1. copy the batch into the two input rows of the activations;
2. forward, node by node: an accumulator starts at the bias and pulls each incoming edge
   with one fused multiply-add; ReLU; one store;
3. output: sigmoid in registers, then the delta (σ(z) - y)/B;
4. backward, output first: a node pulls the deltas of its outgoing edges; each is loaded
   once, for the node's own delta and for the gradient of the edge's weight, 16 partial
   sums. Gated by the activation, the delta *overwrites* it (it is not needed again);
5. 16 slots at a time: a transpose adds the partial sums, then weight decay, momentum
   and the step are vector operations, v ← μv + (g + λw) and w ← w - ηv as in
   ``torch.optim.SGD``; with Nesterov's momentum w ← w - η(g + λw + μv).

Networks of many weights train in ``wide``, with equal bits.
Batches of other sizes run as several rows of lanes, the last one padded with points of
weight zero. Threads take the next network from an atomic counter, largest first.
"""

import numpy as np

from spiral.engines.compiled import njit
from spiral.engines.sparse.lists import LANES
from spiral.engines.sparse.sums import (
    add_up,
    dot,
    fold,
    row_sums,
)
from spiral.engines.sparse.vectors import (
    add,
    fma,
    gate,
    keep,
    load16,
    load128,
    mul,
    positive,
    read,
    relu,
    sigmoid,
    softplus,
    splat16,
    splat128,
    store,
    sub,
    take,
)

VECTORS = True

SOURCE = "cc7871c6e92b9cbd"
"""Digest of the modules that kernels import: Numba's cache looks at this file alone, so
it must change with those (``make golden`` writes it, a test compares it)."""

ALIGNMENT = 64  # bytes of a cache line; misaligned scratch costs a third of the speed


@njit(error_model="numpy", inline="always")
def pull(q, node0, slot0, lists, params, scratch, rows):
    """Return the bias of a node plus its weighted inputs."""
    begin = slot0 + read(lists.first, node0 + q)
    z = splat128(read(params, begin))
    for s in range(begin + 1, slot0 + read(lists.first, node0 + q + 1)):
        h = load128(scratch, rows + read(lists.source, s) * LANES)
        z = fma(splat128(read(params, s)), h, z)
    return z


@njit(error_model="numpy", inline="always")
def _forward(nodes, node0, slot0, lists, params, scratch, rows):
    """Fill the rows of the hidden nodes and return the logits."""
    # Nodes are in reverse topological order: inputs last, so hidden ones backwards
    for q in range(nodes - 3, 0, -1):
        z = pull(q, node0, slot0, lists, params, scratch, rows)
        store(scratch, rows + q * LANES, relu(z))
    return pull(0, node0, slot0, lists, params, scratch, rows)


@njit(error_model="numpy", inline="always")
def _backward(n, lists, params, scratch, rows, d, gradients):
    """Turn activations into deltas, output first, and write 16 sums per gradient.

    ``d`` is the delta of the output.
    """
    node0, slot0, edge0 = lists.node_at[n], lists.slot_at[n], lists.edge_at[n]
    nodes = lists.nodes[n]
    store(scratch, rows, d)
    store(scratch, gradients, fold(d))  # the bias: its input is 1
    for q in range(1, nodes - 2):
        h = load128(scratch, rows + q * LANES)
        d = splat128(np.float32(0))
        e0 = edge0 + read(lists.out_first, node0 + q)
        e1 = edge0 + read(lists.out_first, node0 + q + 1)
        for e in range(e0, e1):
            slot = read(lists.out_slot, e)
            above = load128(scratch, rows + read(lists.out_row, e) * LANES)
            d = fma(splat128(read(params, slot0 + slot)), above, d)
            store(scratch, gradients + slot * 16, dot(above, h))
        # h > 0 exactly where the ReLU passed: no need to store z
        d = gate(h, d)
        store(scratch, rows + q * LANES, d)
        bias = read(lists.first, node0 + q)
        store(scratch, gradients + bias * 16, fold(d))
    for q in range(nodes - 2, nodes):
        h = load128(scratch, rows + q * LANES)
        e0 = edge0 + read(lists.out_first, node0 + q)
        e1 = edge0 + read(lists.out_first, node0 + q + 1)
        for e in range(e0, e1):
            above = load128(scratch, rows + read(lists.out_row, e) * LANES)
            at = gradients + read(lists.out_slot, e) * 16
            store(scratch, at, dot(above, h))


@njit(error_model="numpy", inline="always")
def update(n, lists, pack, against, scratch, gradients, added):
    """Add up the partial sums and take one SGD step."""
    params, velocity, trains = pack.params, pack.velocity, pack.trains
    momentum, decay = splat16(pack.momentum[n]), splat16(pack.decay[n])
    rate, slot0 = splat16(against), lists.slot_at[n]
    for s in range(0, lists.slot_at[n + 1] - slot0, 16):
        p = load16(params, slot0 + s)
        g = (
            load16(scratch, gradients + s)
            if added
            else row_sums(scratch, gradients + s * 16)
        )
        g = fma(decay, p, g)
        # A select, not a product: NaN times 0 would be NaN in a masked weight
        g = keep(load16(trains, slot0 + s), g)
        v = fma(momentum, load16(velocity, slot0 + s), g)
        store(velocity, slot0 + s, v)
        along = fma(momentum, v, g) if pack.nesterov > 0 else v
        store(params, slot0 + s, fma(rate, along, p))


@njit(error_model="numpy", inline="always")
def enter(data, lane, scratch, rows, nodes):
    """Write the points of a batch, or of a part of one, into the rows of the inputs."""
    store(scratch, rows + (nodes - 1) * LANES, load128(data.x0, lane))
    store(scratch, rows + (nodes - 2) * LANES, load128(data.x1, lane))


@njit(error_model="numpy", inline="always")
def losses(z, data, lane, at):
    """Return the shares of the points of a batch in its mean loss."""
    error = sub(softplus(z), mul(z, load128(data.truth, lane)))
    return mul(error, load128(data.weight, at))


@njit(error_model="numpy", inline="always")
def delta(z, data, lane, at):
    """Return dL/dz = (σ(z) - y)/B, the derivative of the mean cross-entropy."""
    return mul(sub(sigmoid(z), load128(data.y, lane)), load128(data.weight, at))


@njit(error_model="numpy", cache=True)
def train_network(n, lists, pack, data, scratch, base):
    """Train network ``n`` through one piece of an epoch."""
    nodes = lists.nodes[n]
    node0, slot0 = lists.node_at[n], lists.slot_at[n]
    size = (lists.slot_at[n + 1] - slot0) * 16
    params, steps, chunks = pack.params, data.steps, data.chunks
    gradients, rows = base, base + size * min(chunks, 2)
    sums = rows + nodes * LANES
    lane = data.which[n] * steps * chunks * LANES
    # Slots without a node (parameters that reach no output) keep gradient 0 and only
    # decay; all others are overwritten at every step
    for i in range(gradients, rows):
        scratch[i] = 0.0
    total = pack.losses[n]
    for step in range(steps):
        for chunk in range(chunks):
            enter(data, lane, scratch, rows, nodes)
            z = _forward(nodes, node0, slot0, lists, params, scratch, rows)
            if data.watched > 0:
                error = losses(z, data, lane, chunk * LANES)
                total = add_up(total, error, scratch, sums)
            d = delta(z, data, lane, chunk * LANES)
            # Later chunks write behind the sums of the first
            more = size if chunk > 0 else 0
            _backward(n, lists, params, scratch, rows, d, gradients + more)
            for i in range(gradients, gradients + more, 16):
                both = add(load16(scratch, i), load16(scratch, i + more))
                store(scratch, i, both)
            lane += LANES
        update(n, lists, pack, -pack.rates[step, n], scratch, gradients, False)
    pack.losses[n] = total


@njit(error_model="numpy", nogil=True, cache=True)
def train_pack(counter, order, lists, pack, data, scratch_size):
    """Train the networks of ``order``, as one of the threads that share the counter."""
    # Allocated by the thread that uses it; the first aligned float is the base
    scratch = np.empty(scratch_size, np.float32)
    base = ((-scratch.ctypes.data) & (ALIGNMENT - 1)) >> 2
    i = take(counter)
    while i < len(order):
        train_network(order[i], lists, pack, data, scratch, base)
        i = take(counter)


@njit(error_model="numpy", cache=True)
def evaluate_network(n, lists, params, points, scratch, rows):
    """Return the correct points of network ``n``, its summed loss and entropy."""
    nodes, node0, slot0 = lists.nodes[n], lists.node_at[n], lists.slot_at[n]
    sums = rows + nodes * LANES
    right = splat16(np.float32(0))
    loss = entropy = 0.0
    for lane in range(0, len(points.x0), LANES):
        store(scratch, rows + (nodes - 1) * LANES, load128(points.x0, lane))
        store(scratch, rows + (nodes - 2) * LANES, load128(points.x1, lane))
        z = _forward(nodes, node0, slot0, lists, params, scratch, rows)
        sign = load128(points.sign, lane)  # +1, -1, or 0 for padding
        right = add(right, fold(positive(mul(z, sign))))
        error = sub(softplus(z), mul(z, load128(points.y, lane)))
        loss = add_up(loss, keep(mul(sign, sign), error), scratch, sums)
        # Entropy by -|z|, where p = σ(-|z|) ≤ 1/2 and nothing cancels:
        # H = log(1 + exp(-|z|)) + |z|·p
        below = sub(z, add(relu(z), relu(z)))
        doubt = sub(softplus(below), mul(below, sigmoid(below)))
        entropy = add_up(entropy, keep(mul(sign, sign), doubt), scratch, sums)
    return add_up(0.0, right, scratch, sums), loss, entropy


@njit(error_model="numpy", nogil=True, cache=True)
def evaluate_pack(counter, found, lists, params, points, scratch_size):
    """Write correct points, summed loss and entropy [N, 3], as one of the threads."""
    scratch = np.empty(scratch_size, np.float32)
    base = ((-scratch.ctypes.data) & (ALIGNMENT - 1)) >> 2
    n = take(counter)
    while n < len(found):
        right, loss, entropy = evaluate_network(n, lists, params, points, scratch, base)
        found[n, 0] = right
        found[n, 1] = loss
        found[n, 2] = entropy
        n = take(counter)


@njit(error_model="numpy", cache=True)
def _probe(numbers):
    store(numbers, 0, row_sums(numbers, 0))
    store(numbers, 16, fold(sigmoid(load128(numbers, 16))))


def probe() -> None:
    """Raise if the vector type does not compile, or computes wrong results, here."""
    numbers = np.zeros(256, np.float32)
    numbers[::16] = np.arange(16)
    _probe(numbers)
    assert (numbers[:16] == np.arange(16)).all(), "row sums are wrong"
    assert abs(numbers[17] - 4) < 1e-5, "sigmoid is wrong"
