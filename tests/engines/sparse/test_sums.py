"""Sums of lanes, against NumPy."""

import numpy as np
import pytest
from numba import njit

from spiral.engines.sparse import sums
from spiral.engines.sparse import vectors as v


@njit
def _sums(x, y, z, halves):
    v.store(z, 0, sums.row_sums(x, 0))
    one, other = v.load(x, 0, halves), v.load(y, 0, halves)
    v.store(z, 16, sums.fold(one))
    v.store(z, 32, sums.dot(one, other))
    before = v.load16(x, 0)
    v.store(z, 48, sums.fold_onto(before, one))
    v.store(z, 64, sums.dot_onto(before, one, other))


@pytest.mark.parametrize("halves", [(0,), (0, 0)])
def test_sums_of_rows_and_of_runs_are_in_order(halves):
    random, lanes = np.random.default_rng(4), 64 * len(halves)
    x = random.integers(-50, 50, 256).astype(np.float32)  # sums are exact
    y = random.integers(-9, 9, 128).astype(np.float32)
    found = np.zeros(80, np.float32)
    _sums(x, y, found, halves)
    folded = x[:lanes].reshape(-1, 16).sum(axis=0)
    dotted = (x[:lanes] * y[:lanes]).reshape(-1, 16).sum(axis=0)
    expected = [folded, dotted, x[:16] + folded, x[:16] + dotted]
    assert found[:16].tolist() == x.reshape(16, 16).sum(axis=1).tolist()
    assert found[16:].reshape(4, 16).tolist() == np.array(expected).tolist()


@njit
def _added(x, scratch, halves):
    return sums.add_up(0.25, v.load(x, 0, halves), scratch, 16, halves)


def test_two_vectors_of_64_add_up_as_one_of_128_does():
    x = np.random.default_rng(5).normal(size=128).astype(np.float32)
    scratch = np.zeros(160, np.float32)
    whole = _added(x, scratch, (0, 0))
    halves = x.reshape(2, 4, 16)
    tree = (halves[:, 0] + halves[:, 1]) + (halves[:, 2] + halves[:, 3])
    expected = 0.25
    for partial in tree.ravel():
        expected += float(partial)
    assert whole == expected
