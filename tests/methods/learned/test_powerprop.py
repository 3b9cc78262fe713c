"""``powerprop``: the same start, longer steps for large weights, gmp's cubic."""

import numpy as np
import pytest

from spiral.model import masks, mlp
from tests.methods import Drift, act, decide, plan_at, table
from tests.methods.learned import SHORT, Noting, trained

USUAL = {
    "alpha": 2.0,
    "root_rate": 1.0,
    "decay": "on",
    "end": 0.75,
    "allocation": "global",
}


def test_the_power_of_the_start_is_the_usual_start():
    change = act(table("powerprop", 2, alpha=3.0))
    is_weight = mlp.is_weight(3)
    for n, params in enumerate(change.params):
        usual = mlp.initial_params(n, 3)
        assert params[is_weight] ** 3 == pytest.approx(usual[is_weight], abs=1e-6)
        assert np.array_equal(params[~is_weight], usual[~is_weight])
    assert change.adapters.shape == (2, 0)
    assert change.lr_scale.tolist() == [0.1, 0.1]
    assert change.decay_scale.tolist() == [0, 0]
    assert act(table("powerprop", decay="on")).decay_scale is None


def test_once_or_along_the_cubic():
    once = plan_at(50, "powerprop", **USUAL, pruning="once", interval=97)
    assert once.events == (0, 14_625)
    often = plan_at(50, "powerprop", **USUAL, pruning="gradual", interval=97)
    assert often.events == (0, *range(97, 14_625, 97), 14_625)
    engine = Drift()
    decide(table("powerprop", 1, keep=11, pruning="gradual", interval=117), engine)
    counts = [int(seen.sum()) for seen in engine.seen]
    cubic = [11 + 16 * (1 - i / 5) ** 3 for i in range(6)]
    assert counts == [27, *(round(count) for count in cubic)]


def test_power_1_along_the_cubic_is_gmp_until_the_end():
    same = {
        "interval": 12,
        "end": 0.72,
        "keep": [5, 20],
        "seed": [3, 4],
        "n": 2,
    } | SHORT
    mine, theirs = Noting(), Noting()
    setting = {"alpha": 1.0, "decay": "on", "root_rate": 1.0, "pruning": "gradual"}
    last = trained(table("powerprop", **same, **setting), mine)
    other = trained(table("gmp", **same), theirs)
    for found, expected in zip(mine.ends[:3], theirs.ends[:3], strict=True):
        assert np.array_equal(found.masks, expected.masks)
        assert np.abs(found.params - expected.params).max() <= 1e-6
    assert np.array_equal(last.masks, other.masks)


def test_after_the_end_rate_and_penalty_are_the_configs():
    noting = Noting()
    state = trained(table("powerprop", 2, keep=[9, 20], **SHORT), noting)
    assert noting.jobs[0].weight_decay.tolist() == [0, 0]
    assert noting.jobs[1].weight_decay.tolist() == [5e-4, 5e-4]
    assert state.lr_scale.tolist() == [1, 1]
    assert masks.of_weights(state.masks, 3).sum(axis=1).tolist() == [9, 20]
