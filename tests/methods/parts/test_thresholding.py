"""Hard thresholding of a quadratic model, beside what the published code keeps."""

import numpy as np
import pytest

from spiral.methods.parts import thresholding
from spiral.methods.parts.brain_surgeon import STAYS
from spiral.methods.parts.supports import Quadratic


def model(weights, rows, ridge, slope=None):
    """Return the model of ‖y - Xβ‖²/2 + ridge·‖β - w‖² + slope·β for y = Xw."""
    size = len(weights)
    return Quadratic(
        weights,
        rows.T @ rows + 2 * ridge * np.eye(size),
        np.zeros(size) if slope is None else slope,
        np.zeros(size, int),
    )


def kept(block, count):
    removals = np.array([len(block.weights) - count])
    (found,) = thresholding.l0([block], removals, 50)
    return np.flatnonzero(found).tolist()


# mazumder-lab/CHITA, CHITA_opt/L0_card_const.py: Active_IHTCDLS_PP with the settings of
# pruners/CHITA.py and 50 iterations
SMALL = {
    2: [2, 5],
    3: [2, 5, 6],
    4: [2, 3, 5, 6],
    5: [0, 2, 3, 5, 6],
    6: [0, 1, 2, 3, 5, 6],
}
LARGE = {
    3: [6, 7, 9],
    6: [4, 6, 9, 12, 17, 20],
    9: [1, 4, 6, 9, 12, 15, 17, 20, 23],
    12: [0, 1, 4, 6, 7, 9, 12, 14, 15, 17, 20, 23],
    18: [0, 1, 3, 4, 6, 7, 9, 10, 11, 12, 14, 15, 17, 18, 20, 21, 22, 23],
}
SLOPED = {
    3: [1, 6, 12],
    6: [1, 6, 7, 12, 17, 20],
    9: [0, 1, 6, 7, 12, 15, 17, 20, 23],
    12: [0, 1, 4, 6, 7, 9, 12, 15, 17, 18, 20, 23],
    18: [0, 1, 2, 4, 6, 7, 9, 11, 12, 13, 14, 15, 17, 18, 20, 21, 22, 23],
}


@pytest.mark.parametrize("count", SMALL)
@pytest.mark.parametrize("slope", [None, np.sin(3 * np.arange(8.0))])
def test_it_keeps_what_the_published_code_keeps_of_eight_weights(count, slope):
    rows = np.sin(np.outer(np.arange(10) + 1, np.arange(8) + 2))
    block = model(np.cos(np.arange(8) + 1.0), rows, 0.01, slope)
    assert kept(block, count) == SMALL[count]


@pytest.mark.parametrize("count", LARGE)
def test_it_keeps_what_the_published_code_keeps_of_twenty_four(count):
    rows = np.sin(np.outer(np.arange(30) + 1, np.arange(24) + 1.3))
    weights = np.cos(2 * np.arange(24) + 1.0)
    assert kept(model(weights, rows, 0.05), count) == LARGE[count]
    slope = 2 * np.sin(3 * np.arange(24.0))
    assert kept(model(weights, rows, 0.05, slope), count) == SLOPED[count]


def test_where_nothing_interacts_the_largest_stay():
    weights = np.cos(np.arange(8) + 1.0)
    assert kept(Quadratic(weights, np.eye(8), np.zeros(8), np.zeros(8, int)), 3) == [
        2,
        5,
        6,
    ]


def test_groups_keep_their_counts_and_biases_stay():
    random = np.random.default_rng(0)
    rows = random.standard_normal((30, 10))
    groups = np.array([0, 0, 0, 0, 1, 1, 1, 1, STAYS, STAYS])
    block = Quadratic(random.standard_normal(10), rows.T @ rows, np.zeros(10), groups)
    for removals in ([1, 3], [4, 0], [2, 2]):
        (found,) = thresholding.l0([block], np.array(removals), 50)
        assert found[8:].all()
        assert [(~found)[groups == g].sum() for g in (0, 1)] == removals


def test_blocks_do_not_interact():
    """Two blocks are one whose matrix has zeros between them."""
    random = np.random.default_rng(1)
    halves = []
    for _ in range(2):
        rows = random.standard_normal((20, 6))
        halves.append(model(random.standard_normal(6), rows, 0.1))
    matrix = np.zeros((12, 12))
    matrix[:6, :6], matrix[6:, 6:] = (block.matrix for block in halves)
    weights = np.concatenate([block.weights for block in halves])
    both = Quadratic(weights, matrix, np.zeros(12), np.zeros(12, int))
    parts = thresholding.l0(halves, np.array([7]), 50)
    (whole,) = thresholding.l0([both], np.array([7]), 50)
    assert np.array_equal(np.concatenate(parts), whole)


def test_weights_that_are_zero_already_are_kept_only_to_meet_the_count():
    weights = np.array([0.0, 0.0, 3.0, 0.0])
    block = Quadratic(weights, np.eye(4), np.zeros(4), np.zeros(4, int))
    assert kept(block, 1) == [2]
    assert kept(block, 3) == [0, 1, 2]
