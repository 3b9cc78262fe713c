"""Which weights are active under a forward mask, chosen anew at every step.

Most steps change few choices or none, so kernels keep a state of every parameter and
look whether the least active weight is still above all hidden ones.
"""

import numpy as np
from numba import int32

from spiral.engines.compiled import njit
from spiral.model import groups
from spiral.model.groups import Scope

HIDDEN, ACTIVE, ALWAYS = np.int32(0), np.int32(1), np.int32(2)
"""States of a parameter; biases and padding are always active and do not compete."""

_SIGN_OFF, _INFINITY = np.int32(0x7FFFFFFF), np.int32(0x7F800000)
_LARGEST, _NAN, _NONE = np.int32(0x7F7FFFFF), np.int32(-1), np.int32(-2)


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
