"""Sizes of weights: pruned ones rank last, whatever has become of the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiral.methods.parts import scores
from spiral.model import masks, mlp
from tests.methods import first_view, table

INDEX = np.flatnonzero(mlp.is_weight(3))


def sizes_of(**values):
    """Return the sizes of a network of ones, except for some weights; 5 is pruned."""
    params = np.ones((1, 37), np.float32)
    for place, value in values.items():
        params[0, INDEX[int(place[1:])]] = value
    kept = np.ones((1, 27), bool)
    kept[0, 5] = False
    return scores.sizes(params, kept, 3)[0]


def test_pruned_weights_rank_below_a_kept_zero():
    found = sizes_of(w0=-2, w3=0, w5=7)
    assert found[[0, 1, 3, 5]].tolist() == [2, 1, 0, -1]


def test_nan_counts_as_zero_and_infinity_as_the_largest_number():
    largest = np.finfo(np.float32).max
    found = sizes_of(w0=np.nan, w1=-np.inf, w5=np.nan)
    assert found[[0, 1, 5]].tolist() == [0, largest, -1]


@given(seed=st.integers(0, 99), keep=st.integers(0, 27), left=st.integers(0, 27))
def test_of_finite_weights_the_rules_of_all_methods_were_one(seed, keep, left):
    """Three rules for NaN there were; of finite weights all rank alike."""
    params = mlp.initial_params(seed, 3)[None]
    drawn = np.random.default_rng(seed).random((1, 27))
    kept = masks.keep_top(drawn, np.array([left]))
    weights = np.abs(masks.of_weights(params, 3))
    gmp = weights.copy()
    gmp[np.isnan(gmp)] = 0
    lth = np.nan_to_num(weights)
    found = scores.sizes(params, kept, 3)
    for size in (weights, gmp, lth):
        assert np.array_equal(found, np.where(kept, size, np.float32(-1)))


@pytest.mark.parametrize("keep", [0, 7, 26, 27])
def test_a_diverged_network_keeps_as_many_weights_as_any(keep):
    params = np.full((1, 37), np.nan, np.float32)
    params[0, ::3] = np.inf
    found = scores.sizes(params, np.ones((1, 27), bool), 3)
    assert masks.keep_top(found, np.array([keep])).sum() == keep


def test_a_view_ranks_the_weights_that_its_masks_keep():
    view = first_view(table("magnitude", 2))
    size = np.abs(masks.of_weights(view.params, 3))
    assert np.array_equal(scores.sizes_left(view), size)


def test_scores_equal_but_for_rounding_become_equal():
    found = scores.forgiving(np.array([[0.5, 1 + 1e-15, 1.0, 0.0], [3e-9, 1e-9, 0, 0]]))
    assert found.dtype == np.float32
    assert found.tolist()[0] == [0.5, 1, 1, 0]
    assert found[1] == pytest.approx([1, 1 / 3, 0, 0])
    assert not scores.forgiving(np.zeros((1, 3))).any()
