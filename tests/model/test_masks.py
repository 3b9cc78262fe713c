"""Exact selection, the bias rule and paths, against slow twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral.model import masks, mlp
from tests import oracles

few = settings(max_examples=60)
score = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, np.inf, -np.inf, np.nan])


@st.composite
def ranked(draw):
    scores = draw(st.lists(score, min_size=1, max_size=12))
    return scores, draw(st.integers(0, len(scores)))


@st.composite
def weight_mask(draw, widths=(1, 2, 3)):
    width = draw(st.sampled_from(widths))
    size = mlp.weight_count(width)
    bits = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    return np.array(bits), width


def keep_one(scores, keep):
    return masks.keep_top(np.array([scores]), np.array([keep]))[0]


@few
@given(ranked())
def test_keep_top_keeps_exactly_that_many(case):
    scores, keep = case
    assert keep_one(scores, keep).sum() == keep


@few
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=12), st.data())
def test_keep_top_agrees_with_sorting(scores, data):
    keep = data.draw(st.integers(0, len(scores)))
    assert keep_one(scores, keep).tolist() == oracles.keep_top(scores, keep)


def test_ties_go_to_the_lower_index():
    assert keep_one([1.0, 2.0, 1.0, 1.0], 2).tolist() == [True, True, False, False]
    assert keep_one([0.0, -0.0, 0.0], 1).tolist() == [True, False, False]


def test_nan_ranks_below_every_number():
    assert keep_one([np.nan, -5.0, np.nan, 0.0], 2).tolist() == [0, 1, 0, 1]
    assert keep_one([np.nan, -np.inf, 1.0], 2).tolist() == [0, 1, 1]


def test_rows_are_ranked_each_for_itself():
    scores = np.array([[3.0, 2, 1], [1, 2, 3], [1, 1, 1]])
    found = masks.keep_top(scores, np.array([1, 2, 0]))
    assert found.astype(int).tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]


@few
@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.data())
def test_allocate_shares_everything_in_proportion(sizes, data):
    keep = data.draw(st.integers(0, sum(sizes)))
    found = masks.allocate(np.array([keep]), sizes)[0]
    assert found.sum() == keep
    assert (found <= sizes).all()
    fewer = masks.allocate(np.array([max(keep - 1, 0)]), sizes)[0]
    assert (fewer <= found).all()
    if len(sizes) < 4:  # beyond that Webster's method may miss the quota, rarely
        assert np.abs(found - keep * np.array(sizes) / sum(sizes)).max() < 1


@pytest.mark.parametrize("width", [2, 3, 16])
def test_allocate_agrees_with_exact_fractions(width):
    sizes = [2 * width, width**2, width**2, width]
    keep = np.arange(sum(sizes) + 1)
    expected = [oracles.allocate(int(k), sizes) for k in keep]
    assert masks.allocate(keep, sizes).tolist() == expected


@few
@given(weight_mask())
def test_biases_follow_the_outgoing_weights(case):
    weights, width = case
    found = masks.with_biases(weights[None], width)[0]
    biases = found[~mlp.is_weight(width)]
    assert biases.tolist() == oracles.kept_biases(weights, width)
    assert np.array_equal(masks.of_weights(found[None], width)[0], weights)


def test_a_bias_needs_no_incoming_weight_and_the_output_bias_none():
    empty = masks.with_biases(np.zeros((1, 5), bool), 1)[0]
    assert empty.astype(int).tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 1]
    only_last = masks.with_biases(np.array([[0, 0, 0, 0, 1]], bool), 1)[0]
    assert only_last.astype(int).tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1]


@few
@given(weight_mask())
def test_on_path_walks_every_path(case):
    weights, width = case
    found = masks.on_path(masks.with_biases(weights[None], width), width)[0]
    assert np.array_equal(found, oracles.on_path(weights, width))


def test_on_path_of_a_broken_chain_is_empty():
    weights = np.ones((5, 5), bool)
    np.fill_diagonal(weights, False)
    found = masks.on_path(masks.with_biases(weights, 1), 1)
    expected = [[0, 1, 1, 1, 1], [1, 0, 1, 1, 1], *[[0] * 5] * 3]
    assert found.astype(int).tolist() == expected


def test_layer_counts():
    mask = np.ones((2, mlp.param_count(2)), bool)
    mask[1, [0, 4, 6, 18, 19, 20]] = False  # 4 and 20 are biases
    assert masks.layer_counts(mask, 2).tolist() == [[4, 4, 4, 2], [3, 3, 4, 0]]


def test_units_that_stay_keep_every_weight_between_them():
    units = np.array([[[1, 0], [1, 1], [0, 1]]], bool)
    found = masks.of_units(units).astype(int)[0]
    # W1 rows, W2, W3, W4 of width 2
    assert found.tolist() == [1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1]


def test_block_written_out():
    found = masks.block(2, np.array([[1, 2, 1], [2, 1, 2]])).astype(int)
    first = ["1100", "1010", "1100", "10"]
    second = ["1111", "1100", "1010", "11"]
    expected = [[int(digit) for digit in "".join(m)] for m in (first, second)]
    assert found.tolist() == expected


@few
@given(*[st.integers(1, 4)] * 3)
def test_a_block_is_a_dense_network_wholly_on_paths(d1, d2, d3):
    found = masks.block(4, np.array([[d1, d2, d3]]))
    assert found.sum() == 2 * d1 + d1 * d2 + d2 * d3 + d3
    assert np.array_equal(masks.on_path(masks.with_biases(found, 4), 4), found)


@few
@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_bits_round_trip(bits):
    data = masks.to_bits(np.array(bits))
    assert len(data) == -(-len(bits) // 8)
    assert masks.from_bits(data, len(bits)).tolist() == bits


def test_the_first_parameter_is_the_highest_bit():
    assert masks.to_bits(np.array([1, 0, 0, 0, 0, 0, 0, 0, 1], bool)) == b"\x80\x80"
