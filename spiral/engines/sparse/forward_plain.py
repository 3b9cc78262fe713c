"""The algorithm of ``forward_kernel`` in plain loops over 128 lanes."""

import numpy as np

from spiral.engines.compiled import njit
from spiral.engines.sparse.forward_choice import choose, empty, set_factors
from spiral.engines.sparse.forward_lists import list_edges, no_edges
from spiral.engines.sparse.lists import LANES
from spiral.engines.sparse.plain import LOOSE, _cross_entropy

SOURCE = "cc7871c6e92b9cbd"
"""Digest of imported modules, see ``kernel``."""


@njit(error_model="numpy", inline="always")
def _forward(units, edges, params, weights, rows):
    """Fill the rows of all units; the last becomes the logits."""
    output = len(units.bias) - 1
    for u in range(output + 1):
        z = rows[u + 2]
        z[:] = params[units.bias[u]]
        for e in range(edges.first[u], edges.first[u + 1]):
            h, w = rows[edges.source[e]], weights[edges.weight[e]]
            for i in range(LANES):
                z[i] += w * h[i]
        if u < output:
            for i in range(LANES):  # not max(): NaN must stay
                z[i] = np.float32(0) if z[i] < 0 else z[i]


@njit(error_model="numpy", inline="always")
def _backward(units, edges, weights, rows):
    """Turn activations into deltas, output first, and add to the gradients."""
    output = len(units.bias) - 1
    delta = np.empty(LANES, np.float32)
    for u in range(output, -1, -1):
        if edges.live[u] == 0:
            continue
        d = rows[u + 2]
        if u < output:
            delta[:] = 0
            for e in range(edges.out_first[u], edges.out_first[u + 1]):
                w, after = weights[edges.out_weight[e]], rows[edges.out_row[e]]
                for i in range(LANES):
                    delta[i] += w * after[i]
            for i in range(LANES):  # overwrites the activation by its delta
                d[i] = np.float32(0) if d[i] <= 0 else delta[i]
        total = np.float32(0)
        for i in range(LANES):
            total += d[i]
        edges.gradient[units.bias[u]] += total
        below = units.below[u]
        for k in range(units.inputs[u]):
            h, total = rows[below + k], np.float32(0)
            for i in range(LANES):
                total += d[i] * h[i]
            edges.gradient[units.incoming[u] + k] += total


@njit(error_model="numpy", inline="always")
def _update(n, rule, pack, factors, gradient, rate):
    """Take one SGD step."""
    params, velocity = pack.params[n], pack.velocity[n]
    for s in range(len(gradient)):
        g, penalty = gradient[s], pack.decay[n]
        if rule.shaped:
            g = g * factors[s] if rule.chain else g
            penalty = penalty + rule.pull if factors[s] < 1 else penalty
        g = g + penalty * params[s]
        # Not a product: NaN times 0 would be NaN in a masked weight
        g = g if pack.trains[n, s] > 0 else np.float32(0)
        velocity[s] = pack.momentum[n] * velocity[s] + g
        along = g + pack.momentum[n] * velocity[s] if rule.nesterov else velocity[s]
        params[s] -= rate * along


@njit(error_model="numpy", inline="always")
def _output(data, lane, chunk, logits):
    """Turn the logits into deltas and return the loss, if it is watched."""
    total = 0.0
    for i in range(LANES):
        z, weight = logits[i], data.weight[chunk * LANES + i]
        if data.watched > 0:
            total += _cross_entropy(z, data.truth[lane + i]) * weight
        guess = np.float32(1) / (np.float32(1) + np.exp(-z))
        logits[i] = (guess - data.y[lane + i]) * weight
    return total


@njit(error_model="numpy", inline="always")
def train_network(n, rule, pack, data, edges, rows):
    """Train network ``n`` through one piece of an epoch."""
    units, params, state = rule.units, pack.params[n], pack.state[n]
    factors = np.ones(len(params), np.float32)
    lane = data.which[n] * data.steps * data.chunks * LANES
    for step in range(data.steps):
        rest = rule.rest[step]
        if (rule.begin + step) % rule.interval == 0:
            choose(pack.bits[n], state, rule.first, rule.last)
            if rule.stored:
                empty(params, state)
        list_edges(units, state, 1 if rest > 0 else 0, edges)
        set_factors(state, rest, factors)
        weights = params * factors
        for chunk in range(data.chunks):
            rows[0] = data.x0[lane : lane + LANES]
            rows[1] = data.x1[lane : lane + LANES]
            _forward(units, edges, params, weights, rows)
            pack.losses[n] += _output(data, lane, chunk, rows[-1])
            _backward(units, edges, weights, rows)
            lane += LANES
        _update(n, rule, pack, factors, edges.gradient, pack.rates[step, n])


@njit(fastmath=LOOSE, error_model="numpy", nogil=True, cache=True)
def train_pack(counter, order, rule, pack, data, scratch_size):
    """Train the networks of ``order``; without an atomic counter, on one thread."""
    rows = np.empty((len(rule.units.bias) + 2, LANES), np.float32)
    edges = no_edges(rule.units, pack.params.shape[1])
    for n in order[counter[0] :]:
        train_network(n, rule, pack, data, edges, rows)
