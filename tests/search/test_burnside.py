"""Counts agree with the lists of tiny shapes and with what is known of large ones."""

from collections import Counter

import pytest

from spiral.search.burnside import Count, count
from tests.search import complete_masks, flat, renumbered

TINY = [(1, 1, 1), (1, 2, 3), (2, 1, 3), (2, 2, 2), (2, 3, 2), (3, 2, 2), (3, 3, 1)]


@pytest.mark.parametrize("shape", TINY)
def test_brute_force(shape):
    labelled = list(complete_masks(shape))
    orbits = {min(renumbered(mask)) for mask in labelled}
    by_nnz = Counter(int(flat(mask).sum()) for mask in orbits)
    assert count(shape) == Count(len(labelled), len(orbits), dict(by_nnz))


def test_known_numbers():
    found = count((3, 2, 2))
    assert (found.labelled, found.canonical) == (4375, 273)
    by_nnz = [4, 23, 54, 75, 63, 35, 14, 4, 1]
    assert [*found.by_nnz.items()] == [*enumerate(by_nnz, start=10)]
    assert (count((3, 3, 3)).labelled, count((3, 3, 3)).canonical) == (1755625, 12400)


@pytest.mark.parametrize("shape", [(4, 3, 3), (7, 3, 3), (10, 9, 8), (3, 12, 5)])
def test_few_missing_weights_are_counted_by_hand(shape):
    """One: in W1 (either input), W2 or W3. Two, in unordered pairs of matrices:

    W1 and W1 3, W1 and W2 4, W1 and W3 2, W2 and W2 3, W2 and W3 2, W3 and W3 3.
    """
    most = [*count(shape).by_nnz.items()][-3:]
    d1, d2, d3 = shape
    dense = 2 * d1 + d1 * d2 + d2 * d3 + d3
    assert most == [(dense - 2, 17), (dense - 1, 4), (dense, 1)]


def test_one_mask_stays_one_among_many_orders():
    assert count((1, 12, 1)) == Count(1, 1, {27: 1})


def test_a_range_keeps_both_counts_to_itself():
    below, above = count((3, 3, 2), range(16)), count((3, 3, 2), range(16, 99))
    every = count((3, 3, 2))
    assert below.by_nnz | above.by_nnz == every.by_nnz
    assert max(below.by_nnz) == 15
    assert below.labelled + above.labelled == every.labelled
    assert below.canonical + above.canonical == every.canonical


@pytest.mark.parametrize("shape", [(), (3, 2), (3, 2, 2, 1), (3, 0, 2), (-1, 2, 2)])
def test_a_shape_is_three_positive_numbers(shape):
    with pytest.raises(ValueError, match="shape of three sizes"):
        count(shape)
