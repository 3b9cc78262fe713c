"""Walks: their chances, and those given how many new weights they take."""

from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest

from spiral.methods.parts import paths


def steps_of(widths, seed=0):
    """Return sizes [from, to] of every step between layers of these widths."""
    random = np.random.default_rng(seed)
    return [random.random(pair) for pair in pairwise(widths)]


def every(steps, new, start):
    """Return every walk with its chance and its number of new weights."""
    found = {}
    for units in product(*(range(step.shape[1]) for step in steps)):
        chance, fresh, here = 1.0, 0, start
        for step, flags, there in zip(steps, new, units, strict=True):
            chance *= step[here, there] / step[here].sum()
            fresh += flags[here, there]
            here = there
        found[units] = chance, fresh
    return found


def test_chances_are_in_proportion_to_sizes():
    sizes = np.array([[1.0, 3.0], [2.0, 2.0], [0.0, 0.0]])
    expected = [[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]]
    assert paths.chances(sizes) == pytest.approx(np.array(expected))


def test_a_weight_of_zero_is_not_impossible_and_the_largest_number_is_no_trouble():
    found = paths.chances(np.array([[0.0, 4.0], [0.0, np.finfo(np.float32).max]]))
    assert found[:, 0] == pytest.approx([paths.LEAST] * 2)
    assert found.sum(axis=1) == pytest.approx([1, 1])


@pytest.mark.parametrize(("least", "most"), [(0, 4), (1, 2), (2, 2), (4, 4), (3, 3)])
def test_walks_have_their_chances_given_the_number_of_new_weights(least, most):
    """1,500 walks among at most 12; χ² of 11 degrees exceeds 31 once in 1,000."""
    sizes = steps_of((2, 2, 3, 2, 1))
    random = np.random.default_rng(1)
    new = [random.random(step.shape) < 0.6 for step in sizes]
    possible = every(sizes, new, start=1)
    fits = {u: c for u, (c, fresh) in possible.items() if least <= fresh <= most}
    steps = [paths.chances(step) for step in sizes]
    drawn = Counter(
        tuple(paths.walk(random, steps, new, 1, least, most) or ()) for _ in range(1500)
    )
    assert drawn.keys() <= fits.keys()
    expected = {u: 1500 * chance / sum(fits.values()) for u, chance in fits.items()}
    chi = sum((drawn[u] - n) ** 2 / n for u, n in expected.items())
    assert len(fits) > 1
    assert chi < 31


def test_equal_weights_make_uniform_walks():
    steps = [paths.chances(np.full(step.shape, 0.3)) for step in steps_of((2, 3, 2, 1))]
    new = [np.ones(step.shape, bool) for step in steps]
    random = np.random.default_rng(0)
    drawn = Counter(
        tuple(paths.walk(random, steps, new, 0, 1, 3) or ()) for _ in range(1200)
    )
    assert len(drawn) == 6
    assert sum((n - 200) ** 2 / 200 for n in drawn.values()) < 20.5  # 5 degrees, 0.1 %


def test_no_walk_is_none():
    steps = [paths.chances(step) for step in steps_of((2, 2, 1))]
    old = [np.zeros(step.shape, bool) for step in steps]
    random = np.random.default_rng(0)
    assert paths.walk(random, steps, old, 0, 1, 2) is None
    old[0][1, 0] = True  # leaves the other input
    assert paths.walk(random, steps, old, 0, 1, 2) is None
    assert paths.walk(random, steps, old, 1, 1, 2) == [0, 0]
