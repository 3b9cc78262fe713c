"""Sums of lanes, against NumPy."""

import numpy as np
from numba import njit

from spiral.engines.sparse import sums
from spiral.engines.sparse import vectors as v


@njit
def _sums(x, y, z):
    v.store(z, 0, sums.row_sums(x, 0))
    v.store(z, 16, sums.fold(v.load128(x, 0)))
    v.store(z, 32, sums.dot(v.load128(x, 0), v.load128(y, 0)))


def test_sums_of_rows_and_of_runs_are_in_order():
    random = np.random.default_rng(4)
    x = random.integers(-50, 50, 256).astype(np.float32)  # sums are exact
    y = random.integers(-9, 9, 128).astype(np.float32)
    found = np.zeros(48, np.float32)
    _sums(x, y, found)
    assert found[:16].tolist() == x.reshape(16, 16).sum(axis=1).tolist()
    assert found[16:32].tolist() == x[:128].reshape(8, 16).sum(axis=0).tolist()
    assert found[32:].tolist() == (x[:128] * y).reshape(8, 16).sum(axis=0).tolist()
