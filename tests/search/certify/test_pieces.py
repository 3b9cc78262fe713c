"""Lines that a mask can make: never fewer than networks with that mask have."""

from itertools import combinations, product

import numpy as np
import pytest

from spiral.search import enumerate as masks
from spiral.search.certify import pieces, verify_masks
from spiral.search.certify.prove import _one_input, _wirings
from spiral.search.shape import every, matrices


def used_lines(w, b, rng, count):
    """Return lines of a network between random points."""
    return lines_of(w, b, *rng.normal(0, 3, (2, count, 2)))


def lines_of(w, b, p, q):
    """Return the lines that separate points where the logit has other signs."""
    return {line for line, _ in crossings(w, b, p, q)}


def crossings(w, b, p, q):
    """Return such lines, and the active units of layer 1 where each was met.

    A line is found as Lemma 1 finds it: halve the segment, take the piece before its
    end.
    """
    opposite = logit(w, b, p) * logit(w, b, q) < 0
    p, q = p[opposite], q[opposite]
    start, stop = np.zeros(len(p)), np.ones(len(p))
    for _ in range(45):
        middle = (start + stop) / 2
        here = logit(w, b, p + middle[:, None] * (q - p))
        same = here * logit(w, b, p) > 0
        start, stop = np.where(same, middle, start), np.where(same, stop, middle)
    near = p + (start * (1 - 1e-9))[:, None] * (q - p)
    found = [(piece(w, b, at), cell(w, b, at)) for at in near]
    return {(line, on) for line, on in found if line is not None}


def cell(w, b, x):
    return frozenset(np.flatnonzero(w[0] @ x + b[0] > 0).tolist())


def logit(w, b, x):
    h = x
    for weights, bias in zip(w[:-1], b[:-1], strict=True):
        h = np.maximum(h @ weights.T + bias, 0)
    return (h @ w[-1].T + b[-1])[:, 0]


def piece(w, b, x):
    """Return the zero set of the piece at x as a rounded, normalised line."""
    slope, h = np.eye(2), x
    for weights, bias in zip(w[:-1], b[:-1], strict=True):
        z = weights @ h + bias
        slope, h = (z > 0)[:, None] * (weights @ slope), np.maximum(z, 0)
    normal = (w[-1] @ slope)[0]
    length = np.hypot(*normal)
    if length < 1e-9:
        return None
    line = np.append(normal, (w[-1] @ h + b[-1])[0] - normal @ x) / length
    return tuple(np.round(line * np.sign(line[np.abs(line).argmax()]), 3))


def drawn(mask, shape, rng):
    """Draw weights of a mask; every unit has its kink at a random point."""
    w = matrices(mask * rng.normal(0, 1, len(mask)), shape)
    h, b = rng.normal(0, 2, (9, 2)), []
    for weights in w:
        z = h @ weights.T
        b.append(-rng.permuted(z, axis=0)[0])
        h = np.maximum(z + b[-1], 0)
    return w, b


