"""The fast kernel under a forward mask: active weights run, all of them train.

As ``kernel``, but forward and backward pass follow the
lists of active weights alone, while gradients are those of all weights into units that
reach the output. After a step the mask is mended by what has changed, and the lists are
made anew only then. ``tests/benchmarks/test_forward.py`` measures what that gains.
"""

import numpy as np

from spiral.engines.compiled import njit
from spiral.engines.sparse.forward_choice import choose, empty, set_factors
from spiral.engines.sparse.forward_lists import list_edges, no_edges
from spiral.engines.sparse.lists import LANES
from spiral.engines.sparse.sums import add_up, dot, fold, row_sums
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

SOURCE = "cc7871c6e92b9cbd"
"""Digest of imported modules, see ``kernel``."""

ALIGNMENT = 64  # bytes of a cache line


@njit(error_model="numpy", inline="always")
def _forward(units, edges, params, weights, scratch, rows):
    """Fill the rows of the hidden units and return the logits."""
    output = len(units.bias) - 1
    for u in range(output):
        z = splat128(read(params, read(units.bias, u)))
        for e in range(read(edges.first, u), read(edges.first, u + 1)):
            h = load128(scratch, rows + read(edges.source, e) * LANES)
            z = fma(splat128(read(weights, read(edges.weight, e))), h, z)
        store(scratch, rows + (u + 2) * LANES, relu(z))
    z = splat128(read(params, read(units.bias, output)))
    for e in range(read(edges.first, output), read(edges.first, output + 1)):
        h = load128(scratch, rows + read(edges.source, e) * LANES)
        z = fma(splat128(read(weights, read(edges.weight, e))), h, z)
    return z


@njit(error_model="numpy", inline="always")
def _backward(units, edges, weights, scratch, rows, slopes, more):
    """Turn activations into deltas, output first, and write 16 sums per gradient.

    ``more`` adds to those of earlier points of the batch.
    """
    output = len(units.bias) - 1
    place = slopes
    for u in range(output, -1, -1):
        if read(edges.live, u) == 0:
            continue
        row = rows + (u + 2) * LANES
        d = load128(scratch, row)
        if u < output:
            h, d = d, splat128(np.float32(0))
            for e in range(read(edges.out_first, u), read(edges.out_first, u + 1)):
                w = splat128(read(weights, read(edges.out_weight, e)))
                above = rows + read(edges.out_row, e) * LANES
                d = fma(w, load128(scratch, above), d)
            d = gate(h, d)
            store(scratch, row, d)
        g = fold(d)
        if more:
            g = add(g, load16(scratch, place))
        store(scratch, place, g)
        place += 16
        # of all inputs, also those whose weight is hidden
        below = rows + read(units.below, u) * LANES
        for i in range(read(units.inputs, u)):
            h = load128(scratch, below + i * LANES)
            g = dot(d, h)
            if more:
                g = add(g, load16(scratch, place))
            store(scratch, place, g)
            place += 16


@njit(error_model="numpy", inline="always")
def _collect(edges, count, scratch, slopes, sums):
    """Add up the partial sums of gradients and put these in order."""
    for r in range(0, count, 16):
        store(scratch, sums, row_sums(scratch, slopes + r * 16))
        for k in range(16):
            edges.gradient[read(edges.slope, r + k)] = scratch[sums + k]


@njit(error_model="numpy", inline="always")
def _update(n, rule, pack, factors, gradient, rate):
    """Take one SGD step."""
    params, velocity, trains = pack.params[n], pack.velocity[n], pack.trains[n]
    momentum, decay = splat16(pack.momentum[n]), splat16(pack.decay[n])
    one, pull = splat16(np.float32(1)), splat16(rule.pull)
    against = splat16(-rate)
    for s in range(0, len(gradient), 16):
        p, g, penalty = load16(params, s), load16(gradient, s), decay
        if rule.shaped:
            factor = load16(factors, s)
            if rule.chain:
                g = mul(g, factor)
            penalty = fma(pull, positive(sub(one, factor)), decay)
        g = keep(load16(trains, s), fma(penalty, p, g))
        v = fma(momentum, load16(velocity, s), g)
        store(velocity, s, v)
        along = fma(momentum, v, g) if rule.nesterov else v
        store(params, s, fma(against, along, p))


@njit(error_model="numpy", inline="always")
def _effective(params, factors, effective):
    """Write and return the weights that the network runs on."""
    for s in range(len(params)):
        effective[s] = params[s] * factors[s]
    return effective


@njit(error_model="numpy", cache=True)
def train_network(n, rule, pack, data, edges, scratch, base):
    """Train network ``n`` through one piece of an epoch."""
    units, params, state = rule.units, pack.params[n], pack.state[n]
    size, rows = len(params), base
    slopes = rows + (len(units.bias) + 2) * LANES
    sums = slopes + size * 16
    factors, effective = np.ones(size, np.float32), np.zeros(size, np.float32)
    lane = data.which[n] * data.steps * data.chunks * LANES
    total, listed, count = pack.losses[n], -1, 0
    for step in range(data.steps):
        rest, changed = rule.rest[step], False
        if (rule.begin + step) % rule.interval == 0:
            changed = choose(pack.bits[n], state, rule.first, rule.last)
            if rule.stored:
                empty(params, state)
        # While hidden weights contribute, all edges run, whatever the mask
        fading = 1 if rest > 0 else 0
        if listed != fading or (changed and fading == 0):
            count, listed = list_edges(units, state, fading, edges), fading
            for i in range(count * 16, (count + 15) // 16 * 256):
                scratch[slopes + i] = 0
        if fading or rule.shaped:
            set_factors(state, rest, factors)
        weights = _effective(params, factors, effective) if fading else params
        for chunk in range(data.chunks):
            store(scratch, rows, load128(data.x0, lane))
            store(scratch, rows + LANES, load128(data.x1, lane))
            z = _forward(units, edges, params, weights, scratch, rows)
            weight = load128(data.weight, chunk * LANES)
            if data.watched > 0:
                error = sub(softplus(z), mul(z, load128(data.truth, lane)))
                total = add_up(total, mul(error, weight), scratch, sums)
            d = mul(sub(sigmoid(z), load128(data.y, lane)), weight)
            store(scratch, rows + (len(units.bias) + 1) * LANES, d)
            _backward(units, edges, weights, scratch, rows, slopes, chunk > 0)
            lane += LANES
        _collect(edges, count, scratch, slopes, sums)
        _update(n, rule, pack, factors, edges.gradient, pack.rates[step, n])
    pack.losses[n] = total


@njit(error_model="numpy", nogil=True, cache=True)
def train_pack(counter, order, rule, pack, data, scratch_size):
    """Train the networks of ``order``, as one of the threads that share the counter."""
    scratch = np.empty(scratch_size, np.float32)
    base = ((-scratch.ctypes.data) & (ALIGNMENT - 1)) >> 2
    edges = no_edges(rule.units, pack.params.shape[1])
    i = take(counter)
    while i < len(order):
        train_network(order[i], rule, pack, data, edges, scratch, base)
        i = take(counter)
