"""Which weights are active under a forward mask, and the lists of their edges.

Here parameters keep their flat order (padded to whole vectors), since all of them
train: only the edges of a network are a list, those that run. Rows of activations are
input 0, input 1, then the units of hidden layers 1, 2, 3, then the output.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int, UInt8
from numba import int32

from spiral.engines.compiled import njit
from spiral.model import groups, mlp
from spiral.model.groups import Scope

HIDDEN, ACTIVE, ALWAYS = np.int32(0), np.int32(1), np.int32(2)
"""States of a parameter; biases and padding are always active and do not compete."""

_SIGN_OFF, _INFINITY = np.int32(0x7FFFFFFF), np.int32(0x7F800000)
_LARGEST, _NAN, _NONE = np.int32(0x7F7FFFFF), np.int32(-1), np.int32(-2)


class Units(NamedTuple):
    """Where the parameters and rows of each unit are, U = 3w + 1, the output last."""

    bias: Int[np.ndarray, " U"]
    incoming: Int[np.ndarray, " U"]
    """The first of its incoming weights, which are adjacent."""
    inputs: Int[np.ndarray, " U"]
    below: Int[np.ndarray, " U"]
    """Where the row of its first input begins."""


class Edges(NamedTuple):
    """One network's lists, filled by :func:`list_edges`."""

    first: Int[np.ndarray, " U1"]
    """First incoming edge of each unit, and the end."""
    weight: Int[np.ndarray, " P"]
    """The parameter of each incoming edge."""
    source: Int[np.ndarray, " P"]
    """The row of its input."""
    out_first: Int[np.ndarray, " U1"]
    """First outgoing edge of each hidden unit, and the end."""
    out_weight: Int[np.ndarray, " P"]
    out_row: Int[np.ndarray, " P"]
    """The row of an outgoing edge's unit."""
    live: UInt8[np.ndarray, " U"]
    """Whether a unit reaches the output; the others have no gradient."""
    slope: Int[np.ndarray, " P16"]
    """The parameter of each gradient, in the order of the backward pass."""
    gradient: Float32[np.ndarray, " S"]
    """Gradients in the order of the parameters; 0 where nothing reaches the output."""


def units(width: int) -> Units:
    """Return the places of the units of a network."""
    found = []
    for number, layer in enumerate(mlp.layers(width)):
        row = 0 if number == 0 else 2 + (number - 1) * width
        for j in range(layer.outputs):
            weights = layer.weights.start + j * layer.inputs
            found.append((layer.biases.start + j, weights, layer.inputs, row))
    return Units(*np.array(found).T.copy())


def padded(width: int) -> int:
    """Return S: the parameters, at least one padding, in whole vectors of 16."""
    return mlp.param_count(width) // 16 * 16 + 16


def group_ends(width: int, scope: Scope) -> tuple[np.ndarray, np.ndarray]:
    """Return the first parameter of each group, and the end."""
    first = [
        np.arange(part.columns.start, part.columns.stop, part.size)
        for part in groups.parts(width, scope)
    ]
    last = [
        np.minimum(starts + part.size, part.columns.stop)
        for starts, part in zip(first, groups.parts(width, scope), strict=True)
    ]
    return np.concatenate(first), np.concatenate(last)