@pytest.mark.parametrize("weights", [7, 8, 9, pytest.param(10, marks=pytest.mark.slow)])
def test_networks_have_no_more_lines_than_counted(weights):
    rng = np.random.default_rng(weights)
    most = []
    for shape in every(weights):
        for block in masks.orbits(shape, range(weights, weights + 1)):
            for mask in block[:: max(1, len(block) // 4)]:
                counted = max(
                    sum(lines for _, lines in structure.whole)
                    for structure in pieces.structures(pieces.wiring(mask, shape))
                )
                found = max(
                    len(used_lines(*drawn(mask, shape, rng), rng, 300))
                    for _ in range(8)
                )
                assert found <= counted, (shape, mask)
                most.append(found)
    assert max(most) > 2  # or the networks drawn were too dull to test anything


@pytest.mark.parametrize("weights", [7, 8, pytest.param(9, marks=pytest.mark.slow)])
def test_networks_keep_to_the_families_of_each_part(weights):
    rng = np.random.default_rng(weights)
    seen = 0
    for shape in every(weights):
        for block in masks.orbits(shape, range(weights, weights + 1)):
            for mask in np.repeat(block, 12, axis=0):
                wires = pieces.wiring(mask, shape)
                w, b = drawn(mask, shape, rng)
                found = crossings(w, b, *rng.normal(0, 3, (2, 200, 2)))
                check_parts(wires, w, b, found)
                seen += len(found)
    assert seen > 10


def check_parts(wires, w, b, found):
    """Check lines against the families for the network's own constants and cells."""
    constant = tuple((b[1] > 0).tolist())
    points = np.random.default_rng(0).normal(0, 6, (2000, 2))
    met = {cell(w, b, x) for x in points} | {on for _, on in found}
    cells = next(
        each
        for each in pieces._arrangements(wires.first)
        if met - {frozenset()} <= set(each)
    )
    single = [unit for unit, inputs in enumerate(wires.first) if len(inputs) == 1]
    for units in [(), *combinations(single, 1), *combinations(single, 2)]:
        for on in product((False, True), repeat=len(units)):
            chosen = pieces._where(cells, units, on)
            state = [*zip(units, on, strict=True)]
            lines = {line for line, c in found if all((u in c) == o for u, o in state)}
            fits(lines, pieces._profile(wires, constant, chosen))


def fits(lines, profile):
    """Check that a profile has families for so many lines of each direction."""
    assert len(lines) <= sum(count for _, count in profile)
    tilted = [line for line in lines if min(abs(line[0]), abs(line[1])) > 2e-3]
    assert len(tilted) <= sum(n for direction, n in profile if direction == pieces.ANY)
    for axis in (0, 1):
        along = [line for line in lines if abs(line[1 - axis]) < 1e-3]
        families = (pieces.ANY, axis)
        assert len(along) <= sum(n for direction, n in profile if direction in families)


@pytest.mark.parametrize("hinges", [1, 2, 3, 4, 5])
def test_a_scalar_function_has_no_more_zeros_than_counted(hinges):
    rng = np.random.default_rng(hinges)
    for _ in range(300):
        slope, kink = rng.normal(0, 1, (2, hinges))
        side = rng.choice([-1, 1], hinges)
        h = np.maximum(side * (POSITIONS[:, None] - kink), 0) @ slope
        assert changes(h - rng.choice(h)) <= pieces.thresholds(hinges)


def test_one_two_and_three_hinges_reach_the_counted_zeros():
    s = POSITIONS
    left = np.maximum(-s, 0)
    assert changes(left - 1) == pieces.thresholds(1) == 1
    assert changes(left + np.maximum(s - 2, 0) - 1) == pieces.thresholds(2) == 2
    three = 9 - 2 * np.maximum(s, 0) + 2 * np.maximum(2 - s, 0)
    three -= 3 * np.maximum(4 - s, 0)
    assert changes(three) == pieces.thresholds(3) == 4


POSITIONS = np.linspace(-9.01, 9, 2001)


def changes(h):
    """Count the sign changes of values along a line."""
    return int((np.diff(np.sign(h[h != 0])) != 0).sum())


def test_counts_by_hand():
    # x and y hinges, each read by its own unit, one unit that adds them: a corner
    corner = pieces.Wiring(
        [frozenset({0}), frozenset({1})],
        [frozenset({0}), frozenset({1})],
        [frozenset({0, 1})],
    )
    wholes = {structure.whole for structure in pieces.structures(corner)}
    # With constants: two lines along each axis (the other unit on or off), a tilted one
    assert ((-1, 1), (0, 2), (1, 2)) in wholes
    assert ((-1, 1), (0, 1), (1, 1)) in wholes


def test_one_unit_in_front_makes_parallel_lines_only():
    single = pieces.Wiring([frozenset({0, 1})], [frozenset({0})], [frozenset({0})] * 3)
    (whole,) = {structure.whole for structure in pieces.structures(single)}
    assert whole == ((-1, 4),)


@pytest.mark.parametrize("weights", [4, 5, 6, 7, 8, 9])
def test_the_verifier_counts_the_same_masks_and_lines(weights):
    ours = {
        frozenset(
            plain(s.whole, ((p.axes, p.parts) for p in s.partitions))
            for s in pieces.structures(wires)
        )
        for wires in [*_wirings(weights), *_one_input(weights)]
    }
    theirs = {
        frozenset(plain(c.whole, c.parts) for c in verify_masks.cases(mask))
        for mask in verify_masks.masks(weights)
    }
    assert ours == theirs


def plain(whole, partitions):
    """Return families sorted, with two kinks in a fixed order."""
    found = set()
    for axes, parts in partitions:
        ordered = tuple(tuple(sorted(part)) for part in parts)
        one = (tuple(axes), ordered)
        swapped = [ordered[k] for k in (0, 2, 1, 3)] if len(axes) == 2 else ordered
        found.add(min(one, (tuple(axes[::-1]), tuple(swapped))))
    return tuple(sorted(whole)), frozenset(found)
