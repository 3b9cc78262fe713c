"""N:M masks and layers of equal density, against loops over groups."""

import numpy as np
import pytest

from spiral.methods.parts import n_of_m as nm
from spiral.model import masks, mlp
from tests import oracles


def n_of_m(scores, width, keep, group):
    """Walk the rows of every matrix, group by group."""
    parts = []
    for matrix in oracles.weight_matrices(scores, width):
        kept = np.ones(matrix.shape, bool)
        if matrix.shape[1] % group == 0:
            for row in range(matrix.shape[0]):
                for start in range(0, matrix.shape[1], group):
                    here = matrix[row, start : start + group].tolist()
                    kept[row, start : start + group] = oracles.keep_top(here, keep)
        parts.append(kept.ravel())
    return np.concatenate(parts)


def some_scores(width, networks=3, levels=1000):
    random = np.random.default_rng(width)
    shape = (networks, mlp.weight_count(width))
    return random.integers(levels, size=shape).astype(np.float64)


@pytest.mark.parametrize("levels", [3, 1000])
@pytest.mark.parametrize(
    ("width", "keep", "group"),
    [(4, 1, 2), (4, 1, 4), (8, 2, 4), (8, 1, 8), (16, 1, 16), (16, 3, 4), (6, 1, 4)],
)
def test_every_group_keeps_its_best(width, keep, group, levels):
    scores = some_scores(width, levels=levels)
    found = nm.n_of_m(scores, width, keep, group)
    for got, row in zip(found, scores, strict=True):
        assert np.array_equal(got, n_of_m(row, width, keep, group))
    assert set(found.sum(axis=1)) == {nm.count(width, keep, group)}


def test_counts_that_are_keeps_of_the_paper():
    """2w of the first layer (w at M = 2), 2w²/M between, w/M of the output."""
    cells = [(4, 1, 4), (4, 1, 2), (8, 1, 8), (16, 1, 16)]
    assert [nm.count(*cell) for cell in cells] == [17, 22, 33, 65]


def test_all_of_a_group_is_everything():
    scores = some_scores(8)
    assert nm.n_of_m(scores, 8, 4, 4).all()
    assert nm.count(8, 4, 4) == mlp.weight_count(8)


def test_a_layer_whose_inputs_the_group_does_not_divide_stays_dense():
    found = nm.n_of_m(some_scores(6), 6, 1, 4)
    assert found.all()


@pytest.mark.parametrize("keep", [9, 10, 15, 26, 27])
def test_uniform_keeps_both_ends_and_the_same_share_between(keep):
    scores = some_scores(3, 1)
    kept = nm.uniform(scores, 3, np.array([keep]))
    first, second, third, last = masks.layer_counts(masks.with_biases(kept, 3), 3)[0]
    assert (first, last) == (6, 3)
    assert second + third == keep - 9
    assert 0 <= second - third <= 1
    for layer, matrix in zip(
        mlp.layers(3), oracles.weight_matrices(scores[0], 3), strict=True
    ):
        here = kept[0, layer.columns]
        expected = oracles.keep_top(matrix.ravel().tolist(), int(here.sum()))
        assert here.tolist() == expected


def test_ends_are_the_first_and_last_layer():
    assert [nm.ends(width) for width in (3, 16, 256)] == [9, 48, 768]
