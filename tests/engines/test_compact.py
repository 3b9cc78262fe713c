"""Dead units cost nothing and change nothing."""

import numpy as np
import pytest

from spiral import engines
from spiral.model import masks, mlp
from spiral.model.compact import WIDTHS, compact, live_units, widths
from tests.engines import begin, make_job, some_masks
from tests.tolerances import TOLERANCES

WIDE, NARROW, IDS = 16, 3, (1, 2, 3, 4)


def scattered() -> np.ndarray:
    """Return masks of width 16 that use three units of each layer, not the first."""
    small = some_masks(IDS, NARROW)
    random = np.random.default_rng(7)
    found = np.zeros((len(IDS), mlp.param_count(WIDE)), bool)
    for n in range(len(IDS)):
        units = [[0, 1], *(random.permutation(WIDE)[:NARROW] for _ in range(3)), [0]]
        whole = mlp.matrices(found[n], WIDE)
        for i, (weights, biases) in enumerate(mlp.matrices(small[n], NARROW)):
            whole[i][0][np.ix_(units[i + 1], units[i])] = weights
            whole[i][1][units[i + 1]] = biases
    return found


def test_a_unit_lives_if_anything_of_it_is_kept():
    kept = np.zeros((1, mlp.param_count(2)), bool)
    assert not live_units(kept, 2).any()
    kept[0, 5] = True  # the bias of unit 1 of layer 1
    kept[0, 6] = True  # W2[0, 0]: out of layer 1's unit 0, into layer 2's unit 0
    assert live_units(kept, 2).tolist() == [[[True, True], [True, False], [False] * 2]]


def test_what_is_taken_is_put_back_where_it_was():
    kept = scattered()
    assert (widths(kept, WIDE) == WIDTHS[0]).all()
    small = compact(kept, WIDE, WIDTHS[0])
    values = np.random.default_rng(1).random(kept.shape).astype(np.float32)
    values = np.where(kept, values, np.float32(0))
    narrow = small.take(values)
    assert sorted(narrow[narrow > 0]) == sorted(values[values > 0])
    assert np.array_equal(small.put(np.zeros_like(values), narrow), values)
    assert (small.take(kept).sum(axis=1) == kept.sum(axis=1)).all()


@pytest.mark.parametrize("name", ["vmap", "sparse"])
def test_a_pack_with_dead_units_trains_as_the_reference_does(name):
    job, kept = make_job(list(IDS), width=WIDE), scattered()
    found = engines.build(name).advance(job, begin(job, kept), 100)
    expected = engines.build("reference").advance(job, begin(job, kept), 100)
    for field in ("params", "momentum"):
        gap = np.abs(getattr(found, field) - getattr(expected, field)).max()
        assert gap <= TOLERANCES["steps_100"].value
    assert (found.params[~kept] == 0).all()
    ours = engines.build(name).evaluate(job, expected)
    theirs = engines.build("reference").evaluate(job, expected)
    assert np.abs(ours.correct - theirs.correct).max() <= TOLERANCES["count"].value


def test_a_width_is_a_network_own_matter():
    sizes = np.array([[8, 1, 1], [4, 4, 4], [1, 1, 5], [1, 1, 1]])
    kept = masks.with_biases(masks.block(8, sizes), 8)
    assert widths(kept, 8).tolist() == [8, 4, 8, 4]
    assert widths(kept[:, : mlp.param_count(3)], 3).tolist() == [3, 3, 3, 3]


def test_a_wide_neighbour_changes_no_bit():
    narrow = masks.with_biases(masks.block(WIDE, np.array([[3, 3, 3]] * 2)), WIDE)
    full = np.ones_like(narrow[:1])
    job = make_job([1, 2, 3], width=WIDE)
    beside = {}
    for name, last in (("narrow", narrow[:1]), ("wide", full)):
        kept = np.concatenate([narrow, last])
        beside[name] = engines.build("vmap").advance(job, begin(job, kept), 100)
    assert np.array_equal(beside["narrow"].params[:2], beside["wide"].params[:2])
