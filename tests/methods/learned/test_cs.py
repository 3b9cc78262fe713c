"""``cs``: gates sharpen by equal ratios; rewound weights keep the factor 1/σ(s0)."""

import numpy as np
import pytest

from spiral.methods.registry import METHODS
from spiral.model import masks, mlp
from spiral.protocol import cuts, reparam
from tests import oracles
from tests.methods import plan_at, table
from tests.methods.learned import SHORT, Noting, trained

USUAL = {"gate_penalty": 1e-8, "sharpness": 200.0, "end": 0.75, "allocation": "global"}


def test_gates_sharpen_from_1_to_200_until_the_end():
    plan = plan_at(50, "cs", **USUAL, gate_start=-0.2, rewind_epoch=2)
    curve = plan.weight_map.curve
    assert plan.events == (0, 780, 14_625)
    assert (curve[0], curve[14_624], curve[-1]) == pytest.approx((1, 200, 200))
    assert curve[7_312] == pytest.approx(200**0.5)
    assert plan.weight_map.scale == pytest.approx(2.2214, abs=5e-5)


@pytest.mark.parametrize("begins", [-0.2, 0.2])
def test_gates_start_open_at_their_scale(begins):
    noting = Noting()
    trained(table("cs", 1, gate_start=begins, **SHORT), noting)
    (job, *_), (state, *_) = noting.jobs, noting.starts
    assert state.adapters == pytest.approx(np.full((1, 27), begins))
    here, c = job.plan.weight_map, np.ones(1)
    open_ = reparam.effective(state.params, state.adapters, here, c)
    assert open_ == pytest.approx(job.initial, rel=1e-6)


@pytest.mark.parametrize("rewind", [None, 0, 1])
def test_the_highest_gates_stay_with_their_own_or_rewound_weights(rewind):
    noting = Noting()
    own = {"gate_start": -0.2, "rewind_epoch": rewind}
    configs = table("cs", 2, keep=[6, 18], **own, **SHORT)
    state = trained(configs, noting)
    before, start = noting.ends[-2], noting.starts[-1]
    scale = 1 / cuts.sigmoid(-0.2)
    is_weight = mlp.is_weight(3)
    for n, keep in enumerate((6, 18)):
        expected = oracles.keep_top(list(before.adapters[n]), keep)
        kept = masks.of_weights(state.masks, 3)[n]
        assert kept.tolist() == expected
        gates = scale * cuts.sigmoid(200 * before.adapters[n].astype(np.float64))
        source = before.params[n]
        if rewind is not None:
            gates = scale
            source = (noting.jobs[0].initial, noting.ends[0].params)[rewind][n]
        weights = np.where(kept, source[is_weight] * gates, 0)
        assert start.params[n][is_weight] == pytest.approx(weights, rel=1e-5, abs=1e-7)


def test_weights_are_rewound_to_an_epoch_before_the_end():
    check = METHODS["cs"].check
    assert check(table("cs", epochs=10, rewind_epoch=[None, 2, 7])) == []
    (found,) = check(table("cs", epochs=10, rewind_epoch=8))
    assert (found.field, found.value) == ("rewind_epoch", 8)
