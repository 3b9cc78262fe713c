"""How members of a soup differ."""

import pytest

from spiral.methods.retraining import sparse_soups


def test_factors_spread_evenly_around_one():
    assert sparse_soups.factors(1, 2.0).tolist() == [1]
    assert sparse_soups.factors(3, 2.0).tolist() == pytest.approx([1, 0.5, 2])
    expected = [1, 3**-0.5, 3**0.5, 1 / 3, 3]
    assert sparse_soups.factors(5, 3.0).tolist() == pytest.approx(expected)
