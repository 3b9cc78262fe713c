"""Corrected p-values, against statsmodels' worked example and a slow loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiral.report.stats.multiple import holm


def of(p, family=None):
    p = np.array(p, float)
    return holm(p, np.zeros(len(p), int) if family is None else np.array(family))


def test_the_smallest_is_multiplied_by_all_and_none_is_below_the_one_before():
    found = of([0.01, 0.04, 0.03, 0.005])
    assert found == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_none_is_above_one_and_missing_ones_do_not_count():
    assert of([0.6, np.nan, 0.02]) == pytest.approx([0.6, np.nan, 0.04], nan_ok=True)
    assert of([0.9, 0.8]).tolist() == [1, 1]
    assert of([]).tolist() == []


def test_families_are_corrected_apart():
    assert of([0.01, 0.01, 0.02], [1, 0, 1]) == pytest.approx([0.02, 0.01, 0.02])


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), min_size=1))
def test_agrees_with_one_after_the_other(pairs):
    p, family = map(list, zip(*pairs, strict=True))
    found = of(p, family)
    for number in set(family):
        here = [i for i, other in enumerate(family) if other == number]
        least = 0.0
        for done, i in enumerate(sorted(here, key=lambda i: (p[i], i))):
            least = max(least, min(p[i] * (len(here) - done), 1.0))
            assert found[i] == pytest.approx(least)
