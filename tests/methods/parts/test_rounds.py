"""Rounds of pruning: what each keeps, and what they cost."""

import numpy as np
import pandas as pd
import pytest

from spiral.methods.parts import rounds
from spiral.model import mlp
from tests.methods import first_view, table


def test_every_round_keeps_the_same_share_of_the_largest_weights_left():
    view = first_view(table("imp", 1, width=4, keep=3))  # of 44 weights
    size = np.abs(view.params[0, mlp.is_weight(4)])
    for done, count in ((0.0, 44), (0.5, 11), (1.0, 3)):  # 44·√(3/44) is 11.5
        kept = rounds.prune(view, done, "global")[0]
        assert set(np.flatnonzero(kept)) == set(np.argsort(-size)[:count])


def test_networks_share_the_dense_part_and_pay_for_each_round():
    keep = pd.Series([4, 25], dtype="Int64")
    found = rounds.cost_profile(keep, 100, (6, 2, 2), np.array([1.0, 3.0]))
    assert found.kept == pytest.approx(np.array([[100, 100], [20, 50], [4, 25]]))
    assert found.share == pytest.approx(np.array([[0.6, 0.2], [0.2, 0.2], [0.2, 0.2]]))
