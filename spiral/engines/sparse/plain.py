"""The algorithm of ``kernel`` in plain loops over 128 lanes.

For machines and versions on which the vector type does not compile; about half as fast.
Its sums have another order, so rows record it as ``sparse-plain``.
"""

import numpy as np

from spiral.engines.compiled import njit
from spiral.engines.sparse.lists import LANES

VECTORS = False

SOURCE = "cc7871c6e92b9cbd"
"""Digest of imported modules, see ``kernel``."""

LOOSE = {"reassoc", "contract"}
"""Lets LLVM vectorise sums; ``nnan`` and ``ninf`` stay off, so that diverged networks
remain NaN.

All that a pack runs is inlined into one function: LLVM optimises a function that others
call once for itself and once for each of them, and sums of the copies have different
orders. Which copy runs depends on whether the code was just compiled or comes from
Numba's cache."""


@njit(error_model="numpy", inline="always")
def _forward(n, lists, params, rows):
    """Fill the rows of all nodes; row 0 becomes the logits."""
    node0, slot0 = lists.node_at[n], lists.slot_at[n]
    for q in range(lists.nodes[n] - 3, -1, -1):
        begin = slot0 + lists.first[node0 + q]
        z = rows[q]
        z[:] = params[begin]
        for s in range(begin + 1, slot0 + lists.first[node0 + q + 1]):
            h, w = rows[lists.source[s]], params[s]
            for i in range(LANES):
                z[i] += w * h[i]
        if q > 0:
            for i in range(LANES):  # not max(): NaN must stay
                z[i] = np.float32(0) if z[i] < 0 else z[i]


@njit(error_model="numpy", inline="always")
def _backward(n, lists, params, rows, gradients):
    """Turn activations into deltas, output first, and add to the gradients."""
    node0, slot0, edge0 = lists.node_at[n], lists.slot_at[n], lists.edge_at[n]
    delta = np.empty(LANES, np.float32)
    for q in range(lists.nodes[n] - 2):
        d = rows[q]
        if q > 0:
            delta[:] = 0
            for e in range(lists.out_first[node0 + q], lists.out_first[node0 + q + 1]):
                w = params[slot0 + lists.out_slot[edge0 + e]]
                after = rows[lists.out_row[edge0 + e]]
                for i in range(LANES):
                    delta[i] += w * after[i]
            for i in range(LANES):  # overwrites the activation by its delta
                d[i] = np.float32(0) if d[i] <= 0 else delta[i]
        begin, end = lists.first[node0 + q], lists.first[node0 + q + 1]
        total = np.float32(0)
        for i in range(LANES):
            total += d[i]
        gradients[begin] += total
        for s in range(begin + 1, end):
            h = rows[lists.source[slot0 + s]]
            total = np.float32(0)
            for i in range(LANES):
                total += d[i] * h[i]
            gradients[s] += total


@njit(error_model="numpy", inline="always")
def _update(n, lists, pack, rate, gradients):
    """Take one SGD step."""
    slot0 = lists.slot_at[n]
    for s in range(len(gradients)):
        k = slot0 + s
        g = gradients[s] + pack.decay[n] * pack.params[k]
        # Not a product: NaN times 0 would be NaN in a masked weight
        g = g if pack.trains[k] > 0 else np.float32(0)
        pack.velocity[k] = pack.momentum[n] * pack.velocity[k] + g
        if pack.nesterov > 0:
            pack.params[k] -= rate * (g + pack.momentum[n] * pack.velocity[k])
        else:
            pack.params[k] -= rate * pack.velocity[k]


@njit(error_model="numpy", inline="always")
def _cross_entropy(z, label):
    """Return log(1 + exp(z)) - z·label; NaN stays.

    As max(z, 0) + log1p(exp(-|z|)), which never overflows.
    """
    log = np.log1p(np.exp(-abs(z)))
    return (z if z > 0 else z * 0) + log - z * label


@njit(error_model="numpy", inline="always")
def train_network(n, lists, pack, data, scratch):
    """Train network ``n`` through one piece of an epoch."""
    nodes = lists.nodes[n]
    rows = scratch[: nodes * LANES].reshape(nodes, LANES)
    gradients = np.zeros(lists.slot_at[n + 1] - lists.slot_at[n], np.float32)
    lane = data.which[n] * data.steps * data.chunks * LANES
    total = pack.losses[n]
    for step in range(data.steps):
        gradients[:] = 0
        for chunk in range(data.chunks):
            rows[nodes - 1] = data.x0[lane : lane + LANES]
            rows[nodes - 2] = data.x1[lane : lane + LANES]
            _forward(n, lists, pack.params, rows)
            if data.watched > 0:
                for i in range(LANES):
                    error = _cross_entropy(rows[0, i], data.truth[lane + i])
                    total += error * data.weight[chunk * LANES + i]
            for i in range(LANES):
                guess = np.float32(1) / (np.float32(1) + np.exp(-rows[0, i]))
                weight = data.weight[chunk * LANES + i]
                rows[0, i] = (guess - data.y[lane + i]) * weight
            _backward(n, lists, pack.params, rows, gradients)
            lane += LANES
        _update(n, lists, pack, pack.rates[step, n], gradients)
    pack.losses[n] = total


@njit(fastmath=LOOSE, error_model="numpy", nogil=True, cache=True)
def train_pack(counter, order, lists, pack, data, scratch_size):
    """Train the networks of ``order``; without an atomic counter, on one thread."""
    raw = np.empty(scratch_size, np.float32)
    scratch = raw[((-raw.ctypes.data) & 63) >> 2 :]
    for n in order[counter[0] :]:
        train_network(n, lists, pack, data, scratch)


@njit(error_model="numpy", inline="always")
def evaluate_network(n, lists, params, points, scratch):
    """Return the correct points of network ``n``, its summed loss and entropy."""
    nodes = lists.nodes[n]
    rows = scratch[: nodes * LANES].reshape(nodes, LANES)
    right, loss, entropy = 0.0, 0.0, 0.0
    for lane in range(0, len(points.x0), LANES):
        rows[nodes - 1] = points.x0[lane : lane + LANES]
        rows[nodes - 2] = points.x1[lane : lane + LANES]
        _forward(n, lists, params, rows)
        for i in range(LANES):
            z, sign = rows[0, i], points.sign[lane + i]
            right += z * sign > 0
            if sign != 0:
                loss += _cross_entropy(z, points.y[lane + i])
                odds = np.exp(-abs(z))
                entropy += np.log1p(odds) + abs(z) * odds / (1 + odds)
    return right, loss, entropy


@njit(fastmath=LOOSE, error_model="numpy", nogil=True, cache=True)
def evaluate_pack(counter, found, lists, params, points, scratch_size):
    """Write correct points, summed loss and entropy [N, 3], on one thread."""
    raw = np.empty(scratch_size, np.float32)
    scratch = raw[((-raw.ctypes.data) & 63) >> 2 :]
    for n in range(counter[0], len(found)):
        found[n] = evaluate_network(n, lists, params, points, scratch)
