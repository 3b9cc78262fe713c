"""``l0``: where gates start, and what is left of them."""

from math import log

import numpy as np
import pytest

from spiral.engines.reparam import noise
from spiral.model import masks, mlp
from spiral.protocol import reparam
from tests import oracles
from tests.methods import act, table
from tests.methods.learned import SHORT, Noting, trained


def test_gates_start_at_the_log_odds_of_staying_open():
    change = act(table("l0", 3, width=16, drop_start=[0.5, 0.2, 1e-4]))
    middle = [0.0, log(4), log(100)]
    assert change.adapters.mean(axis=1) == pytest.approx(middle, abs=0.002)
    spread = change.adapters[:2].std(axis=1)
    assert spread == pytest.approx([0.01, 0.01], rel=0.1)
    assert np.abs(change.adapters).max() <= np.float32(log(100))


def test_the_most_open_gates_stay_with_the_values_of_tests():
    noting = Noting()
    state = trained(table("l0", 2, keep=[6, 18], gate_penalty=0.01, **SHORT), noting)
    before, start = noting.ends[0], noting.starts[-1]
    for n, keep in enumerate((6, 18)):
        expected = oracles.keep_top(list(before.adapters[n]), keep)
        kept = masks.of_weights(state.masks, 3)[n]
        assert kept.tolist() == expected
        gates = np.clip(1.2 / (1 + np.exp(-before.adapters[n])) - 0.1, 0, 1)
        weights = np.where(kept, before.params[n][mlp.is_weight(3)] * gates, 0)
        assert start.params[n][mlp.is_weight(3)] == pytest.approx(weights, abs=1e-6)


def test_the_penalty_closes_gates():
    opened = []
    for penalty in (0.0, 1.0):
        noting = Noting()
        trained(table("l0", 2, gate_penalty=penalty, **SHORT), noting)
        opened.append(reparam.hard_concrete(noting.ends[0].adapters).sum(axis=1))
    assert (opened[1] < opened[0] - 1).all()


def test_networks_of_one_order_seed_share_their_noise():
    """Equal in all but the penalty, they differ by it alone: one step moves w alike."""
    ends, drawn = [], []
    once = {"seed": [3, 4], "epochs": 1, "batch": 4992, "end": 0.1}
    for penalty in (0.0, 0.05):
        noting = Noting()
        trained(table("l0", 2, gate_penalty=penalty, **once), noting)
        ends.append(noting.ends[0])
        drawn.append(next(noise(noting.jobs[0], 0)))
    assert [end.step for end in ends] == [1, 1]
    assert ends[0].params == pytest.approx(ends[1].params, abs=1e-7)
    assert np.abs(ends[0].adapters - ends[1].adapters).max() > 1e-4
    assert np.array_equal(*drawn)
    assert not np.array_equal(*drawn[0])  # another order seed
