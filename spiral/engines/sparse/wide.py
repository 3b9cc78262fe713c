"""Passes through wide networks: layers that keep most of their weights are products.

A dense layer of 256 units would load 512 bytes of activations from the L2 cache for
each weight and pass. Here four rows at a time stay in registers, and what is loaded
serves all of them (figures in ``benchmarks/wide.md``). Other layers are walked edge by
edge as in ``kernel``, but 16 gradients at a time are added up at once: their partial
sums would leave the L2 cache.

All sums have the order of ``kernel``, so it does not show in any bit which of the two a
network takes, nor at which density ``lists.fill`` makes a layer dense.
"""

import numpy as np

from spiral.engines import cpu
from spiral.engines.compiled import njit
from spiral.engines.sparse.kernel import ALIGNMENT, delta, enter, losses, pull, update
from spiral.engines.sparse.lists import LANES, LEAST_UNITS
from spiral.engines.sparse.sums import add_up, dot, fold, row_sums
from spiral.engines.sparse.vectors import (
    add,
    fma,
    gate,
    load16,
    load64,
    load128,
    mul,
    read,
    relu,
    splat16,
    splat64,
    splat128,
    store,
    take,
)

SOURCE = "cc7871c6e92b9cbd"
"""Digest of imported modules, see ``kernel``."""

if cpu.instructions() == "AVX-512":
    TILE, load, splat = 64, load64, splat64
else:  # four rows of 64 points would not fit in 16 registers of 8 lanes
    TILE, load, splat = 16, load16, splat16

BLOCK = 64
"""Rows that a product reads again and again before it goes on: they fit in the L1."""

GROUP = 256  # floats of 16 partial sums of 16 lanes
ROOM = 4 * GROUP  # of the partial sums of four rows


@njit(error_model="numpy", nogil=True, cache=True)
def train_pack(counter, order, lists, pack, data, scratch_size):
    """Train the networks of ``order``, as one of the threads that share the counter."""
    scratch = np.empty(scratch_size, np.float32)
    base = ((-scratch.ctypes.data) & (ALIGNMENT - 1)) >> 2
    i = take(counter)
    while i < len(order):
        _train_network(order[i], lists, pack, data, scratch, base)
        i = take(counter)


@njit(error_model="numpy")
def _train_network(n, lists, pack, data, scratch, base):
    """Train network ``n`` through one piece of an epoch of batches of one chunk."""
    nodes, slots = lists.nodes[n], lists.slot_at[n + 1] - lists.slot_at[n]
    gradients, room, rows = base, base + slots, base + slots * 16
    sums, params = rows + nodes * LANES, pack.params
    lane, total = data.which[n] * data.steps * LANES, pack.losses[n]
    # Only gradients need zeros, but memory that was first touched in order is a tenth
    # faster at width 256
    for i in range(gradients, rows):
        scratch[i] = 0.0
    for step in range(data.steps):
        enter(data, lane, scratch, rows, nodes)
        _forward(n, lists, params, scratch, rows)
        z = load128(scratch, rows)
        if data.watched > 0:
            total = add_up(total, losses(z, data, lane, 0), scratch, sums)
        store(scratch, rows, delta(z, data, lane, 0))
        _backward(n, lists, params, scratch, rows, gradients, room)
        update(n, lists, pack, -pack.rates[step, n], scratch, gradients, True)
        lane += LANES
    pack.losses[n] = total


@njit(error_model="numpy")
def _forward(n, lists, params, scratch, rows):
    """Fill the rows of the hidden nodes, and row 0 with the logits."""
    node0, slot0, place = lists.node_at[n], lists.slot_at[n], lists.layers[n]
    for layer in range(3, -1, -1):
        begin, end = place[layer], place[layer + 1]
        if _is_dense(layer, node0, lists, place):
            inputs = place[layer + 2] - end
            at = slot0 + read(lists.first, node0 + begin)
            for q in range(begin, end):
                bias = read(params, at + (q - begin) * (inputs + 1))
                store(scratch, rows + q * LANES, splat128(bias))
            shape = end - begin, inputs, inputs + 1, 1
            to, of = rows + begin * LANES, rows + end * LANES
            _add_product(scratch, to, of, params, at + 1, shape)
            for q in range(begin, end):
                row = rows + q * LANES
                store(scratch, row, relu(load128(scratch, row)))
        else:
            for q in range(begin, end):
                z = pull(q, node0, slot0, lists, params, scratch, rows)
                store(scratch, rows + q * LANES, relu(z) if layer > 0 else z)


