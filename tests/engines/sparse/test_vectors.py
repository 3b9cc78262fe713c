"""The vector operations, each against float64."""

import numpy as np
import pytest
from numba import njit

from spiral.engines.sparse import vectors as v
from tests.golden import sources
from tests.tolerances import TOLERANCES


@njit
def _each(x, y, z):
    v.store(z, 0, v.sigmoid(v.load128(x, 0)))
    v.store(z, 128, v.softplus(v.load128(x, 0)))
    v.store(z, 256, v.relu(v.load128(x, 0)))
    v.store(z, 384, v.gate(v.load128(x, 0), v.load128(y, 0)))
    v.store(z, 512, v.keep(v.load128(x, 0), v.load128(y, 0)))
    v.store(z, 640, v.positive(v.load128(x, 0)))
    v.store(z, 768, v.fma(v.load128(x, 0), v.load128(y, 0), v.splat128(2.0)))


def each(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    found = np.zeros(7 * 128, np.float32)
    _each(x.astype(np.float32), y.astype(np.float32), found)
    names = ("sigmoid", "softplus", "relu", "gate", "keep", "positive", "fma")
    return dict(zip(names, found.reshape(7, 128), strict=True))


def spread(reach: float) -> np.ndarray:
    """Return many float32 numbers up to a size, dense near zero."""
    random = np.random.default_rng(3)
    return (reach * random.uniform(-1, 1, (400, 128)) ** 3).astype(np.float32)


@pytest.mark.parametrize("reach", [1, 20, 90, 1e30])
def test_sigmoid_is_accurate_everywhere(reach):
    for x in spread(reach):
        exact = 0.5 * (1 + np.tanh(x.astype(np.float64) / 2))
        gap = np.abs(each(x, x)["sigmoid"] - exact).max()
        assert gap <= TOLERANCES["sigmoid"].value


@pytest.mark.parametrize("reach", [1, 20, 90])
def test_softplus_is_accurate_beside_rounding(reach):
    for x in spread(reach):
        exact = np.logaddexp(0, x.astype(np.float64))
        gap = np.abs(each(x, x)["softplus"] - exact) - np.spacing(exact.astype("f4"))
        assert gap.max() <= TOLERANCES["softplus"].value


def test_conditions_keep_or_pass_nan_as_they_promise():
    x = np.zeros(128)
    x[:4] = [-1, 0, 2, np.nan]
    found = each(x, np.full(128, 7.0))
    assert np.array_equal(found["relu"][:4], [0, 0, 2, np.nan], equal_nan=True)
    assert found["gate"][:4].tolist() == [0, 0, 7, 7]
    assert found["keep"][:4].tolist() == [0, 0, 7, 0]
    assert found["positive"][:4].tolist() == [0, 0, 1, 0]


def test_a_nan_that_is_not_kept_is_gone():
    found = each(np.zeros(128), np.full(128, np.nan))
    assert (found["keep"] == 0).all()


def test_fma_rounds_once():
    x = np.full(128, 1 + 2.0**-12)
    y = np.full(128, 1 - 2.0**-12)
    exact = np.float32(x[0] * y[0] + 2.0)
    assert (each(x, y)["fma"] == exact).all()


@njit
def _take(counter, found):
    for i in range(len(found)):
        found[i] = v.take(counter)


def test_take_counts_up():
    counter, found = np.zeros(1, np.int64), np.zeros(5, np.int64)
    _take(counter, found)
    assert found.tolist() == [0, 1, 2, 3, 4]
    assert counter[0] == 5


def test_kernels_carry_the_digest_of_what_they_are_made_of():
    """Else a change here would run old machine code: mend with ``make golden``."""
    assert set(sources.stamps().values()) == {sources.digest()}
