"""``lrr``: levels of ``lth`` whose weights train on."""

from dataclasses import replace

import numpy as np
import pytest

from spiral.methods.registry import METHODS
from spiral.sweep import packs
from tests.methods import Drift, decide, kept_weights, table


class Pushing(Drift):
    """Notes where each training starts and ends, and gives every weight momentum."""

    def __init__(self):
        super().__init__()
        self.starts, self.ends = [], []

    def advance(self, job, state, stop):
        self.starts.append(state)
        state = super().advance(job, state, stop)
        pushed = np.where(state.masks, np.float32(0.5), np.float32(0))
        self.ends.append(replace(state, momentum=pushed))
        return self.ends[-1]


@pytest.mark.parametrize("cycles", [1, 2])
def test_weights_train_on_from_where_they_are_with_no_momentum(cycles):
    engine = Pushing()
    decide(table("lrr", 2, levels=3, schedule_cycles=cycles), engine)
    trained = [state for state in engine.starts if state.step]
    assert len(trained) == 4 * cycles - 1
    for before, after in zip(engine.ends[1:], trained, strict=False):
        kept = after.masks
        assert np.array_equal(after.params[kept], before.params[kept])
        assert not after.momentum.any()


@pytest.mark.parametrize("epoch", [0, 1])
def test_it_is_lth_that_rewinds_rates(epoch):
    options = {"keep": [11, 10], "rewind_epoch": epoch}
    lrr = decide(table("lrr", 2, **options))
    lth = decide(table("lth", 2, rewind="rates", **options))
    assert np.array_equal(lrr.masks, lth.masks)
    assert np.array_equal(lrr.params, lth.params)


@pytest.mark.parametrize(("width", "keep"), [(1, [2, 4]), (64, [26, 65])])
@pytest.mark.parametrize("cycles", [1, 2])
def test_counts_are_exact_at_other_widths(width, keep, cycles):
    state = decide(table("lrr", 2, width=width, keep=keep, schedule_cycles=cycles))
    assert kept_weights(state, width).sum(axis=1).tolist() == keep


def test_it_is_not_lth():
    lrr, lth = decide(table("lrr", 2)), decide(table("lth", 2))
    assert lrr.step == lth.step
    assert not np.array_equal(lrr.params, lth.params)


def test_cost_is_that_of_lth_and_needs_no_columns_of_others():
    own = table("lrr", 2, keep=[10, 11])
    own = packs.alike(own, np.arange(2))
    found = METHODS["lrr"].cost_profile(own, 27, np.full(2, 2.0))
    lth = table("lth", 2, keep=[10, 11], rewind="rates")
    expected = METHODS["lth"].cost_profile(lth, 27, np.full(2, 2.0))
    assert np.array_equal(found.kept, expected.kept)
    assert np.array_equal(found.share, expected.share)