@njit(error_model="numpy")
def _backward(n, lists, params, scratch, rows, gradients, room):
    """Turn activations into deltas, from that of the output in row 0, and add up
    gradients.
    """
    node0, slot0, place = lists.node_at[n], lists.slot_at[n], lists.layers[n]
    _biases(0, 1, node0, lists, scratch, rows, gradients, room)
    for layer in range(1, 5):
        begin, end = place[layer], place[layer + 1]
        if _is_dense(layer - 1, node0, lists, place):
            above = place[layer - 1]
            first = read(lists.first, node0 + above)
            x, y = rows + above * LANES, rows + begin * LANES
            shape = begin - above, end - begin
            _products(scratch, x, y, shape, gradients + first, room)
            _deltas(scratch, x, y, shape, params, slot0 + first + 1, room + ROOM)
        else:
            edge0, hidden = lists.edge_at[n], layer < 4
            where = node0, slot0, edge0, begin, end
            _along_edges(where, hidden, lists, params, scratch, rows, gradients, room)
        if layer < 4:
            _biases(begin, end, node0, lists, scratch, rows, gradients, room)


@njit(error_model="numpy", inline="always")
def _is_dense(layer, node0, lists, place):
    """Return whether a layer, 0 for the output, is a product of matrices."""
    units, inputs = place[layer + 1] - place[layer], place[layer + 2] - place[layer + 1]
    slots = lists.first[node0 + place[layer + 1]] - lists.first[node0 + place[layer]]
    wide = units >= LEAST_UNITS and inputs >= LEAST_UNITS
    return wide and slots == units * (inputs + 1)


@njit(error_model="numpy")
def _add_product(scratch, to, of, params, at, shape):
    """Add weighted rows to rows.

    Row j gets Σ_i w[j, i] · row i of those from ``of`` on, in the order of i; w[j, i]
    is at ``at`` + j·across + i·along.
    """
    rows, inner, across, along = shape
    for start in range(0, inner, BLOCK):
        stop = min(inner, start + BLOCK)
        for j in range(0, rows - 3, 4):
            for lane in range(0, LANES, TILE):
                row = to + j * LANES + lane
                a, b = load(scratch, row), load(scratch, row + LANES)
                c, d = load(scratch, row + 2 * LANES), load(scratch, row + 3 * LANES)
                w = at + j * across + start * along
                for i in range(start, stop):
                    h = load(scratch, of + i * LANES + lane)
                    a = fma(splat(read(params, w)), h, a)
                    b = fma(splat(read(params, w + across)), h, b)
                    c = fma(splat(read(params, w + 2 * across)), h, c)
                    d = fma(splat(read(params, w + 3 * across)), h, d)
                    w += along
                store(scratch, row, a)
                store(scratch, row + LANES, b)
                store(scratch, row + 2 * LANES, c)
                store(scratch, row + 3 * LANES, d)
        for j in range(rows & -4, rows):
            z = load128(scratch, to + j * LANES)
            for i in range(start, stop):
                w = splat128(read(params, at + j * across + i * along))
                z = fma(w, load128(scratch, of + i * LANES), z)
            store(scratch, to + j * LANES, z)


@njit(error_model="numpy")
def _deltas(scratch, x, y, shape, params, at, room):
    """Overwrite activations from ``y`` on by the deltas that those at ``x`` give."""
    units, inputs = shape
    zero = splat128(np.float32(0))
    for i in range(inputs):
        store(scratch, room + i * LANES, zero)
    shape = inputs, units, 1, inputs + 1
    _add_product(scratch, room, x, params, at, shape)
    for i in range(inputs):
        h = load128(scratch, y + i * LANES)
        store(scratch, y + i * LANES, gate(h, load128(scratch, room + i * LANES)))


@njit(error_model="numpy")
def _products(scratch, x, y, shape, gradients, room):
    """Write the gradients of a dense layer's weights."""
    units, inputs = shape
    # The last rows and columns may be written twice, to equal numbers
    for row in range(0, units, 4):
        j = min(row, units - 4)
        for column in range(0, inputs, 16):
            i = min(column, inputs - 16)
            for k in range(0, 16, 2):
                _four_by_two(scratch, x + j * LANES, y + (i + k) * LANES, room + k * 16)
            at = gradients + j * (inputs + 1) + 1 + i
            for k in range(4):
                sums = row_sums(scratch, room + k * GROUP)
                store(scratch, at + k * (inputs + 1), sums)


