"""The inner loop of the enumeration: walk the multisets of units of layer 1.

A unit of layer 1 is one integer, its *code*: its two inputs, then its column of W2,
with the first unit of layer 2 in the highest bit. So ascending codes are units in
canonical order, and comparing masks is comparing bits.
"""

from spiral.engines.compiled import njit


@njit(cache=True)
def fill(block, filled, walk, units, orders, limits, rest):
    """Write the next masks into a block; return the number of rows filled.

    Args:
        block: Masks, bool [size, W].
        filled: The first row to write.
        walk: Position of the walk; updated.
        units: The possible units.
        orders: The orders of layer 2 to try.
        limits: Fewest and most weights of W1 and W2.
        rest: W3 and W4 of all these masks.
    """
    while filled < len(block) and _advance(walk, units, limits):
        union = 0
        for code in walk.codes:
            union |= code
        if union == units.union and _is_smallest(walk, orders):
            _write(block[filled], walk.codes, rest)
            filled += 1
    return filled


@njit(cache=True)
def _advance(walk, units, limits):
    """Advance to the next multiset with weights within limits, if there is one.

    A multiset is an ascending sequence of unit numbers whose last place changes first.
    A prefix whose best completion exceeds the limits is abandoned, so that a narrow
    range of weights costs little more than its masks.
    """
    # An explicit stack in ``walk`` instead of recursion: the walk pauses whenever a
    # block is full
    last = len(walk.units) - 1
    place = walk.place[0]
    while place >= 0:
        walk.units[place] += 1
        unit = walk.units[place]
        if unit == len(units.codes):
            place -= 1
            continue
        weights = walk.weights[place] + units.weights[unit]
        least = weights + (last - place) * units.lightest[unit]
        most = weights + (last - place) * units.heaviest
        if least > limits[1] or most < limits[0]:
            continue
        walk.codes[place] = units.codes[unit]
        if place == last:
            break
        place += 1
        walk.units[place] = unit - 1
        walk.weights[place] = weights
    walk.place[0] = place
    return place >= 0


@njit(cache=True)
def _is_smallest(walk, orders):
    """Return whether no order of layer 2 makes the mask smaller.

    The first order, the identity, is skipped. Codes are sorted by insertion while they
    are reordered, as layer 1 has few units.
    """
    for order in range(1, len(orders.codes)):
        for i in range(len(walk.codes)):
            _insert(walk.moved, i, orders.codes[order, walk.codes[i]])
        if _compare(walk, orders.third[order]) < 0:
            return False
    return True


@njit(cache=True)
def _insert(ascending, i, code):
    """Insert a code into the first i, which ascend."""
    while i > 0 and ascending[i - 1] > code:
        ascending[i] = ascending[i - 1]
        i -= 1
    ascending[i] = code


@njit(cache=True)
def _compare(walk, third):
    """Compare unit by unit, W3 before W2; negative if the reordered mask is smaller."""
    for unit in range(len(third)):
        if third[unit]:
            return third[unit]
        bit = 1 << (len(third) - 1 - unit)
        for i in range(len(walk.codes)):
            difference = (walk.moved[i] & bit) - (walk.codes[i] & bit)
            if difference:
                return difference
    return 0


@njit(cache=True)
def _write(mask, codes, rest):
    """Write one mask: W1 and W2 from the codes, then the rest."""
    d1 = len(codes)
    start = len(mask) - len(rest)
    d2 = start // d1 - 2
    for i in range(d1):
        for source in range(2):
            mask[2 * i + source] = codes[i] >> (d2 + 1 - source) & 1
        for unit in range(d2):
            mask[2 * d1 + unit * d1 + i] = codes[i] >> (d2 - 1 - unit) & 1
    mask[start:] = rest
