"""Layer budgets of ERK: they add up, and are those of the definition."""

import numpy as np
import pytest

from spiral.methods.parts import erk
from tests.methods import CELLS, WIDTHS_AND_KEEPS


def by_bisection(width, keep):
    """Densities min(1, ε·(in + out)/(in·out)) whose weights add up to keep."""
    shapes = [(2, width), (width, width), (width, width), (width, 1)]
    raw = np.array([(a + b) / (a * b) for a, b in shapes])
    sizes = np.array([a * b for a, b in shapes])
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        if (np.minimum(1, middle * raw) * sizes).sum() < keep:
            low = middle
        else:
            high = middle
    return np.minimum(1, high * raw)


@pytest.mark.parametrize(("width", "keep"), WIDTHS_AND_KEEPS)
def test_densities_are_those_of_the_definition(width, keep):
    found = erk.densities(width, keep)
    assert found == pytest.approx(by_bisection(width, keep), rel=1e-9)


@pytest.mark.parametrize(("width", "keep"), WIDTHS_AND_KEEPS)
def test_budgets_add_up_and_are_within_a_weight(width, keep):
    sizes = np.array([2 * width, width**2, width**2, width])
    budgets = np.array(erk.budgets(width, keep))
    assert budgets.sum() == keep
    assert (budgets <= sizes).all()
    assert np.abs(budgets - by_bisection(width, keep) * sizes).max() < 1


def test_all_and_nothing():
    assert erk.budgets(3, 27) == (6, 9, 9, 3)
    assert erk.budgets(3, 0) == (0, 0, 0, 0)


def test_a_layer_that_would_be_more_than_dense_is_dense():
    # width 3: ε·(5, 6, 6, 4) weights; at 24 the output layer would have 4.6 of 3
    assert erk.densities(3, 24)[3] == 1
    assert erk.budgets(3, 24)[3] == 3


def test_rounded_up_as_in_the_published_code():
    """68 for 65 and 28 for 26 at width 16, as reported of that code."""
    assert sum(erk.budgets(16, 65, "up")) == 68
    assert sum(erk.budgets(16, 26, "up")) == 28


def published(width, keep):
    """Share weights as the published code does, one number after the other."""
    shapes = [(width, 2), (width, width), (width, width), (1, width)]
    total, full = 2 * width * width + 3 * width, []
    while True:
        have = need = 0.0
        for i, (out, into) in enumerate(shapes):
            if i in full:
                have -= out * into * (1 - keep / total)
            else:
                have += out * into * (keep / total)
                need += (out + into) / (out * into) * (out * into)
        steep = [
            0.0 if i in full else (out + into) / (out * into)
            for i, (out, into) in enumerate(shapes)
        ]
        if max(steep) * (have / need) <= 1:
            break
        full += [i for i in range(4) if steep[i] == max(steep)]
    density = [1.0 if i in full else have / need * steep[i] for i in range(4)]
    sizes = [out * into for out, into in shapes]
    return tuple(n - int((1 - d) * n) for n, d in zip(sizes, density, strict=True))


def test_rounding_up_is_theirs_to_the_last_bit():
    """Budgets are often whole but for rounding; the order of operations decides."""
    assert {cell for cell in CELLS if erk.budgets(*cell, "up") != published(*cell)} == (
        set()
    )


def test_surplus_of_the_published_code():
    """As counted of it in the 234 cells of the published comparison."""
    surplus = [sum(erk.budgets(*cell, "up")) - cell[1] for cell in CELLS]
    assert {more: surplus.count(more) for more in range(4)} == {
        0: 7,
        1: 81,
        2: 108,
        3: 38,
    }