@njit(error_model="numpy", inline="always")
def _four_by_two(scratch, x, y, to):
    """Write 16 partial sums of the products of four rows with two, as ``dot``."""
    even = _chains(scratch, x, y)
    odd = _chains(scratch, x + 16, y + 16)
    store(scratch, to, add(even[0], odd[0]))
    store(scratch, to + 16, add(even[1], odd[1]))
    store(scratch, to + GROUP, add(even[2], odd[2]))
    store(scratch, to + GROUP + 16, add(even[3], odd[3]))
    store(scratch, to + 2 * GROUP, add(even[4], odd[4]))
    store(scratch, to + 2 * GROUP + 16, add(even[5], odd[5]))
    store(scratch, to + 3 * GROUP, add(even[6], odd[6]))
    store(scratch, to + 3 * GROUP + 16, add(even[7], odd[7]))


@njit(error_model="numpy", inline="always")
def _chains(scratch, x, y):
    """Return one chain of ``dot`` for each product of four rows with two."""
    p, q = load16(scratch, y), load16(scratch, y + LANES)
    a, b = load16(scratch, x), load16(scratch, x + LANES)
    c, d = load16(scratch, x + 2 * LANES), load16(scratch, x + 3 * LANES)
    ap, aq, bp, bq = mul(a, p), mul(a, q), mul(b, p), mul(b, q)
    cp, cq, dp, dq = mul(c, p), mul(c, q), mul(d, p), mul(d, q)
    for k in range(32, LANES, 32):
        p, q = load16(scratch, y + k), load16(scratch, y + LANES + k)
        a, b = load16(scratch, x + k), load16(scratch, x + LANES + k)
        c = load16(scratch, x + 2 * LANES + k)
        d = load16(scratch, x + 3 * LANES + k)
        ap, aq, bp, bq = fma(a, p, ap), fma(a, q, aq), fma(b, p, bp), fma(b, q, bq)
        cp, cq, dp, dq = fma(c, p, cp), fma(c, q, cq), fma(d, p, dp), fma(d, q, dq)
    return ap, aq, bp, bq, cp, cq, dp, dq


@njit(error_model="numpy")
def _along_edges(where, hidden, lists, params, scratch, rows, gradients, room):
    """Write gradients of outgoing edges, and deltas over activations if ``hidden``."""
    node0, slot0, edge0, begin, end = where
    start = e = read(lists.out_first, node0 + begin)
    for q in range(begin, end):
        h = load128(scratch, rows + q * LANES)
        d = splat128(np.float32(0))
        last = read(lists.out_first, node0 + q + 1)
        while e < last:
            stop = min(last, start + 16)
            for k in range(e, stop):
                slot = read(lists.out_slot, edge0 + k)
                above = load128(scratch, rows + read(lists.out_row, edge0 + k) * LANES)
                d = fma(splat128(read(params, slot0 + slot)), above, d)
                store(scratch, room + (k - start) * 16, dot(above, h))
            e = stop
            if e == start + 16:
                _spread(start, e, edge0, lists, scratch, gradients, room)
                start = e
        if hidden:
            store(scratch, rows + q * LANES, gate(h, d))
    _spread(start, e, edge0, lists, scratch, gradients, room)


@njit(error_model="numpy", inline="always")
def _spread(start, stop, edge0, lists, scratch, gradients, room):
    """Add up partial sums and put the gradients of some edges in their places."""
    store(scratch, room, row_sums(scratch, room))
    for k in range(start, stop):
        slot = read(lists.out_slot, edge0 + k)
        scratch[gradients + slot] = scratch[room + k - start]


@njit(error_model="numpy")
def _biases(begin, end, node0, lists, scratch, rows, gradients, room):
    """Write the gradients of the biases of some nodes from their deltas."""
    for first in range(begin, end, 16):
        count = min(16, end - first)
        for k in range(count):
            d = load128(scratch, rows + (first + k) * LANES)
            store(scratch, room + k * 16, fold(d))
        store(scratch, room, row_sums(scratch, room))
        for k in range(count):
            slot = read(lists.first, node0 + first + k)
            scratch[gradients + slot] = scratch[room + k]