@njit(error_model="numpy", cache=True)
def no_edges(units, size):
    """Return lists for networks of this many (padded) parameters."""
    count = len(units.bias)
    return Edges(
        np.zeros(count + 1, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(count + 1, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(count, np.uint8),
        np.zeros(size, np.int64),
        np.zeros(size, np.float32),
    )


@njit(error_model="numpy", inline="always")
def _rank(bits):
    """Return an integer that orders numbers by size, from their bits as int32.

    As ``masks.keep_top`` does: infinity counts as the largest number, NaN as less than
    all others.
    """
    # Sizes are ordered as their bits are; integers need no care for NaN in vectors
    size = int32(bits & _SIGN_OFF)
    size = _NAN if size > _INFINITY else size
    return _LARGEST if size > _LARGEST else size


@njit(error_model="numpy", cache=True)
def _border(bits, state):
    """Return the lowest rank of active weights and the highest of hidden ones."""
    low, high = _SIGN_OFF, _NONE
    for s in range(len(bits)):
        rank = _rank(bits[s])
        active = rank if state[s] == ACTIVE else _SIGN_OFF
        hidden = rank if state[s] == HIDDEN else _NONE
        low = active if active < low else low
        high = hidden if hidden > high else high
    return low, high


@njit(error_model="numpy", cache=True)
def _count(bits, state, least):
    """Count the competing weights of at least some rank."""
    count = np.int32(0)
    for s in range(len(bits)):
        competes = state[s] != ALWAYS and _rank(bits[s]) >= least
        count += np.int32(1) if competes else np.int32(0)
    return count


@njit(error_model="numpy", cache=True)
def _mend(bits, state, low, high):
    """Let the highest ranks be active, of equals the lower index; as many as before.

    The lowest rank of them is between ``low`` and ``high``, those of :func:`_border`,
    which are close from one step to the next.

    Returns:
        Whether any state has changed.
    """
    active = 0
    for s in range(len(bits)):
        active += state[s] == ACTIVE
    while low < high:
        middle = np.int32(high - (high - low) // 2)
        if _count(bits, state, middle) >= active:
            low = middle
        else:
            high = np.int32(middle - 1)
    surplus = _count(bits, state, low) - active
    return _set(bits, state, low) if surplus == 0 else _set_first(bits, state, low)


@njit(error_model="numpy", cache=True)
def _set(bits, state, least):
    """Let all weights of at least some rank be active; return whether any changed."""
    changes = np.int32(0)
    for s in range(len(bits)):
        now = ACTIVE if _rank(bits[s]) >= least else HIDDEN
        now = ALWAYS if state[s] == ALWAYS else now
        changes += np.int32(1) if now != state[s] else np.int32(0)
        state[s] = now
    return changes > 0


@njit(error_model="numpy", cache=True)
def _set_first(bits, state, least):
    """Do so where more weights than before have at least that rank.

    Of those of exactly that rank the first are active.
    """
    ties, changed = -_count(bits, state, np.int32(least + 1)), False
    for s in range(len(bits)):
        ties += state[s] == ACTIVE
    for s in range(len(bits)):
        if state[s] == ALWAYS:
            continue
        rank, now = _rank(bits[s]), HIDDEN
        if rank > least or (rank == least and ties > 0):
            ties -= rank == least
            now = ACTIVE
        changed |= state[s] != now
        state[s] = now
    return changed


@njit(error_model="numpy", cache=True)
def choose(bits, state, first, last):
    """Let the largest weights of each group be active, as many as before.

    Args:
        bits: The parameters of a network as int32, [S].
        state: Their states, changed in place.
        first: Where each group begins.
        last: Where it ends.

    Returns:
        Whether any state has changed.
    """
    changed = False
    for g in range(len(first)):
        part, states = bits[first[g] : last[g]], state[first[g] : last[g]]
        low, high = _border(part, states)
        # Nearly always every active weight is above all others
        if low <= high:
            changed |= _mend(part, states, low, high)
    return changed


@njit(error_model="numpy", cache=True)
def empty(params, state):
    """Set hidden weights to zero."""
    for s in range(len(params)):
        if state[s] == HIDDEN:
            params[s] = 0


@njit(error_model="numpy", cache=True)
def set_factors(state, rest, factors):
    """Write by what each parameter is multiplied: 1, or ``rest`` where it is hidden."""
    for s in range(len(factors)):
        factors[s] = rest if state[s] == HIDDEN else np.float32(1)


@njit(error_model="numpy", cache=True)
def list_edges(units, state, everything, edges):
    """List the edges that run, and the gradients that are not zero.

    Args:
        units: Where things are.
        state: The states of the parameters.
        everything: 1 to list hidden weights, too.
        edges: Filled here.

    Returns:
        The number of gradients, which ``slope`` extends to whole vectors.
    """
    _incoming(units, state, everything, edges)
    output = len(units.bias) - 1
    edges.live[:] = 0
    edges.live[output] = 1
    edges.out_first[:] = 0
    for u in range(output, -1, -1):
        if edges.live[u]:
            for e in range(edges.first[u], edges.first[u + 1]):
                origin = edges.source[e] - 2
                if origin >= 0:
                    edges.live[origin] = 1
                    edges.out_first[origin] += 1
    _outgoing(output, edges)
    edges.gradient[:] = 0
    count = 0
    for u in range(output, -1, -1):
        if edges.live[u]:
            edges.slope[count] = units.bias[u]
            for i in range(units.inputs[u]):
                edges.slope[count + 1 + i] = units.incoming[u] + i
            count += 1 + units.inputs[u]
    edges.slope[count:] = len(state) - 1  # a padding
    return count


@njit(error_model="numpy", cache=True)
def _incoming(units, state, everything, edges):
    """List the incoming edges of every unit."""
    end = 0
    for u in range(len(units.bias)):
        edges.first[u] = end
        for i in range(units.inputs[u]):
            weight = units.incoming[u] + i
            # Written in any case, and overwritten: a branch would be unpredictable
            edges.weight[end] = weight
            edges.source[end] = units.below[u] + i
            end += 1 if everything or state[weight] == ACTIVE else 0
    edges.first[len(units.bias)] = end


@njit(error_model="numpy", cache=True)
def _outgoing(output, edges):
    """List the outgoing edges of hidden units to live ones, by counting sort."""
    starts = edges.out_first  # so far, how many edges each has
    for u in range(output):
        starts[u + 1] += starts[u]
    # Backwards from the end of each unit's edges, so that the starts are left
    for u in range(output, -1, -1):
        if edges.live[u]:
            for e in range(edges.first[u + 1] - 1, edges.first[u] - 1, -1):
                origin = edges.source[e] - 2
                if origin >= 0:
                    starts[origin] -= 1
                    edges.out_weight[starts[origin]] = edges.weight[e]
                    edges.out_row[starts[origin]] = u + 2
